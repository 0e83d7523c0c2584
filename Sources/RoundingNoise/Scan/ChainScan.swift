import RecurrentModel
import TensorCore

/// What all scans of a chain share, whichever sequences they run: the cells and matrices, made
/// once.
struct PreparedChain<Operations: StepOperations>: Sendable {
  let variant: ChainVariant
  /// One for each module, in the chain's order.
  let layers: [Layer]

  enum Layer: Sendable {
    /// The cells of all layers and directions: `cells[layer][direction.rawValue]`.
    case recurrent([[ScanCell<Operations>]])
    case linear(Operations.Matrix)
    /// A module that has no weights to multiply by.
    case other
  }

  init(_ variant: ChainVariant, matrix: (ScanMatrix) -> Operations.Matrix) {
    self.variant = variant
    layers = zip(variant.chain.modules, variant.modules).map { module, way in
      switch module.layer {
      case .recurrent(let configuration, let stateDict, _):
        .recurrent(
          (0..<configuration.numLayers).map { layer in
            configuration.directions.map { direction in
              ScanCell(
                configuration, stateDict, layer: layer, direction,
                way.scan.step(layer, direction), matrix: matrix)
            }
          })
      case .linear(let weight, let bias): .linear(matrix(ScanMatrix(weight, bias: bias)))
      case .embedding, .directionMerge, .softmax, .logSoftmax: .other
      }
    }
  }
}

/// A forward pass through all modules of a chain, on some sequences of its batch, with a
/// variant's mistakes made in it.
///
/// It is the one pass that serves for mistakes and for noise alike; `operations` decides which:
/// `ExactOperations` for what is computed, `NoisyOperations` for its replicas. It is not the
/// oracle's or the engine's pass, which are run through `Chain.results(in:recurrent:)` and make
/// no mistakes.
struct ChainScan<Operations: StepOperations> {
  typealias Vector = Operations.Vector
  typealias State = ScanCell<Operations>.State

  let prepared: PreparedChain<Operations>
  /// The chain on the sequences that are scanned.
  let chain: Chain
  /// Which of the whole batch's sequences these are; nil for all of them.
  let sequences: [Int]?
  /// Whether the moves of the last module's results are left to be made afterwards, when the
  /// scans of all sequences are together.
  var leavesLastMoves = false
  /// For each sequence of the whole batch, the one whose draws it takes; nil for its own.
  var sequenceTwins: [Int]?
  /// Results of the scanned sequences that were computed elsewhere. Where they have a recurrent
  /// module's `output`, each step of its last layer is computed from the h that stands there for
  /// the step before, and the next module is given this `output`: teacher forcing. So an error
  /// lives for one step, and what amplifies errors over many steps can still be judged. nil for
  /// a scan on its own.
  var forcing: Results?
  /// How the operations of a module are carried out. `units` is the largest number of units that
  /// one of them has.
  let operations: (_ place: Place, _ units: Int) -> Operations
  /// Whether nothing can be said of this state of a recurrent module.
  let isLost: (RecurrentConfiguration, State) -> Bool

  /// What the modules give.
  struct Output {
    /// The results by their names in a fixture. Where a variant has put a module behind another
    /// under the same name, the result of the later one has taken the place of the earlier one's.
    var results: [(name: String, tensor: ScanTensor<Vector>)] = []
    /// How many steps a direction reads before its state is lost, the smallest such number; nil
    /// where no state is lost.
    var agreeingSteps: Int?

    mutating func keep(_ name: String, _ tensor: ScanTensor<Vector>) {
      if let place = results.firstIndex(where: { $0.name == name }) {
        results[place].tensor = tensor
      } else {
        results.append((name, tensor))
      }
    }
  }

  /// Where an operation stands, which decides what its error is in the replicas.
  struct Place {
    let module: Int
    var layer = 0
    var direction = Direction.forward
    /// The number that the sequence has in the whole batch. In modules that do not tell sequences
    /// apart, the row of the tensor.
    let sequence: Int
  }

  init(
    prepared: PreparedChain<Operations>, chain: Chain, sequences: [Int]?,
    operations: @escaping (Place, Int) -> Operations,
    isLost: @escaping (RecurrentConfiguration, State) -> Bool
  ) {
    self.prepared = prepared
    self.chain = chain
    self.sequences = sequences
    self.operations = operations
    self.isLost = isLost
  }

  /// Runs the scan.
  ///
  /// - Throws: `InvalidValue` where a mistake in the variant makes a module hand on what the next
  ///   one cannot take.
  func run() throws(InvalidValue) -> Output {
    var output = Output()
    var value = ScanTensor<Vector>(
      exact: chain.input.tensor, batchAxis: chain.shapes.batch?.inputAxis)
    for (index, module) in chain.modules.enumerated() {
      let stage = try module.stage(
        value.shape, chain.input, isFirst: index == 0, takesStates: index == chain.firstRecurrent)
      if case .recurrent(let cells) = prepared.layers[index],
        case .recurrent(let configuration, _, let select) = module.layer
      {
        var outputs = recurrent(
          index, configuration, cells, stage, value.joined, &output.agreeingSteps)
        let way = prepared.variant.modules[index]
        let contract = stage.contract(configuration, chain.input.packing)
        func move(_ moves: [ResultMove]) {
          guard !moves.isEmpty else { return }
          outputs = outputs.moved(ResultPlaces(moves, configuration, contract))
        }
        if !leavesLastMoves || index < chain.modules.count - 1 { move(way.moves) }
        for (name, tensor) in outputs.named { output.keep(module.qualified(name), tensor) }
        move(way.movesHandedOn)
        if let given = forcing?.outputs(of: module.name) {
          outputs.replace(with: given) { isLost(configuration, State(h: $0, c: nil)) }
        }
        value = outputs.selected(select, stage.output)
      } else {
        value = result(index, module.layer, value, stage.output)
        output.keep(module.qualified("output"), value)
      }
    }
    if !chain.isSingleModule { output.keep("output", value) }
    return output
  }

  /// Runs a recurrent module on each sequence by itself.
  private func recurrent(
    _ index: Int, _ configuration: RecurrentConfiguration, _ cells: [[ScanCell<Operations>]],
    _ stage: ChainShapes.Stage, _ value: ScanTensor<Vector>, _ agreeingSteps: inout Int?
  ) -> ModuleTensors<Vector> {
    guard let layout = stage.layout else { preconditionFailure("it is recurrent") }
    let variant = prepared.variant.modules[index].scan
    var tensors = ModuleTensors<Vector>(blank: stage, configuration)
    let outputLayout = layout.with(steps: chain.input.packing?.outputSteps ?? layout.steps)
    let units = configuration.module.recurrence.gates.count * configuration.hiddenSize
    let forced = forcing?[chain.modules[index].qualified("output")].map {
      ScanTensor<Vector>(
        exact: $0, batchAxis: nil, pieces: configuration.directions.count)
    }
    var previous: [[SequenceScan<Operations>.Pass]]?
    for sequence in 0..<layout.batch {
      let number = sequences?[sequence] ?? sequence
      let length = chain.input.packing?.lengths[sequence] ?? layout.steps
      let passes = SequenceScan<Operations>(
        configuration: configuration, cells: cells, variant: variant,
        vectors: (0..<layout.steps).map { step in
          let row = layout.row(sequence: sequence, step: step)
          return (value.vectors[row], value.isLost[row])
        },
        length: length,
        start: { [previous] layer, direction in
          if variant.states.start == .previousSequence, let previous {
            return previous[layer][direction.rawValue].final
          }
          return initialState(layer, direction, configuration, sequence, layout, of: index)
        },
        forced: forced.map { given in
          { step, direction in
            let row = outputLayout.row(sequence: sequence, step: step)
            return given.vectors[row * given.pieces + direction.rawValue]
          }
        }
      ).run(
        { layer, direction in
          operations(
            Place(
              module: index, layer: layer, direction: direction,
              sequence: sequenceTwins?[number] ?? number), units)
        }, isLost: { isLost(configuration, $0) })
      previous = passes
      for (row, pass) in passes.joined().enumerated() {
        let place = row * layout.batch + sequence
        guard let final = pass.final else {
          let steps = pass.isLost.count { !$0 }
          agreeingSteps = min(agreeingSteps ?? steps, steps)
          continue
        }
        tensors.hN.set(place, final.h, isLost: false)
        if let c = final.c { tensors.cN?.set(place, c, isLost: false) }
      }
      guard let shown = variant.shown == .firstLayer ? passes.first : passes.last else { continue }
      let isMasked =
        switch variant.padding {
        case .read(_, let isMasked, _): isMasked
        case .zerosBehind: true
        default: false
        }
      let isMovedBack = if case .inFront(_, true) = variant.padding { true } else { false }
      for (direction, pass) in shown.enumerated() {
        for position in pass.hidden.indices where !isMasked || position < length {
          let step = position - (isMovedBack ? pass.hidden.count - length : 0)
          guard step >= 0 else { continue }
          let row = outputLayout.row(sequence: sequence, step: step)
          tensors.output?.set(
            row * shown.count + direction, pass.hidden[position], isLost: pass.isLost[position])
        }
      }
    }
    return tensors
  }

  /// The state that a direction of a layer starts from: the chain's for its first recurrent
  /// module, and else zeros.
  private func initialState(
    _ layer: Int, _ direction: Direction, _ configuration: RecurrentConfiguration,
    _ sequence: Int, _ layout: SequenceLayout, of module: Int
  ) -> State {
    let row = configuration.stateRow(layer: layer, direction)
    func vector(_ tensor: Tensor?, _ size: Int) -> Vector {
      guard let tensor, module == chain.firstRecurrent else {
        return Vector([Double](repeating: 0, count: size))
      }
      let start = (row * layout.batch + sequence) * size
      return Vector((start..<start + size).map(tensor.double(at:)))
    }
    return State(
      h: vector(chain.input.h0, configuration.outputSize),
      c: configuration.module.recurrence.hasCellState
        ? vector(chain.input.c0, configuration.hiddenSize) : nil)
  }

  // MARK: - Modules that are not recurrent

  private func result(
    _ index: Int, _ layer: ChainModule.Layer, _ value: ScanTensor<Vector>, _ shape: ChainShape
  ) -> ScanTensor<Vector> {
    switch layer {
    case .embedding(let weight, _):
      let (table, size) = (weight.elements(as: Double.self), weight.shape.axes[1])
      let rows = (chain.input.tensor.integers ?? []).map {
        Vector(Array(table[Int($0) * size..<(Int($0) + 1) * size]))
      }
      return ScanTensor(shape, rows, isLost: Array(repeating: false, count: rows.count))
    case .linear(let weight, _):
      guard case .linear(let matrix) = prepared.layers[index] else { return value }
      let given = value.joined
      let numbers = rowNumbers(of: given.shape)
      let rows = given.vectors.enumerated().map { row, vector in
        operations(Place(module: index, sequence: numbers[row]), weight.shape.axes[0])
          .product(matrix, vector, .inputProduct)
      }
      return ScanTensor(shape, rows, isLost: given.isLost)
    case .directionMerge(let mode):
      return merged(index, value, mode, shape)
    case .softmax(let axis):
      return softmax(index, value.joined, axis, shape, isLogarithm: false)
    case .logSoftmax(let axis):
      return softmax(index, value.joined, axis, shape, isLogarithm: true)
    case .recurrent:
      preconditionFailure("recurrent modules have scans of their own")
    }
  }

  private func merged(
    _ index: Int, _ value: ScanTensor<Vector>, _ mode: ChainModule.MergeMode, _ shape: ChainShape
  ) -> ScanTensor<Vector> {
    let count = value.vectors.count / 2
    let numbers = rowNumbers(of: shape)
    var result = ScanTensor<Vector>(shape, [], isLost: [])
    for row in 0..<count {
      // The directions of an output stand side by side, those of a state one behind the other.
      let places = value.shape.isState ? (row, count + row) : (2 * row, 2 * row + 1)
      let (forward, reverse) = (value.vectors[places.0], value.vectors[places.1])
      result.vectors.append(
        operations(Place(module: index, sequence: numbers[row]), forward.count)
          .merged(forward, reverse, mode))
      result.isLost.append(value.isLost[places.0] || value.isLost[places.1])
    }
    return result
  }

  private func softmax(
    _ index: Int, _ value: ScanTensor<Vector>, _ axis: Int, _ shape: ChainShape,
    isLogarithm: Bool
  ) -> ScanTensor<Vector> {
    var isLost = value.isLost
    let size = shape.shape.axes.last ?? 1
    var numbers = value.vectors.flatMap { vector in (0..<vector.count).map { vector[$0] } }
    let rows = rowNumbers(of: shape)
    for line in shape.shape.lines(along: axis) {
      let number = rows[line[0] / size] * size + line[0] % size
      let own = operations(Place(module: index, sequence: number), line.count)
      let results = own.softmax(line.map { numbers[$0] }, isLogarithm: isLogarithm)
      let isAnyLost = line.contains { value.isLost[$0 / size] }
      for (place, number) in zip(line, results) {
        numbers[place] = number
        if isAnyLost { isLost[place / size] = true }
      }
    }
    return ScanTensor(
      shape, value.vectors.indices.map { row in Vector(count: size) { numbers[row * size + $0] } },
      isLost: isLost)
  }

  /// For each row of a tensor that holds the scanned sequences, the number of that row in the
  /// tensor of the whole batch.
  func rowNumbers(of shape: ChainShape) -> [Int] {
    let axes = shape.shape.axes
    // Beside an axis of 0, others can be of any size.
    guard shape.shape.elementCount > 0 else { return [] }
    guard let sequences, let axis = shape.batchAxis, let batch = prepared.variant.chain.shapes.batch
    else { return Array(0..<axes.dropLast().reduce(1, *)) }
    let inner = axes[(axis + 1)...].dropLast().reduce(1, *)
    return (0..<axes[..<axis].reduce(1, *)).flatMap { block in
      sequences.flatMap { sequence in
        (0..<inner).map { (block * batch.size + sequence) * inner + $0 }
      }
    }
  }
}

extension ScanTensor {
  mutating func set(_ place: Int, _ vector: Vector, isLost: Bool) {
    vectors[place] = vector
    self.isLost[place] = isLost
  }
}

extension ModuleTensors {
  /// The results before anything is computed: zeros in an `output`, which are right where it is
  /// padding, and states that count as lost until their sequence reaches them.
  init(blank stage: ChainShapes.Stage, _ configuration: RecurrentConfiguration) {
    func tensor(_ name: String, pieces: Int = 1, size: Int, isLost: Bool) -> ScanTensor<Vector>? {
      guard var shape = stage.results.first(where: { $0.name == name })?.shape else { return nil }
      if name == "output" { shape.directions = pieces }
      let zeros = Vector([Double](repeating: 0, count: size))
      return ScanTensor(shape, pieces: pieces, filledWith: zeros, isLost: isLost)
    }
    output = tensor(
      "output", pieces: configuration.directions.count, size: configuration.outputSize,
      isLost: false)
    cN = tensor("c_n", size: configuration.hiddenSize, isLost: true)
    guard let hN = tensor("h_n", size: configuration.outputSize, isLost: true) else {
      preconditionFailure("every recurrent module has an h_n")
    }
    self.hN = hN
  }
}
