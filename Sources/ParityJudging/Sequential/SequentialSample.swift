import ParityFixtures
import RecurrentModel
import TensorCore

extension SequentialFailure {
  /// The failure of the sequences that are off most, as many as a forward pass of `work`
  /// multiplications takes, and enough to be told apart; the whole where these are all, or
  /// where the chain mixes them. O(elements + 17 forward passes over the sample).
  package func sample(work: Double) -> SequentialFailure {
    guard let batch = SequentialBatch(chain.sequential, chain.input.shape), batch.size > 0 else {
      return self
    }
    let each = chain.sequential.work(for: chain.input.shape) / Double(batch.size)
    let results = Swift.max(1, oracle.output.count / batch.size)
    let least = (Self.leastResults + results - 1) / results
    let count = Swift.max(least, Int(Swift.min(work / each, Double(batch.size))))
    guard count < batch.size else { return self }
    var off = [Double](repeating: 0, count: batch.size)
    for (name, tensor) in outputs {
      guard let exact = oracle[name] else { continue }
      off = zip(off, batch.differences(name, tensor, exact)).map(+)
    }
    let worst = off.indices.sorted { (off[$1], $0) < (off[$0], $1) }
    return part(batch, worst.prefix(count).sorted())
  }

  /// Results of fewer numbers could be reproduced by chance.
  private static let leastResults = 16

  private func part(_ batch: SequentialBatch, _ sequences: [Int]) -> SequentialFailure {
    func sliced(_ named: [(name: String, tensor: Tensor)]) -> [(name: String, tensor: Tensor)] {
      named.map { ($0.name, batch.output($0.name, $0.tensor, of: sequences)) }
    }
    let part = SequentialCase(
      location: chain.location, manifest: chain.manifest, sequential: chain.sequential,
      input: batch.input(chain.input, of: sequences), arithmetic: chain.arithmetic,
      reference: sliced(chain.reference))
    return SequentialFailure(
      part, side: side,
      outputs: Dictionary(
        uniqueKeysWithValues: sliced(outputs.map { ($0.key, $0.value) }).map {
          ($0.name, $0.tensor)
        }),
      oracle: SequentialOutput(
        intermediates: sliced(oracle.intermediates),
        output: batch.output("output", oracle.output, of: sequences)),
      noise: noise(of: chain.sequential, part.input), in: arithmetic)
  }
}
