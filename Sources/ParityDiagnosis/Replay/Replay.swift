package import RecurrentModel
package import RoundingNoise
import TensorCore

/// A chain with mistakes made in it, one after the other: what somebody would compute who made
/// them.
///
/// ```swift
/// var replay = Replay(chain)
/// try mistake.apply(to: &replay, in: [0])
/// let wrong = try replay.results()
/// ```
///
/// A mistake is made in one module at a time, `module`. It sees that module's arguments and
/// parameters, and the layout and the initial states of what the module is given, but none of the
/// numbers that are computed on the way.
///
/// A stream is replayed chunk by chunk: a mistake is made in each call, as `StreamReplay.swift` says.
///
/// It is a `ChainVariant` with what mistakes need to change it: what is computed is said there,
/// and computed by a scan.
package struct Replay: Sendable {
  /// What the replay computes.
  package private(set) var variant: ChainVariant
  /// The place of the module that is being changed, in the chain as it was given.
  private(set) var module = 0
  /// Which parameters of that module are changed.
  private(set) var scope = ParameterScope.all
  var narrowing = Narrowing()
  /// Where each module of the given chain stands now: a mistake may have put others between them.
  private var places: [Int]
  /// Whether all modules compute what they did, so that the right results need at most be moved
  /// to other places.
  private var isOnlyMoved = true
  /// For each module, how many of its moves take final states out of `output`. These come before
  /// its other moves.
  private var stateMoves: [Int: Int] = [:]
  /// The chain without the mistakes.
  let given: Chain
  /// What was done to the replay, to be done to that of each chunk of a stream.
  private(set) var changes: [Change] = []
  /// Which states each chunk of a stream but the first starts from.
  var handedOver = HandedOver.all

  typealias Change = @Sendable (inout Replay) throws(NotApplicable) -> Void

  package init(_ chain: Chain) {
    given = chain
    variant = ChainVariant(chain)
    places = Array(chain.modules.indices)
  }

  /// Changes the replay, and each of its chunks where it is one of a stream.
  ///
  /// - Throws: `NotApplicable` where the change does, in a stream in every chunk.
  mutating func make(_ change: @escaping Change) throws(NotApplicable) {
    var changed = self
    try change(&changed)
    if isStream, changed.handedOver == handedOver, let obstacle = obstacleInChunks(to: change) {
      throw obstacle
    }
    changed.changes.append(change)
    self = changed
  }

  /// Lets the next mistake be made in another module of the given chain, and there in some of its
  /// parameters alone.
  mutating func turn(to module: Int, in scope: ParameterScope = .all) {
    self.module = module
    self.scope = scope
    narrowing = Narrowing()
  }

  /// What a scope has let a mistake change, and what it has kept from it.
  struct Narrowing {
    var changes = false
    var keeps = false
  }

  /// What the replay gives, in float64.
  ///
  /// - Throws: `InvalidValue` where a mistake makes a module hand on what the next one cannot
  ///   take.
  /// - Complexity: O(one forward pass).
  package func results() throws(InvalidValue) -> Results {
    isRunInChunks ? try joined(try chunkReplays().map(\.results)) : try variant.exactResults()
  }

  /// The same, where the right results are known. Where a single module's results are only moved,
  /// no forward pass is run.
  func results(of exact: Results) throws(InvalidValue) -> Results {
    guard isOnlyMoved, !isRunInChunks, variant.chain.isSingleModule,
      let outputs = exact.outputs(of: "")
    else { return try results() }
    let contract = variant.chain.shapes.stages[0].contract(configuration, packing)
    return Results(
      variant.modules[0].moves.reduce(outputs) { $1.apply($0, contract) })
  }
}

/// Why a mistake cannot show in a case: the case lacks something that the mistake needs.
package struct NotApplicable: Error, Equatable {
  /// What the case lacks: "bidirectional=True".
  package let need: String
  /// Whether the reason is that the modules behind refuse what is handed on. Such a mistake needs
  /// no case to show it: whoever makes it sees it before anything is computed.
  let isRefused: Bool

  init(needs need: String, isRefused: Bool = false) {
    self.need = need
    self.isRefused = isRefused
  }

  fileprivate static let refused = NotApplicable(
    needs: "modules that can take what is handed on", isRefused: true)
}

// MARK: - What a mistake sees of its module

extension Replay {
  /// Where the module stands now.
  private var place: Int { places[module] }

  var chain: Chain { variant.chain }

  var layer: ChainModule.Layer { chain.modules[place].layer }

  /// How many axes what the module gives has.
  var outputRank: Int { chain.shapes.stages[place].output.shape.rank }

  /// The size of the last axis of what the module gives.
  var outputFeatures: Int { chain.shapes.stages[place].output.shape.axes.last ?? 1 }

  /// Whether the module reads the chain's input.
  var isFirst: Bool { place == 0 }

  /// The module behind it; nil for the last.
  var nextLayer: ChainModule.Layer? {
    place + 1 < chain.modules.count ? chain.modules[place + 1].layer : nil
  }

  var configuration: RecurrentConfiguration {
    guard let configuration = chain.modules[place].configuration else {
      preconditionFailure("the mistake is one of recurrent modules")
    }
    return configuration
  }

  var stateDict: StateDict {
    guard case .recurrent(_, let stateDict, _) = layer else {
      preconditionFailure("the mistake is one of recurrent modules")
    }
    return stateDict
  }

  var recurrence: Recurrence { configuration.module.recurrence }

  /// The layout of the module's input.
  var layout: SequenceLayout {
    guard let layout = chain.shapes.stages[place].layout else {
      preconditionFailure("the mistake is one of recurrent modules")
    }
    return layout
  }

  var packing: Packing? { chain.input.packing }

  func length(of sequence: Int) -> Int { packing?.lengths[sequence] ?? layout.steps }

  /// The initial states that the module takes; nil where there are none, and where another module
  /// takes them.
  var h0: Tensor? { place == chain.firstRecurrent ? chain.input.h0 : nil }
  var c0: Tensor? { place == chain.firstRecurrent ? chain.input.c0 : nil }

  /// How the module goes through its steps.
  var scan: ScanVariant {
    get { variant.modules[place].scan }
    set {
      variant.modules[place].scan = newValue
      isOnlyMoved = false
    }
  }

  /// Keeps the formulas of a step that a mistake has just changed to the layer and the direction
  /// of the scope.
  ///
  /// - Parameter before: how the module went through its steps before the mistake was made.
  /// - Throws: `NotApplicable` where formulas were changed before, in other layers or directions.
  mutating func confineFormulas(insteadOf before: ScanVariant) throws(NotApplicable) {
    guard scan.step != before.step else { return }
    let isFirst = before.step == StepVariant()
    guard isFirst || before.stepLayer == scope.layer && before.stepDirection == scope.direction
    else { throw NotApplicable(needs: "one of the two mistakes alone") }
    guard !scope.isAll else { return }
    scan.stepLayer = scope.layer
    scan.stepDirection = scope.direction
    narrowing.changes = true
    narrowing.keeps =
      narrowing.keeps || scope.layer != nil && configuration.numLayers > 1
      || scope.direction != nil && configuration.bidirectional
  }

  /// Computes all modules in coarser arithmetic.
  mutating func setEmulation(_ emulation: Emulation) {
    variant.emulation = emulation
    isOnlyMoved = false
  }
}

// MARK: - What a mistake does to its module

extension Replay {
  /// Puts another module in the place of this one, or of one behind it.
  ///
  /// - Parameter offset: how many places behind this module.
  /// - Throws: `NotApplicable` where the modules behind cannot take what it hands on.
  mutating func setLayer(_ layer: ChainModule.Layer, behind offset: Int = 0) throws(NotApplicable) {
    isOnlyMoved = false
    do throws(InvalidValue) {
      try variant.replaceLayer(at: place + offset, by: layer)
    } catch {
      throw .refused
    }
  }

  /// Gives the module other arguments, and leaves its parameters and its input.
  ///
  /// - Throws: `NotApplicable` where the modules behind cannot take what it hands on.
  mutating func setConfiguration(
    _ configuration: RecurrentConfiguration
  ) throws(NotApplicable) {
    guard case .recurrent(_, let stateDict, let select) = layer else { return }
    try setLayer(.recurrent(configuration, stateDict, select: select))
  }

  /// Puts another module behind this one.
  ///
  /// - Throws: `NotApplicable` where the modules behind cannot take what it hands on.
  mutating func insertBehind(_ layer: ChainModule.Layer) throws(NotApplicable) {
    isOnlyMoved = false
    let place = place
    do throws(InvalidValue) {
      try variant.insert(layer, after: place)
    } catch {
      throw .refused
    }
    places = places.map { $0 > place ? $0 + 1 : $0 }
  }

  /// Gives the chain other initial states, and another input where `tensor` is not nil.
  mutating func setInput(_ tensor: Tensor? = nil, h0: Tensor?, c0: Tensor?) {
    isOnlyMoved = false
    let input = ChainInput(
      tensor ?? chain.input.tensor, h0: h0, c0: c0, packing: packing, chunks: chain.input.chunks)
    do throws(InvalidValue) {
      try variant.setInput(input)
    } catch {
      preconditionFailure("a mistake built an input that does not fit the module: \(error)")
    }
  }

  /// Puts the module's results in other places. `ResultMove.apply` says what a move may do.
  mutating func move(
    mixingSequences mixes: Bool = false, takingVectorsApart: Bool = false,
    _ move: @escaping @Sendable (RecurrentOutput, LayoutContract) -> RecurrentOutput
  ) {
    variant.modules[place].moves.append(
      ResultMove(mixesSequences: mixes, takesVectorsApart: takingVectorsApart, move))
  }

  /// Puts the rows of both final states in another order: row k is what was row `order[k]`.
  mutating func moveStates(_ order: [Int]) {
    move { outputs, _ in outputs.mappingStates { $0.takingBlocks(order) } }
  }

  /// Puts what the module hands on in other places, and leaves its results.
  mutating func moveHandedOn(
    takingVectorsApart: Bool = false,
    _ move: @escaping @Sendable (RecurrentOutput, LayoutContract) -> RecurrentOutput
  ) {
    variant.modules[place].movesHandedOn.append(
      ResultMove(takesVectorsApart: takingVectorsApart, move))
    isOnlyMoved = false
  }

  /// Takes the last layer's final state of a direction out of `output`, before anything else is
  /// moved.
  ///
  /// - Parameter step: the step at which the state of a sequence is taken.
  mutating func takeState(
    of direction: Direction, at step: @escaping @Sendable (LayoutContract, Int) -> Int
  ) {
    let count = stateMoves[place, default: 0]
    variant.modules[place].moves.insert(
      ResultMove { $0.takingState(of: direction, $1, at: step) }, at: count)
    stateMoves[place] = count + 1
  }
}
