import FixtureSupport
import ParityFixtures
import ParityTesting
import RecurrentModel
import Synchronization
import TensorCore
import TestSupport
import Testing

/// Implementations that are called on one chunk of a stream after the other.
@Suite struct StreamTests {
  private static let streams = [
    "lstm-chunks", "gru-chunks-batch-first", "lstm-chunks-two-layers", "lstm-chunks-cell-loop",
  ]

  private func fixture(_ name: String) throws -> Fixture {
    try #require(try Fixture.all(in: Repository.fixtures) { $0.name == name }.first)
  }

  /// What the specification gives for the chunk that an implementation is given.
  private func outputs(_ fixture: Fixture, ignoringStates: Bool = false) throws
    -> [String: FixtureTensor]
  {
    func tensor(_ own: FixtureTensor) -> Tensor {
      Tensor(own.floats, shape: Shape(own.shape))
    }
    let call = try #require(try FixtureSuite.named(fixture.name).call)
    let input = try RecurrentInput(
      input: tensor(#require(fixture.input)), h0: ignoringStates ? nil : fixture.h0.map(tensor),
      c0: ignoringStates ? nil : fixture.c0.map(tensor), for: call.configuration)
    let outputs = Oracle(call).outputs(for: input)
    return try Dictionary(
      uniqueKeysWithValues: outputs.named.map { name, tensor in
        let elements: [Float] = tensor.elements()
        return (name, try FixtureTensor(elements, shape: tensor.shape.axes))
      })
  }

  @Test(arguments: streams)
  func eachChunkStartsFromTheImplementationsOwnStates(name: String) throws {
    let fixture = try fixture(name)
    let chunks = try #require(fixture.chunks)
    var sizes: [Int] = []
    var states: [[Float]?] = []
    var given: [[Float]?] = [fixture.h0?.floats]
    let axis = fixture.module?.batchFirst == true ? 1 : 0
    try fixture.verify { fixture in
      #expect(fixture.chunks == nil)
      sizes.append(try #require(fixture.input).shape[axis])
      states.append(fixture.h0?.floats)
      let outputs = try self.outputs(fixture)
      given.append(outputs["h_n"]?.floats)
      return outputs
    }
    #expect(sizes == chunks)
    #expect(states == given.dropLast())
  }

  @Test(arguments: streams)
  func oneThatIgnoresItsStatesIsNamed(name: String) throws {
    let failure = #expect(throws: ParityFailure.self) {
      try self.fixture(name).verify { try outputs($0, ignoringStates: true) }
    }
    let report = try #require(failure?.description)
    #expect(report.contains("[initial-states-ignored]"), "\(report)")
    #expect(report.contains("chunk"), "\(report)")
  }

  /// One that is not handed its own states, but starts each chunk from zeros.
  @Test func aReportSaysInWhichChunkItStarts() throws {
    let calls = Mutex(0)
    let failure = #expect(throws: ParityFailure.self) {
      try self.fixture("lstm-chunks").verify { fixture in
        let call = calls.withLock { count in
          count += 1
          return count
        }
        return try outputs(fixture, ignoringStates: call > 1)
      }
    }
    let report = try #require(failure?.description)
    #expect(report.contains("[states-not-handed-over]"), "\(report)")
    #expect(
      report.contains("it starts at step 4, the first step of chunk 2 of 3"), "\(report)")
  }

  @Test func anAsynchronousOneToo() async throws {
    let verdict = try await fixture("lstm-chunks-two-layers").verify { fixture async throws in
      await Task.yield()
      return try outputs(fixture)
    }
    #expect(verdict.status == .passed)
  }

  @Test func whatTheNextChunkNeedsIsNamed() throws {
    let missing = #expect(throws: ParityFailure.self) {
      try self.fixture("lstm-chunks").verify { fixture in
        var outputs = try self.outputs(fixture)
        outputs["c_n"] = nil
        return outputs
      }
    }
    #expect(
      missing?.description
        == "lstm-chunks: chunk 1 of 3: c_n: expected a tensor, from which the next chunk starts, "
        + "found none")
    let reshaped = #expect(throws: ParityFailure.self) {
      try self.fixture("lstm-chunks").verify { fixture in
        var outputs = try self.outputs(fixture)
        outputs["h_n"] = try FixtureTensor([Float](repeating: 0, count: 18), shape: [3, 6])
        return outputs
      }
    }
    #expect(
      reshaped?.description
        == "lstm-chunks: chunk 1 of 3: h_n: expected the shape (1, 3, 6), found (3, 6)")
  }
}
