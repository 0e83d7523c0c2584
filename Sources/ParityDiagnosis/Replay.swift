package import ParityJudging
package import RecurrentModel
import TensorComparison
import TensorCore

/// A module run otherwise than its configuration says, in doubles: with another model,
/// another way to go through the steps, or its results moved about.
///
/// A `Mistake` changes a replay of the right computation, and several can change one.
package struct Replay: Sendable {
  package private(set) var call: RecurrentCall
  /// Whether the call is still the one that was given.
  private var isOriginal = true
  package var variant = ScanVariant()
  /// What final states are taken from, before anything else is moved.
  private var statesTaken: [Move] = []
  /// What is done to the results, in order.
  private var moves: [Move] = []
  /// How `output`'s two directions become one vector, at the end; nil where they don't.
  var merge: DirectionMerge?

  /// Moves results about; alike whatever is said of them.
  typealias Move = @Sendable (RecurrentOutput, Replay, Quantity) -> RecurrentOutput

  /// What is said of each element of the results.
  enum Quantity: Sendable {
    case values
    /// The standard deviation of its rounding error, in results that are stored so.
    case sigma(stored: Arithmetic)
    /// 1 where it can be judged, else 0.
    case isJudged(stored: Arithmetic)
  }

  package init(_ call: RecurrentCall) { self.call = call }

  /// In float64; one forward pass.
  package func outputs() -> RecurrentOutput { run(.values) }

  /// The same where `exact` is what the given model computes: without a forward pass where
  /// results are just moved about.
  func outputs(of exact: RecurrentOutput) -> RecurrentOutput {
    guard isOriginal, variant == ScanVariant() else { return outputs() }
    return finished(exact, .values)
  }

  /// In float64; one forward pass of values, and seventeen of what concerns their noise.
  func run(_ quantity: Quantity) -> RecurrentOutput {
    let values = VariantPass(call, variant).outputs(for: call.input)
    return finished(described(values, quantity), quantity)
  }

  /// - Parameter results: what the module gives, before anything is moved.
  private func finished(_ results: RecurrentOutput, _ quantity: Quantity) -> RecurrentOutput {
    let moved = (statesTaken + moves).reduce(results) { $1($0, self, quantity) }
    guard let merge else { return moved }
    switch quantity {
    case .values: return merge.merged(moved)
    case .sigma: return merge.merged(sigma: moved, of: run(.values, merged: false))
    case .isJudged: return DirectionMerge.mul.merged(moved)
    }
  }

  private func run(_ quantity: Quantity, merged: Bool) -> RecurrentOutput {
    var replay = self
    if !merged { replay.merge = nil }
    return replay.run(quantity)
  }

  private func described(_ values: RecurrentOutput, _ quantity: Quantity) -> RecurrentOutput {
    func limits(_ stored: Arithmetic, _ describe: (NoiseLimits) -> [Double]) -> RecurrentOutput {
      let noise = CaseNoise(call, variant)
      func tensor(_ name: String, _ exact: Tensor) -> Tensor {
        let limits = noise.limits(.referenceAndOracle, name, exact: exact, stored: stored)
        return Tensor(describe(limits), shape: exact.shape)
      }
      return RecurrentOutput(
        output: values.output.map { tensor("output", $0) }, hN: tensor("h_n", values.hN),
        cN: values.cN.map { tensor("c_n", $0) })
    }
    return switch quantity {
    case .values: values
    case .sigma(let stored): limits(stored, \.sigma)
    case .isJudged(let stored): limits(stored) { $0.isJudged.map { $0 ? 1 : 0 } }
    }
  }

  /// What the tensors of a side that made this replay's mistakes are held to.
  func noise(storedLike outputs: RecurrentOutput) -> [NoiseLimits] {
    let stored = Arithmetic(of: outputs.hN.elementType) ?? call.arithmetic
    let (sigma, judged) = (run(.sigma(stored: stored)), run(.isJudged(stored: stored)))
    return zip(sigma.named, judged.named).map { sigma, judged in
      NoiseLimits(
        sigma: sigma.tensor.elements(),
        isJudged: judged.tensor.withElements(as: Double.self) { $0.map { $0 == 1 } })
    }
  }
}

/// Why a mistake can't be seen in a case, whatever its numbers are.
package struct NotApplicable: Error, Equatable {
  package let reason: String
  /// What a case would need to show it: "two directions".
  package let need: String

  init(_ reason: String, needs need: String) {
    self.reason = reason
    self.need = need
  }
}

extension Replay {
  var configuration: RecurrentConfiguration { call.configuration }
  var input: RecurrentInput { call.input }
  var recurrence: Recurrence { configuration.module.recurrence }

  /// - Throws: `NotApplicable` with this reason unless `holds`.
  func require(
    _ holds: Bool, _ reason: String, needs need: String
  ) throws(NotApplicable) {
    guard holds else { throw NotApplicable(reason, needs: need) }
  }

  func requireTwoDirections() throws(NotApplicable) {
    try require(configuration.bidirectional, "there is one direction", needs: "two directions")
  }

  func requireLayers(_ count: Int = 2) throws(NotApplicable) {
    try require(
      configuration.numLayers >= count,
      configuration.numLayers == 1 ? "there is one layer" : "there are two layers",
      needs: count == 2 ? "two layers" : "\(count) layers")
  }

  func requireSteps() throws(NotApplicable) {
    try require(!configuration.module.isCell, "a cell has one step", needs: "a module, not a cell")
    let longest = (0..<input.layout.batch).map(input.length(of:)).max() ?? 0
    try require(longest > 1, "no sequence has more than one step", needs: "several steps")
  }

  func requireSequences() throws(NotApplicable) {
    try require(input.layout.batch > 0, "there is no sequence", needs: "a sequence")
  }

  /// Of two mistakes that say how the reverse direction reads, one would be lost.
  mutating func setReverseReading(
    _ reading: ScanVariant.ReverseReading
  ) throws(NotApplicable) {
    try require(
      variant.reverseReading == .fromLastStep, "the reverse direction reads otherwise already",
      needs: "one of the two mistakes alone")
    variant.reverseReading = reading
  }

  mutating func setSteps(_ steps: ScanVariant.Steps) throws(NotApplicable) {
    try require(
      variant.steps == .all, "other steps are run already", needs: "one of the two mistakes alone")
    variant.steps = steps
  }

  /// A batch axis and a T axis that can be told apart.
  func requireBatchOfSteps(_ layout: SequenceLayout) throws(NotApplicable) {
    try require(
      !layout.isCell && layout.isBatched, "there is no batch axis beside a T axis",
      needs: "a batch of sequences")
    try requireSequences()
    try require(
      layout.batch > 1 || layout.steps > 1, "both axes are 1", needs: "several sequences or steps")
  }

  /// What is multiplied with h shows only where h is not 0.
  func requireHiddenStates() throws(NotApplicable) {
    let longest = (0..<input.layout.batch).map(input.length(of:)).max() ?? 0
    try require(
      longest > 1 || input.h0 != nil, "h is 0 at the only step",
      needs: "several steps, or initial states")
  }

  func requireInitialStates() throws(NotApplicable) {
    try requireSequences()
    try require(input.h0 != nil, "there is no initial state", needs: "initial states")
  }

  /// - Returns: the steps of the longest sequence.
  func requireRagged() throws(NotApplicable) -> Int {
    guard let lengths = input.packing?.lengths, let longest = lengths.max() else {
      throw NotApplicable("nothing is packed", needs: "sequences of different lengths, packed")
    }
    try require(
      lengths.contains { $0 < longest }, "all sequences are of one length",
      needs: "sequences of different lengths")
    return longest
  }

  /// Another input, which fits the configuration.
  mutating func setInput(
    _ tensor: Tensor? = nil, h0: Tensor?, c0: Tensor?, packing: Packing?
  ) {
    setCall(input: tensor ?? input.input, h0: h0, c0: c0, packing: packing, configuration)
  }

  mutating func setCall(
    input tensor: Tensor, h0: Tensor?, c0: Tensor?, packing: Packing?,
    _ configuration: RecurrentConfiguration
  ) {
    guard
      let input = try? RecurrentInput(
        input: tensor, h0: h0, c0: c0, packing: packing, for: configuration)
    else { preconditionFailure("a mistake built an input that does not fit the module") }
    setCall(RecurrentCall(configuration, call.stateDict, input, in: call.arithmetic))
  }

  mutating func setCall(_ call: RecurrentCall) {
    self.call = call
    isOriginal = false
  }

  mutating func setConfiguration(_ configuration: RecurrentConfiguration) {
    setCall(
      input: input.input, h0: input.h0, c0: input.c0, packing: input.packing, configuration)
  }

  mutating func move(_ move: @escaping @Sendable (RecurrentOutput) -> RecurrentOutput) {
    moves.append { outputs, _, _ in move(outputs) }
  }

  mutating func move(_ move: @escaping Move) { moves.append(move) }

  /// The last layer's final state of a direction taken out of `output`.
  mutating func takeState(
    of direction: Direction, at step: @escaping @Sendable (RecurrentInput, Int) -> Int
  ) {
    statesTaken.append { outputs, replay, _ in
      guard let output = outputs.output else { return outputs }
      let (layout, configuration) = (replay.input.outputLayout, replay.configuration)
      let size = configuration.outputSize
      let row = configuration.stateRow(layer: configuration.numLayers - 1, direction)
      var state: [Double] = outputs.hN.elements()
      for sequence in 0..<layout.batch {
        let from =
          layout.row(sequence: sequence, step: step(replay.input, sequence))
          * configuration.outputFeatures + direction.rawValue * size
        let to = (row * layout.batch + sequence) * size
        for unit in 0..<size { state[to + unit] = output.double(at: from + unit) }
      }
      return RecurrentOutput(
        output: output, hN: Tensor(state, shape: outputs.hN.shape), cN: outputs.cN)
    }
  }
}

extension RecurrentConfiguration {
  /// The same module with other arguments, known to be ones that it takes.
  func with(batchFirst: Bool? = nil, nonlinearity: Nonlinearity? = nil) -> RecurrentConfiguration {
    guard
      let other = try? RecurrentConfiguration(
        module: module, inputSize: inputSize, hiddenSize: hiddenSize, numLayers: numLayers,
        bias: bias, batchFirst: batchFirst ?? self.batchFirst, bidirectional: bidirectional,
        projSize: projSize, nonlinearity: nonlinearity ?? self.nonlinearity)
    else { preconditionFailure("these arguments are as good as those before") }
    return other
  }
}
