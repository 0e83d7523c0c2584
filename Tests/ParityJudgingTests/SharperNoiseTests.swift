import FixtureSupport
import ParityFixtures
import RecurrentModel
import RoundingNoise
import TensorComparison
import TensorCore
import Testing

@testable import ParityJudging

/// Before a case fails by a few elements just beyond their limits, σ is measured with more
/// replicas.
@Suite struct SharperNoiseTests {
  /// A case, supplied outputs that differ from its reference in one element, and that element's
  /// z by sixteen replicas and by 64. It is the element whose σ sixteen take for the smallest,
  /// beside what 64 say.
  private func outputs(
    off z: Double
  ) throws -> (parityCase: ParityCase, supplied: SuppliedOutputs, sharpZ: Double) {
    let parityCase = try FixtureSuite.named("lstm-stacked-bidirectional")
    let chain = try #require(parityCase.chain)
    func sigma(_ replicas: Int) throws -> [Double] {
      let noise = try CaseNoise(ChainVariant(chain), replicas: replicas)
      let exact = try #require(try chain.oracleResults()["output"])
      return noise.limits(
        SidePair(.outputs, against: .reference), "output", exact: exact, stored: .float32
      ).sigma
    }
    let (rough, sharp) = (try sigma(16), try sigma(64))
    let place = try #require(rough.indices.max { sharp[$0] / rough[$0] < sharp[$1] / rough[$1] })
    var tensors = Dictionary(
      uniqueKeysWithValues: parityCase.reference.named.map { ($0.name, $0.tensor) })
    // In doubles, so that the difference is the one that is meant.
    tensors["output"] = tensors["output"].map { output in
      var elements = output.elements(as: Double.self)
      elements[place] += z * rough[place]
      return Tensor(elements, shape: output.shape)
    }
    return (
      parityCase, SuppliedOutputs(tensors, for: parityCase.outputsRequest),
      z * rough[place] / sharp[place]
    )
  }

  @Test func anElementThatSixteenReplicasMisjudgePasses() throws {
    let (parityCase, supplied, sharpZ) = try outputs(off: 8.3)
    try #require(sharpZ < 8)
    let result = Judge().judge(parityCase, supplied)
    #expect(result.status == .passed, "\(result.remarks)")
    // It was measured so, and not excused.
    let z = result.findings.ofSubject.compactMap(\.difference.noise?.largest?.value).max() ?? 0
    #expect(abs(z - sharpZ) < 0.5 && z < 8)
  }

  @Test func anElementThatIsOffFailsAllTheSame() throws {
    for z in [15.5, 40] {
      let (parityCase, supplied, sharpZ) = try outputs(off: z)
      try #require(sharpZ > 8)
      #expect(Judge().judge(parityCase, supplied).status == .failed)
    }
  }
}
