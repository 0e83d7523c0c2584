import ParityJudging
import RecurrentModel
import TensorCore

/// Which sequences of a batch are off, and how much.
struct FailingSequences {
  private let evidence: Evidence

  init(_ evidence: Evidence) { self.evidence = evidence }

  /// The sequences that are off most, the longest of a packed batch beside them, as many
  /// as a forward pass of `work` multiplications takes.
  func sample(work: Double) -> Evidence {
    let input = evidence.call.input
    let batch = input.layout.batch
    let least = input.packing == nil ? 1 : 2
    let count = max(least, Int(min(work / (evidence.work / Double(batch)), Double(batch))))
    guard count < batch else { return evidence }
    let off = SequenceDifferences.totals(
      evidence.outputs, from: evidence.exact, input.outputLayout)
    let order = off.indices.sorted { (off[$1], $0) < (off[$0], $1) }
    var chosen = Set(order.prefix(count + 1 - least))
    if input.packing != nil,
      let longest = (0..<batch).max(by: { input.length(of: $0) < input.length(of: $1) })
    {
      chosen.insert(longest)
    }
    for sequence in order where chosen.count < count { chosen.insert(sequence) }
    let sequences = chosen.sorted()
    func part(_ outputs: RecurrentOutput) -> RecurrentOutput {
      outputs.selecting(sequences: sequences, input.outputLayout)
    }
    return Evidence(
      call: evidence.call.selecting(sequences: sequences), outputs: part(evidence.outputs),
      exact: part(evidence.exact), sequences: sequences)
  }
}
