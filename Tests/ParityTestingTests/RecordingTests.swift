import ParityTesting
import TestSupport
import Testing

/// A recording as another package uses it.
@Suite struct RecordingTests {
  private let path = Repository.samples + "/recording.safetensors"

  @Test func aPortIsStoppedAtTheFirstWrongStage() throws {
    let recording = try Recording(path)
    #expect(recording.names == ["conv", "lstm/output", "lstm/h_n", "lstm/c_n", "head"])
    #expect(try recording.input().shape == [2, 3, 7])
    var reached = false
    let failure = try #require(throws: ParityFailure.self) {
      try recording.trace { check in
        try check("conv", try FixtureTensor([Float](repeating: 0.5, count: 84), shape: [2, 6, 7]))
        reached = true
      }
    }
    #expect(!reached)
    #expect(failure.status == .failed)
    #expect(failure.description.contains("starts here"))
    #expect(failure.description.contains("conv: all 0.5"))
    #expect(
      failure.description.hasSuffix("the first stage that is wrong by itself is conv (Conv1d)"))
  }

  @Test func whatIsRightGoesOn() async throws {
    let recording = try Recording(path)
    let input = try recording.input()
    try recording.trace { check in try check("input", input) }
    try await recording.trace { check async throws in try check("input", input) }
  }

  @Test func noResultAndAnUnknownOneAreFailures() throws {
    let recording = try Recording(path)
    #expect(throws: ParityFailure.self) { try recording.trace { _ in } }
    let failure = try #require(throws: ParityFailure.self) {
      try recording.trace { check in try check("convolution", try recording.input()) }
    }
    #expect(failure.status == .invalid)
    #expect(failure.description.contains("no such result; the recording has conv, lstm/output"))
    #expect(throws: Recording.Unreadable.self) { try recording.input("h_0") }
    #expect(throws: Recording.Unreadable.self) { try Recording(Repository.samples + "/savez.npz") }
    #expect(throws: Recording.Unreadable.self) { try Recording("nowhere") }
  }
}
