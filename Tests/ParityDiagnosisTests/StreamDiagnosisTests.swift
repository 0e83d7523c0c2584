import FixtureSupport
import ParityFixtures
import ParityJudging
import RecurrentModel
import TensorComparison
import TensorCore
import TestSupport
import Testing

@testable import ParityDiagnosis

/// Replays of streams, and what is said of their results.
@Suite struct StreamDiagnosisTests {
  private static let streams = [
    "lstm-chunks", "gru-chunks-batch-first", "lstm-chunks-two-layers", "lstm-chunks-cell-loop",
  ]

  /// What somebody computes who calls the oracle on each chunk.
  ///
  /// - Parameter states: what a chunk is handed, given what the one before ended with, which is nil
  ///   for the first.
  private func streamed(
    _ call: RecurrentCall, _ chunks: Chunks,
    _ states: (RecurrentOutput?) -> (h: Tensor?, c: Tensor?)
  ) throws -> Results {
    var parts: [RecurrentOutput] = []
    for steps in chunks.steps {
      let (h, c) = states(parts.last)
      let input = try RecurrentInput(
        input: call.input.layout.selecting(steps: steps, of: call.input.input),
        h0: h?.rounded(to: .float32), c0: c?.rounded(to: .float32), for: call.configuration)
      parts.append(Oracle(call).outputs(for: input))
    }
    let last = try #require(parts.last)
    return Results(
      last.with(output: call.input.layout.joining(steps: parts.compactMap(\.output))))
  }

  private func explanations(_ failure: Failure) -> [[String]] {
    Diagnostician(.fast).diagnose(failure)?.explanations.map(\.names) ?? []
  }

  @Test(arguments: streams)
  func aMistakeIsMadeInEachCall(name: String) throws {
    let parityCase = try FixtureSuite.named(name)
    let chain = try #require(parityCase.chain)
    let (call, chunks) = (try #require(chain.call), try #require(chain.input.chunks))
    let zeros = try streamed(call, chunks) { _ in (nil, nil) }
    let replayed = try parityCase.results(with: [.named("initial-states-ignored")])
    #expect(isNear(replayed, zeros))
    let forgotten = try streamed(call, chunks) {
      $0 == nil ? (call.input.h0, call.input.c0) : (nil, nil)
    }
    #expect(isNear(try parityCase.results(with: [.named("states-not-handed-over")]), forgotten))
    guard call.configuration.module == .lstm else { return }
    let exchanged = try streamed(call, chunks) { previous in
      previous.map { ($0.cN, $0.hN) } ?? (call.input.c0, call.input.h0)
    }
    #expect(
      isNear(try parityCase.results(with: [.named("initial-states-exchanged")]), exchanged))
    #expect(explanations(try parityCase.failure(exchanged)) == [["initial-states-exchanged"]])
    let hidden = try streamed(call, chunks) { previous in
      previous.map { ($0.hN, nil as Tensor?) }.map { ($0.0, zero(like: call.input.c0)) }
        ?? (call.input.h0, call.input.c0)
    }
    #expect(explanations(try parityCase.failure(hidden)) == [["c-not-handed-over"]])
  }

  private func zero(like tensor: Tensor?) -> Tensor? {
    tensor.map { $0.changing { for index in $0.indices { $0[index] = 0 } } }
  }

  private func isNear(_ a: Results, _ b: Results) -> Bool {
    a.names == b.names
      && zip(a.named, b.named).allSatisfy {
        $0.tensor.shape == $1.tensor.shape
          && TensorDifference(
            of: $0.tensor, from: $1.tensor, within: .bound(rtol: 1e-5, atol: 1e-6)
          ).agrees
      }
  }

  /// Whoever runs all steps of a stream at once makes a mistake once.
  @Test func whatWasComputedAtOnceIsExplainedToo() throws {
    let parityCase = try FixtureSuite.named("lstm-chunks")
    let chain = try #require(parityCase.chain)
    var replay = Replay(chain.withoutChunks)
    try Mistake.named("initial-states-ignored").apply(to: &replay, in: [0])
    let outputs = try replay.results().stored(in: .float32)
    #expect(explanations(try parityCase.failure(outputs)) == [["initial-states-ignored"]])
    #expect(!isNear(outputs, try parityCase.results(with: [.named("initial-states-ignored")])))
  }

  /// Chunks of one step are too short for much, whatever the whole is.
  @Test func whatNoChunkShowsIsNotPlanted() throws {
    let chain = try #require(FixtureSuite.named("lstm-chunks-cell-loop").chain)
    var replay = Replay(chain)
    #expect(throws: NotApplicable(needs: "two steps or more")) {
      try Mistake.named("state-never-carried").apply(to: &replay, in: [0])
    }
    #expect(!replay.isRunInChunks)
    try Mistake.named("states-not-handed-over").apply(to: &replay, in: [0])
    #expect(replay.isRunInChunks)
  }

  /// A module that is called once is no stream.
  @Test(arguments: ["lstm", "gru"])
  func nothingIsHandedOverInOneCall(name: String) throws {
    let chain = try #require(FixtureSuite.named(name).chain)
    var replay = Replay(chain)
    #expect(throws: NotApplicable(needs: "a stream of several chunks")) {
      try Mistake.named("states-not-handed-over").apply(to: &replay, in: [0])
    }
  }
}
