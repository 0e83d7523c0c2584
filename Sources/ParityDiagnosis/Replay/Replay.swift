package import RecurrentModel
package import RoundingNoise
import TensorCore

/// A chain with mistakes made in it, one after the other: what somebody computes who makes
/// them.
///
/// ```swift
/// var replay = Replay(chain)
/// try mistake.apply(to: &replay, in: [0])
/// let wrong = try replay.results()
/// ```
///
/// A `Mistake` is made in one module at a time, `module`, and sees its arguments, parameters
/// and the layout of what it is given, and no number that goes through it.
package struct Replay: Sendable {
  package private(set) var variant: ChainVariant
  /// The place, in the given chain, of the module that is being changed.
  private(set) var module = 0
  /// Where the given chain's modules stand, others having been put between them.
  private var places: [Int]
  /// Whether all modules compute what they did, and results are at most moved about.
  private var isOnlyMoved = true
  /// How many of a module's moves take final states out of `output`, which come first.
  private var stateMoves: [Int: Int] = [:]

  package init(_ chain: Chain) {
    variant = ChainVariant(chain)
    places = Array(chain.modules.indices)
  }

  mutating func turn(to module: Int) { self.module = module }

  /// In float64; one forward pass.
  ///
  /// - Throws: `InvalidValue` where a module can't take what one before hands on wrongly.
  package func results() throws(InvalidValue) -> Results { try variant.exactResults() }

  /// The same where the right results are known: no forward pass is needed where a single
  /// module's are just moved about.
  func results(of exact: Results) throws(InvalidValue) -> Results {
    guard isOnlyMoved, variant.chain.isSingleModule, let outputs = exact.outputs(of: "") else {
      return try results()
    }
    let contract = variant.chain.shapes.stages[0].contract(configuration, packing)
    return Results(
      variant.modules[0].moves.reduce(outputs) { $1.apply($0, contract) })
  }
}

/// Why a mistake can't be seen in a case, whatever its numbers are.
package struct NotApplicable: Error, Equatable {
  /// What the case lacks: "two directions".
  package let need: String
  /// Whether the modules behind refuse what is handed on: whoever makes the mistake sees it
  /// before anything is computed.
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
  private var place: Int { places[module] }

  var chain: Chain { variant.chain }

  var layer: ChainModule.Layer { chain.modules[place].layer }

  /// Of the module behind it; nil of the last.
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

  /// Of the module's input.
  var layout: SequenceLayout {
    guard let layout = chain.shapes.stages[place].layout else {
      preconditionFailure("the mistake is one of recurrent modules")
    }
    return layout
  }

  var packing: Packing? { chain.input.packing }

  func length(of sequence: Int) -> Int { packing?.lengths[sequence] ?? layout.steps }

  /// nil where there are none, or where another module takes them.
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

  /// Coarser arithmetic, in all modules.
  mutating func setEmulation(_ emulation: Emulation) {
    variant.emulation = emulation
    isOnlyMoved = false
  }
}

// MARK: - What a mistake does to its module

extension Replay {
  /// - Throws: `NotApplicable` where the modules behind can't take what it hands on: then the
  ///   mistake is seen before anything is computed.
  mutating func setLayer(_ layer: ChainModule.Layer, behind offset: Int = 0) throws(NotApplicable) {
    isOnlyMoved = false
    do throws(InvalidValue) {
      try variant.replaceLayer(at: place + offset, by: layer)
    } catch {
      throw .refused
    }
  }

  /// Another module with the same input, as far as that fits.
  mutating func setConfiguration(
    _ configuration: RecurrentConfiguration
  ) throws(NotApplicable) {
    guard case .recurrent(_, let stateDict, let select) = layer else { return }
    try setLayer(.recurrent(configuration, stateDict, select: select))
  }

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

  mutating func setInput(_ tensor: Tensor? = nil, h0: Tensor?, c0: Tensor?) {
    isOnlyMoved = false
    let input = ChainInput(tensor ?? chain.input.tensor, h0: h0, c0: c0, packing: packing)
    do throws(InvalidValue) {
      try variant.setInput(input)
    } catch {
      preconditionFailure("a mistake built an input that does not fit the module: \(error)")
    }
  }

  /// Puts the module's results in other places.
  mutating func move(
    mixingSequences mixes: Bool = false,
    _ move: @escaping @Sendable (RecurrentOutput, LayoutContract) -> RecurrentOutput
  ) {
    variant.modules[place].moves.append(ResultMove(mixesSequences: mixes, move))
  }

  /// Puts the rows of both final states in another order.
  mutating func moveStates(_ order: [Int]) {
    move { outputs, _ in outputs.mappingStates { $0.takingBlocks(order) } }
  }

  /// Puts what is handed on in other places, and not the results themselves.
  mutating func moveHandedOn(
    _ move: @escaping @Sendable (RecurrentOutput, LayoutContract) -> RecurrentOutput
  ) {
    variant.modules[place].movesHandedOn.append(ResultMove(move))
    isOnlyMoved = false
  }

  /// The last layer's final state of a direction taken out of `output`, before anything else
  /// is moved.
  mutating func takeState(
    of direction: Direction, at step: @escaping @Sendable (LayoutContract, Int) -> Int
  ) {
    let count = stateMoves[place, default: 0]
    variant.modules[place].moves.insert(
      ResultMove { $0.takingState(of: direction, $1, at: step) }, at: count)
    stateMoves[place] = count + 1
  }
}
