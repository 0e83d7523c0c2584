import RecurrentModel
import RoundingNoise

/// What a module must have for a mistake to be seen. All throw `NotApplicable`, with the reason
/// and with what a case would need, where it lacks that.
extension Replay {
  func require(
    _ holds: Bool, _ reason: String, needs need: String
  ) throws(NotApplicable) {
    guard holds else { throw NotApplicable(reason, needs: need) }
  }

  func requireTwoDirections() throws(NotApplicable) {
    try require(configuration.bidirectional, "there is one direction", needs: "two directions")
  }

  func requireLayers() throws(NotApplicable) {
    try require(configuration.numLayers > 1, "there is one layer", needs: "two layers")
  }

  private var longest: Int { (0..<layout.batch).map(length(of:)).max() ?? 0 }

  func requireSteps() throws(NotApplicable) {
    try require(!configuration.module.isCell, "a cell has one step", needs: "a module, not a cell")
    try require(longest > 1, "no sequence has more than one step", needs: "several steps")
  }

  func requireSequences() throws(NotApplicable) {
    try require(layout.batch > 0, "there is no sequence", needs: "a sequence")
  }

  func requireBias() throws(NotApplicable) {
    try require(configuration.bias, "there are no biases", needs: "biases")
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
    try require(
      longest > 1 || h0 != nil, "h is 0 at the only step",
      needs: "several steps, or initial states")
  }

  func requireInitialStates() throws(NotApplicable) {
    try requireSequences()
    try require(h0 != nil, "there is no initial state", needs: "initial states")
  }

  /// - Returns: the steps of the longest sequence.
  func requireRagged() throws(NotApplicable) -> Int {
    guard let lengths = packing?.lengths, let longest = lengths.max() else {
      throw NotApplicable("nothing is packed", needs: "sequences of different lengths, packed")
    }
    try require(
      lengths.contains { $0 < longest }, "all sequences are of one length",
      needs: "sequences of different lengths")
    return longest
  }

  // MARK: - Of two mistakes that change the same thing, one would be lost

  mutating func setReverseReading(
    _ reading: ScanVariant.ReverseReading
  ) throws(NotApplicable) {
    try require(
      scan.reverseReading == .fromLastStep, "the reverse direction reads otherwise already",
      needs: "one of the two mistakes alone")
    scan.reverseReading = reading
  }

  mutating func setSteps(_ steps: ScanVariant.Steps) throws(NotApplicable) {
    try require(
      scan.steps == .all, "other steps are run already", needs: "one of the two mistakes alone")
    scan.steps = steps
  }

  mutating func setPadding(_ padding: ScanVariant.Padding) throws(NotApplicable) {
    try require(
      scan.padding == .skipped && scan.reverseReading == .fromLastStep,
      "the padding is read already", needs: "one of the two mistakes alone")
    scan.padding = padding
  }
}
