import RecurrentModel
import RoundingNoise
import TensorCore

/// Something that a module, its input, or the modules around it must have for a mistake to show
/// there.
///
/// ```swift
/// let twoDirections = Requirement("bidirectional=True") { $0.configuration.bidirectional }
/// ```
///
/// It looks at arguments, parameters, shapes and lengths, not at what is computed. Where it is
/// met, the mistake may still change no result: in a case whose weights are all the same, say.
struct Requirement: Sendable {
  /// What is needed, as it stands behind "needs": "bidirectional=True".
  let need: String
  /// Whether only a chain of several modules can have it.
  let isOfChains: Bool
  /// Whether the module that the replay is turned to has it.
  let isMet: @Sendable (Replay) -> Bool

  init(
    _ need: String, isOfChains: Bool = false, isMet: @escaping @Sendable (Replay) -> Bool
  ) {
    self.need = need
    self.isOfChains = isOfChains
    self.isMet = isMet
  }
}

// MARK: - Of a recurrent module

extension Requirement {
  static let lstm = Requirement("an LSTM") { $0.recurrence == .lstm }
  static let gru = Requirement("a GRU") { $0.recurrence == .gru }
  static let rnn = Requirement("an RNN") { $0.recurrence == .rnn }
  static let lstmOrGRU = Requirement("an LSTM or a GRU") { $0.recurrence != .rnn }
  static let tanh = Requirement("a tanh") {
    $0.recurrence != .rnn || $0.configuration.nonlinearity == .tanh
  }
  static let twoDirections = Requirement("bidirectional=True") { $0.configuration.bidirectional }
  static let severalLayers = Requirement("num_layers of 2 or more") {
    $0.configuration.numLayers > 1
  }
  static let biases = Requirement("bias=True") { $0.configuration.bias }
  static let noProjection = Requirement("proj_size 0") { $0.configuration.projSize == 0 }
  static let severalUnits = Requirement("hidden_size above 1") { $0.configuration.hiddenSize > 1 }
  static let severalFeatures = Requirement("input_size above 1") {
    $0.configuration.inputSize > 1
  }
  static let float32 = Requirement("float32") { $0.chain.arithmetic == .float32 }
}

// MARK: - Of what it is given

extension Requirement {
  static let sequences = Requirement("a sequence") { $0.layout.batch > 0 }
  static let severalSteps = Requirement("two steps or more") { $0.longest > 1 }
  static let noPacking = Requirement("no packing") { $0.packing == nil }
  /// A stream has some in every chunk but the first, in any case.
  static let initialStates = Requirement("initial states") { $0.h0 != nil || $0.isStream }
  static let givenInitialStates = Requirement("initial states") { $0.h0 != nil }
  static let chunks = Requirement("a stream of several chunks") { $0.isStream }
  /// Needed where what is multiplied with h is wrong, which shows only where h is not 0.
  static let hiddenStates = Requirement("two steps or more, or initial states") {
    $0.longest > 1 || $0.h0 != nil
  }
  static let firstInChain = Requirement("a module that reads the input") {
    $0.isFirst
  }
  static let stepsInOutput = Requirement("a module that goes through steps, not a cell") {
    !$0.layout.isCell && $0.layout.steps > 0
  }
  static let batchAxis = Requirement("a batch of sequences") {
    !$0.layout.isCell && $0.layout.isBatched
  }
  static let severalVectors = Requirement("two sequences or steps") {
    $0.layout.batch > 1 || ($0.packing?.outputSteps ?? $0.layout.steps) > 1
  }
  static let packed = Requirement("packed sequences") { $0.packing != nil }
  static let ragged = Requirement("sequences of different lengths, packed") {
    $0.packing != nil && Set($0.packing?.lengths ?? []).count > 1
  }
  static let unsorted = Requirement("packed lengths that do not fall") {
    $0.sequencesByLength != Array($0.packing?.lengths.indices ?? 0..<0)
  }
}

// MARK: - Of the modules around it

extension Requirement {
  static let handingOnStates = Requirement(
    "a module that hands on its h_n", isOfChains: true
  ) { $0.handsOnStates }
  static let mergedByConcat = Requirement("a DirectionMerge by concat", isOfChains: true) {
    if case .directionMerge(.concat)? = $0.nextLayer { true } else { false }
  }

  /// Directions that are joined in another way than by this mode: by a `DirectionMerge` of
  /// another mode, or, unless the mode is concat, side by side, as PyTorch's `output` has them.
  static func notMerged(by mode: ChainModule.MergeMode) -> Requirement {
    let isConcat = mode == .concat
    return Requirement(
      isConcat ? "a DirectionMerge of another mode" : "directions that are joined otherwise",
      isOfChains: isConcat
    ) { replay in
      if case .directionMerge(let own)? = replay.nextLayer { return own != mode }
      return !isConcat && !replay.configuration.module.isCell && !replay.handsOnStates
    }
  }
}

// MARK: - Of two mistakes that change the same thing, one would be lost

extension Requirement {
  private static let aloneNeed = "one of the two mistakes alone"

  /// The reverse direction still reads as PyTorch's does.
  static let unchangedReverseReading = Requirement(aloneNeed) {
    $0.scan.reverseReading == .fromLastStep
  }
  /// The forward direction still reads as PyTorch's does.
  static let unchangedForwardReading = Requirement(aloneNeed) {
    $0.scan.forwardReading == .fromFirstStep
  }
  /// The states are still carried, and start from their own.
  static let unchangedStates = Requirement(aloneNeed) { $0.scan.states == StateVariant() }
  /// Chunks still start from what the one before ended with.
  static let unchangedHandingOver = Requirement(aloneNeed) { $0.handedOver == .all }
  /// `output` still holds the last layer's h.
  static let unchangedShown = Requirement(aloneNeed) { $0.scan.shown == .hidden }
  /// `output` still holds the state after each step.
  static let unchangedTiming = Requirement(aloneNeed) { $0.scan.timing == .own }
  /// All steps are still run.
  static let unchangedSteps = Requirement(aloneNeed) { $0.scan.steps == .all }
  /// The padding is still skipped, by both directions.
  static let unchangedPadding = Requirement(aloneNeed) {
    $0.scan.padding == .skipped && $0.scan.reverseReading == .fromLastStep
  }
}

extension Replay {
  /// - Throws: `NotApplicable` where the requirement is not met.
  func require(_ requirement: Requirement) throws(NotApplicable) {
    if !requirement.isMet(self) { throw NotApplicable(needs: requirement.need) }
  }

  /// The number of steps of the longest sequence.
  var longest: Int { (0..<layout.batch).map(length(of:)).max() ?? 0 }

  /// The packed sequences in the order of falling lengths; those of one length in their own
  /// order.
  var sequencesByLength: [Int] {
    let lengths = packing?.lengths ?? []
    return lengths.indices.sorted { (lengths[$1], $0) < (lengths[$0], $1) }
  }

  /// Whether the module hands on its h_n, and not its output.
  var handsOnStates: Bool {
    if case .recurrent(_, _, .hN) = layer { true } else { false }
  }
}
