import TensorCore
import Testing

@testable import RoundingNoise

@Suite struct ReplicaSpreadTests {
  private func spread(_ replicas: [Replicas]) -> ReplicaSpread {
    var spread = ReplicaSpread()
    spread.add(NoisyVector(replicas.map { _ in 0 }, replicas: replicas))
    return spread
  }

  @Test func countsElementsThatErrAlikeAsOne() {
    let draws = NoiseDraws(layer: 0, direction: 0, sequence: 0, group: 0, units: 2000)
    let independent = (0..<2000).map { draws.draw(.gate, unit: $0, step: 0) }
    #expect(spread(independent).independentCount > 500)
    let alike = Array(repeating: draws.draw(.gate, unit: 0, step: 0), count: 2000)
    #expect(spread(alike).independentCount < 8)
    // Of another size each, and still one and the same error.
    let scaled = (1...2000).map { alike[0] * Double($0) * 1e-200 }
    #expect(spread(scaled).independentCount < 8)
    #expect(spread([]).independentCount == 1)
  }

  @Test func smallNumbersHaveARootMeanSquareToo() {
    #expect(Replicas(repeating: 3).rootMeanSquare == 3)
    #expect(Replicas(repeating: -1e-200).rootMeanSquare == 1e-200)
    #expect(Replicas.zero.rootMeanSquare == 0)
    #expect(Replicas(repeating: .infinity).rootMeanSquare == .infinity)
  }
}

@Suite struct NoisyVectorTests {
  /// A part without errors of its own keeps its place beside one with.
  @Test func joinsPartsWithAndWithoutReplicas() {
    let exact = NoisyVector([1, 2])
    let noisy = NoisyVector([3], replicas: [Replicas(repeating: 4)])
    let joined = NoisyVector(joining: [exact, noisy])
    #expect(joined.values == [1, 2, 3])
    #expect(joined.replicas == [1, 2, 4].map { Replicas(repeating: $0) })
    #expect(NoisyVector(joining: [exact, exact]).replicas == nil)
  }
}
