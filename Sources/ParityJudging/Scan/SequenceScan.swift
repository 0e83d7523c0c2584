import RecurrentModel
import TensorCore

/// One sequence through all layers and directions.
struct SequenceScan<Arithmetic: StepArithmetic> {
  typealias Cell = ScanCell<Arithmetic>

  let configuration: RecurrentConfiguration
  /// By layer, then direction.
  let cells: [[Cell]]
  let input: RecurrentInput
  let sequence: Int
  let variant: ScanVariant
  /// By step, in place of the input's own vectors, and whether each is lost.
  var vectors: [(vector: Arithmetic.Vector, isLost: Bool)]?

  /// One direction of one layer.
  struct Pass {
    /// By step of the sequence.
    var hidden: [Arithmetic.Vector]
    /// By step.
    var isLost: [Bool]
    /// nil where it is lost.
    var final: Cell.State?
  }

  /// By layer, then direction. O(T·L·D·G·H·(I + H)).
  ///
  /// - Parameters:
  ///   - arithmetic: of a layer's direction.
  ///   - isLost: whether nothing can be said of a state, and so of what follows it.
  func run(
    _ arithmetic: (_ layer: Int, Direction) -> Arithmetic, isLost parted: (Cell.State) -> Bool
  ) -> [[Pass]] {
    let length = input.length(of: sequence)
    var vectors =
      self.vectors?.map(\.vector)
      ?? (0..<length).map { Arithmetic.Vector(inputVector(step: $0)) }
    var isLost = self.vectors?.map(\.isLost) ?? [Bool](repeating: false, count: length)
    return cells.indices.map { layer in
      let passes = configuration.directions.map { direction in
        let cell = cells[layer][direction.rawValue]
        var start = (state: initialState(layer, direction), stepsRead: 0)
        let arithmetic = arithmetic(layer, direction)
        if direction == .reverse, variant.reverseReading == .fromPadding {
          start = afterPadding(layer, cell, start.state, arithmetic)
        }
        return run(cell, direction, over: vectors, isLost, from: start, arithmetic, parted)
      }
      vectors = (0..<length).map { step in
        Arithmetic.Vector(joining: passes.map { $0.hidden[step] })
      }
      isLost = (0..<length).map { step in passes.contains { $0.isLost[step] } }
      return passes
    }
  }

  private func run(
    _ cell: Cell, _ direction: Direction, over vectors: [Arithmetic.Vector],
    _ inputIsLost: [Bool], from start: (state: Cell.State, stepsRead: Int),
    _ arithmetic: Arithmetic, _ parted: (Cell.State) -> Bool
  ) -> Pass {
    var state = start.state
    let none = Arithmetic.Vector([Double](repeating: 0, count: configuration.outputSize))
    var pass = Pass(
      hidden: Array(repeating: none, count: vectors.count),
      isLost: Array(repeating: true, count: vectors.count))
    let isReversed = direction == .reverse
    let readsBackwards = isReversed && variant.reverseReading != .fromFirstStep
    let writesBackwards = readsBackwards && variant.flipsReverseBack
    let last = vectors.count - 1
    for position in vectors.indices {
      let step = readsBackwards ? last - position : position
      if inputIsLost[step] { return pass }
      let isSkipped =
        variant.steps == .firstSkipped && start.stepsRead + position == 0
        || variant.steps == .lastSkipped && position == last
      if !isSkipped {
        state = cell.step(vectors[step], state, arithmetic, step: start.stepsRead + position)
      }
      if parted(state) { return pass }
      let place = writesBackwards ? last - position : position
      pass.hidden[place] = state.h
      pass.isLost[place] = false
    }
    if variant.steps == .lastTwice, last >= 0 {
      let step = readsBackwards ? 0 : last
      state = cell.step(
        vectors[step], state, arithmetic, step: start.stepsRead + vectors.count)
    }
    pass.final = state
    return pass
  }

  /// The state of a reverse direction that has read the padding, which is the input's in
  /// the first layer and zeros in the others.
  private func afterPadding(
    _ layer: Int, _ cell: Cell, _ start: Cell.State, _ arithmetic: Arithmetic
  ) -> (state: Cell.State, stepsRead: Int) {
    var state = start
    let length = input.length(of: sequence)
    let end = input.packing?.lengths.max() ?? length
    for step in (length..<end).reversed() {
      let padding =
        layer == 0
        ? inputVector(step: step)
        : [Double](repeating: 0, count: configuration.inputSize(ofLayer: layer))
      let isSkipped = variant.steps == .firstSkipped && step == end - 1
      if !isSkipped {
        state = cell.step(Arithmetic.Vector(padding), state, arithmetic, step: end - 1 - step)
      }
    }
    return (state, end - length)
  }

  private func inputVector(step: Int) -> [Double] {
    let start = input.layout.row(sequence: sequence, step: step) * configuration.inputSize
    return (start..<start + configuration.inputSize).map(input.input.double(at:))
  }

  private func initialState(_ layer: Int, _ direction: Direction) -> Cell.State {
    let row = configuration.stateRow(layer: layer, direction)
    func vector(_ tensor: Tensor?, _ size: Int) -> Arithmetic.Vector {
      guard let tensor else { return Arithmetic.Vector([Double](repeating: 0, count: size)) }
      let start = (row * input.layout.batch + sequence) * size
      return Arithmetic.Vector((start..<start + size).map(tensor.double(at:)))
    }
    return Cell.State(
      h: vector(input.h0, configuration.outputSize),
      c: configuration.module.recurrence.hasCellState
        ? vector(input.c0, configuration.hiddenSize) : nil)
  }
}
