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
  /// The state that a direction of a layer starts from; nil where it is lost.
  let start: (_ layer: Int, Direction) -> Cell.State?
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

    /// The pass on an axis of more steps, with zeros where nothing was read.
    func placed(at start: Int, of count: Int, _ none: Vector) -> Pass {
      guard hidden.count < count else { return self }
      var placed = self
      placed.hidden = Array(repeating: none, count: count)
      placed.hidden.replaceSubrange(start..<start + hidden.count, with: hidden)
      placed.isLost = Array(repeating: false, count: count)
      placed.isLost.replaceSubrange(start..<start + isLost.count, with: isLost)
      return placed
    }
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
    var vectors = stepsRead
    if variant.forwardReading == .fromLastStepNotFlippedBack { vectors.reverse() }
    let count = vectors.count
    let none = Vector([Double](repeating: 0, count: configuration.outputSize))
    var all: [[Pass]] = []
    for layer in cells.indices {
      let forced = layer == cells.count - 1 ? forced : nil
      var passes: [Pass] = []
      for direction in configuration.directions {
        let cell = cells[layer][direction.rawValue]
        let operations = operations(layer, direction)
        guard
          let state = startingState(layer, direction, below: all.last, beside: passes.first)
        else {
          passes.append(lostPass(count))
          continue
        }
        var start = (state: state, stepsRead: 0)
        if direction == .reverse, case .fromPadding(let end) = variant.reverseReading {
          start = afterPadding(layer, cell, start.state, until: end, operations)
        }
        let part = stepsRead(by: direction, of: count)
        let own =
          part.upperBound > count
          ? vectors + padding(of: layer, from: count, to: part.upperBound) : vectors
        let pass = run(
          cell, layer, direction, over: Array(own[part]), from: start, forced, operations, isLost)
        passes.append(
          part.upperBound > count ? pass : pass.placed(at: part.lowerBound, of: count, none))
      }
      vectors = (0..<count).map { step in
        (
          Vector(joining: passes.map { $0.hidden[step] }),
          passes.contains { $0.isLost[step] }
        )
      }
      all.append(passes)
    }
    if variant.timing != .own, let last = all.indices.last {
      all[last] = all[last].enumerated().map { row, pass in
        retimed(pass, Direction.allCases[row], from: start(last, Direction.allCases[row]))
      }
    }
    return all
  }

  /// A pass of the last layer with its h at other steps.
  private func retimed(_ pass: Pass, _ direction: Direction, from start: Cell.State?) -> Pass {
    var moved = lostPass(pass.hidden.count)
    moved.final = pass.final
    let none = lostPass(1).hidden[0]
    for step in pass.hidden.indices {
      let source: Int
      let other: Vector?
      switch variant.timing {
      case .own: (source, other) = (step, none)
      case .later(let count): (source, other) = (step - count, none)
      case .nextRead:
        source = readingOrder(direction).readsBackwards ? step + 1 : step - 1
        other = start?.h
      }
      let isThere = pass.hidden.indices.contains(source)
      moved.hidden[step] = isThere ? pass.hidden[source] : other ?? none
      moved.isLost[step] = isThere ? pass.isLost[source] : other == nil
    }
    return moved
  }

  /// The steps that are read, in the sequence's order.
  private var stepsRead: [(vector: Vector, isLost: Bool)] {
    switch variant.padding {
    case .skipped: Array(vectors.prefix(length))
    case .read(let end, _, _): Array(vectors.prefix(end))
    case .inFront(let end, _): zeros(max(0, end - length), ofLayer: 0) + vectors.prefix(length)
    case .lengthOff(let difference, let end):
      Array(vectors.prefix(min(max(1, length + difference), end)))
    case .zerosBehind(let count): vectors.prefix(length) + zeros(count, ofLayer: 0)
    }
  }

  /// Which of the steps a direction reads, where it does not read all of them. Where they reach
  /// beyond `count`, their results stand in the first places all the same.
  private func stepsRead(by direction: Direction, of count: Int) -> Range<Int> {
    switch direction {
    case .forward:
      if case .read(_, _, .stops) = variant.padding { return 0..<min(length, count) }
    case .reverse:
      if case .paddingForSequence(let end) = variant.reverseReading {
        return max(0, end - length)..<max(end, length)
      }
      if case .read(_, _, .goesOnAlone) = variant.padding { return 0..<min(length, count) }
    }
    return 0..<count
  }

  private func zeros(_ count: Int, ofLayer layer: Int) -> [(vector: Vector, isLost: Bool)] {
    let zeros = Vector([Double](repeating: 0, count: configuration.inputSize(ofLayer: layer)))
    return Array(repeating: (zeros, false), count: count)
  }

  /// The padding that a layer reads: the input's in the first layer, and zeros in the others.
  private func padding(
    of layer: Int, from start: Int, to end: Int
  ) -> [(vector: Vector, isLost: Bool)] {
    let count = max(0, end - start)
    return layer == 0
      ? Array(vectors.dropFirst(start).prefix(count)) : zeros(count, ofLayer: layer)
  }

  /// The state that a direction of a layer starts from; nil where it is lost.
  private func startingState(
    _ layer: Int, _ direction: Direction, below: [Pass]?, beside: Pass?
  ) -> Cell.State? {
    switch variant.states.start {
    case .layerBelow: if let below { return below[direction.rawValue].final }
    case .forwardDirection: if direction == .reverse, let beside { return beside.final }
    case .own, .previousSequence: break
    }
    return start(layer, direction)
  }

  /// What a direction gives whose state is lost from its first step on.
  private func lostPass(_ count: Int) -> Pass {
    let none = Vector([Double](repeating: 0, count: configuration.outputSize))
    return Pass(
      hidden: Array(repeating: none, count: count), isLost: Array(repeating: true, count: count))
  }

  /// Runs one direction of one layer. It ends where its state, or a vector that it reads, is
  /// lost.
  private func run(
    _ cell: Cell, _ layer: Int, _ direction: Direction,
    over vectors: [(vector: Vector, isLost: Bool)],
    from start: (state: Cell.State, stepsRead: Int),
    _ forced: ((_ step: Int, Direction) -> Vector)?, _ operations: Operations,
    _ isLost: (Cell.State) -> Bool
  ) -> Pass {
    var state = start.state
    var pass = lostPass(vectors.count)
    let order = readingOrder(direction)
    let last = vectors.count - 1
    let finalStep = finalStep(of: vectors.count, direction, order.readsBackwards)
    for position in vectors.indices {
      let step = order.readsBackwards ? last - position : position
      if vectors[step].isLost { return pass }
      let isSkipped =
        variant.steps == .firstSkipped && start.stepsRead + position == 0
        || variant.steps == .lastSkipped && position == last
      if !isSkipped {
        let source = variant.states.source(
          position: position, step: step, backwards: order.readsBackwards)
        state = cell.step(
          vectors[step].vector, carried(state, source, start.state), operations,
          step: start.stepsRead + position)
      }
      if isLost(state) { return pass }
      let place = order.writesBackwards ? last - position : position
      pass.hidden[place] = showsCell(of: layer) ? state.c ?? state.h : state.h
      pass.isLost[place] = false
      if step == finalStep { pass.final = state }
      if let forced, position < last { state.h = forced(place, direction) }
    }
    if vectors.isEmpty { pass.final = state }
    if variant.steps == .lastTwice, last >= 0 {
      let step = order.readsBackwards ? 0 : last
      pass.final = cell.step(
        vectors[step].vector, state, operations, step: start.stepsRead + vectors.count)
    }
    return pass
  }

  private func readingOrder(
    _ direction: Direction
  ) -> (readsBackwards: Bool, writesBackwards: Bool) {
    guard direction == .reverse else {
      return (
        variant.forwardReading == .fromLastStep, variant.forwardReading == .fromLastStep
      )
    }
    let readsBackwards = variant.reverseReading != .fromFirstStep
    return (readsBackwards, readsBackwards && variant.flipsReverseBack)
  }

  /// The step behind which a direction's final state is taken.
  private func finalStep(of count: Int, _ direction: Direction, _ readsBackwards: Bool) -> Int {
    if direction == .forward, case .read(_, _, let forward) = variant.padding,
      forward == .endsStates || forward == .goesOnAlone
    {
      return length - 1
    }
    return variant.states.finalStep(of: count, backwards: readsBackwards)
  }

  /// Whether a layer gives c in the place of h.
  private func showsCell(of layer: Int) -> Bool {
    variant.shown == .cellOfEveryLayer
      || variant.shown == .cell && layer == configuration.numLayers - 1
  }

  /// The state before a step.
  private func carried(
    _ state: Cell.State, _ source: StateVariant.Source, _ start: Cell.State
  ) -> Cell.State {
    func replaced(_ own: Vector, _ initial: Vector) -> Vector {
      source == .initial ? initial : Vector([Double](repeating: 0, count: own.count))
    }
    guard source != .carried else { return state }
    var changed = state
    if variant.states.resetsHidden { changed.h = replaced(state.h, start.h) }
    if variant.states.resetsCell, let c = state.c, let initial = start.c {
      changed.c = replaced(c, initial)
    }
    return changed
  }

  /// The state of a reverse direction that has read the padding, and how many steps that were.
  private func afterPadding(
    _ layer: Int, _ cell: Cell, _ start: Cell.State, until end: Int, _ operations: Operations
  ) -> (state: Cell.State, stepsRead: Int) {
    var state = start
    for (position, padding) in padding(of: layer, from: length, to: end).reversed().enumerated()
    where variant.steps != .firstSkipped || position > 0 {
      state = cell.step(padding.vector, state, operations, step: position)
    }
    return (state, end - length)
  }
}
