import RecurrentModel

/// The way of one sequence through all layers and directions of a recurrent module.
struct SequenceScan<Operations: StepOperations> {
  typealias Cell = ScanCell<Operations>
  typealias Vector = Operations.Vector

  let configuration: RecurrentConfiguration
  /// The cells of all layers and directions: `cells[layer][direction.rawValue]`.
  let cells: [[Cell]]
  let variant: ScanVariant
  /// The input at each step, those of the padding among them, and whether it is lost.
  let vectors: [(vector: Vector, isLost: Bool)]
  /// How many steps the sequence has without its padding.
  let length: Int
  /// The state that a direction of a layer starts from.
  let start: (_ layer: Int, Direction) -> Cell.State
  /// The h of the last layer that each next step is computed from, in place of the one that the
  /// scan has computed itself: teacher forcing. nil for the scan's own.
  var forced: ((_ step: Int, Direction) -> Vector)?

  /// What one direction of one layer gives.
  struct Pass {
    /// h at each step, in the sequence's order.
    var hidden: [Vector]
    /// Whether h is lost at each step.
    var isLost: [Bool]
    /// The state after the last step that is read; nil where it is lost.
    var final: Cell.State?
  }

  /// Runs all layers and directions.
  ///
  /// - Parameters:
  ///   - operations: how the operations of a direction of a layer are carried out.
  ///   - isLost: whether nothing can be said of a state, and so of what follows it.
  /// - Returns: `passes[layer][direction.rawValue]`.
  /// - Complexity: O(T·L·D·G·H·(I + H)), with G gates.
  func run(
    _ operations: (_ layer: Int, Direction) -> Operations, isLost: (Cell.State) -> Bool
  ) -> [[Pass]] {
    let end =
      switch variant.padding {
      case .skipped: length
      case .read(let end), .readAndMasked(let end): end
      }
    var vectors = Array(self.vectors.prefix(end))
    return cells.indices.map { layer in
      let forced = layer == cells.count - 1 ? forced : nil
      let passes = configuration.directions.map { direction in
        let cell = cells[layer][direction.rawValue]
        var start = (state: start(layer, direction), stepsRead: 0)
        let operations = operations(layer, direction)
        if direction == .reverse, case .fromPadding(let end) = variant.reverseReading {
          start = afterPadding(layer, cell, start.state, until: end, operations)
        }
        return run(cell, direction, over: vectors, from: start, forced, operations, isLost)
      }
      vectors = (0..<end).map { step in
        (
          Vector(joining: passes.map { $0.hidden[step] }),
          passes.contains { $0.isLost[step] }
        )
      }
      return passes
    }
  }

  /// Runs one direction of one layer. It ends where its state, or a vector that it reads, is
  /// lost.
  private func run(
    _ cell: Cell, _ direction: Direction, over vectors: [(vector: Vector, isLost: Bool)],
    from start: (state: Cell.State, stepsRead: Int),
    _ forced: ((_ step: Int, Direction) -> Vector)?, _ operations: Operations,
    _ isLost: (Cell.State) -> Bool
  ) -> Pass {
    var state = start.state
    let none = Vector([Double](repeating: 0, count: configuration.outputSize))
    var pass = Pass(
      hidden: Array(repeating: none, count: vectors.count),
      isLost: Array(repeating: true, count: vectors.count))
    let isReversed = direction == .reverse
    let readsBackwards = isReversed && variant.reverseReading != .fromFirstStep
    let writesBackwards = readsBackwards && variant.flipsReverseBack
    let last = vectors.count - 1
    for position in vectors.indices {
      let step = readsBackwards ? last - position : position
      if vectors[step].isLost { return pass }
      let isSkipped =
        variant.steps == .firstSkipped && start.stepsRead + position == 0
        || variant.steps == .lastSkipped && position == last
      if !isSkipped {
        state = cell.step(
          vectors[step].vector, state, operations, step: start.stepsRead + position)
      }
      if isLost(state) { return pass }
      let place = writesBackwards ? last - position : position
      pass.hidden[place] = state.h
      pass.isLost[place] = false
      if let forced, position < last { state.h = forced(place, direction) }
    }
    if variant.steps == .lastTwice, last >= 0 {
      let step = readsBackwards ? 0 : last
      state = cell.step(
        vectors[step].vector, state, operations, step: start.stepsRead + vectors.count)
    }
    pass.final = state
    return pass
  }

  /// The state of a reverse direction that has read the padding, and how many steps that were.
  /// The padding is the input's in the first layer, and zeros in the others.
  private func afterPadding(
    _ layer: Int, _ cell: Cell, _ start: Cell.State, until end: Int, _ operations: Operations
  ) -> (state: Cell.State, stepsRead: Int) {
    var state = start
    let zeros = Vector([Double](repeating: 0, count: configuration.inputSize(ofLayer: layer)))
    for step in (min(length, end)..<end).reversed() {
      let padding = layer == 0 ? vectors[step].vector : zeros
      let isSkipped = variant.steps == .firstSkipped && step == end - 1
      if !isSkipped {
        state = cell.step(padding, state, operations, step: end - 1 - step)
      }
    }
    return (state, end - length)
  }
}
