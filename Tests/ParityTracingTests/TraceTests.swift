import ArchiveComparison
import ParityFixtures
import ParityJudging
import TensorArchives
import TensorCore
import Testing

@testable import ParityTracing

/// What a trace says of each stage, on a recording by PyTorch.
@Suite struct TraceTests {
  private let order = ["input", "conv", "lstm/input.0", "lstm", "head"]

  private func statuses(_ results: [String: StageResult]) -> [StageResult.Status] {
    order.compactMap { results[$0]?.status }
  }

  @Test func whatPyTorchGivesOnAnotherPathAgrees() throws {
    let results = try SampleRecording.results()
    #expect(statuses(results) == Array(repeating: .agrees, count: 5))
    // It is not the same, so that something was compared.
    #expect(try #require(results["conv"]?.worst?.tally?.largestZ).value > 0)
  }

  @Test func theFirstWrongStageIsNamedAndDiagnosedByItself() throws {
    let results = try SampleRecording.results(of: SampleRecording.gates)
    #expect(statuses(results) == [.agrees, .agrees, .agrees, .startsHere, .follows])
    let replay = try #require(results["lstm"]?.replay)
    #expect(!replay.isRight)
    let names = replay.result.diagnosis?.explanations.first?.names
    #expect(names == ["gates-ifog(forward)"] || names == ["gates-ifog(layer 0, forward)"])
    #expect(results["head"]?.replay?.isRight == true)
  }

  @Test func withoutReplaysTheSizesOfTheErrorsTell() throws {
    var options = Trace.Options()
    options.replays = false
    let results = try SampleRecording.results(of: SampleRecording.gates, options)
    #expect(statuses(results) == [.agrees, .agrees, .agrees, .startsHere, .follows])
    #expect(results["lstm"]?.replay == nil)
  }

  @Test func aSecondMistakeIsNamedThoughItsInputIsWrong() throws {
    let results = try SampleRecording.results(of: SampleRecording.gates) { values in
      values["head"] = values["head"]?.changing { $0[3] += 1e-3 }
    }
    #expect(results["lstm"]?.status == .startsHere)
    #expect(results["head"]?.status == .startsHereToo)
  }

  @Test func whatTheModelsOwnCodeMakesIsAStage() throws {
    let results = try SampleRecording.results { values in
      values["lstm/input.0"] = values["lstm/input.0"]?.changing { $0[0] += 1 }
    }
    #expect(results["lstm/input.0"]?.status == .startsHere)
    // PyTorch's own results do not follow from it.
    #expect(results["lstm"]?.replay == nil)
  }

  @Test func aStageThatIsMissingHandsOnWhatItWasGiven() throws {
    let results = try SampleRecording.results(of: SampleRecording.gates) { values in
      for name in ["lstm/output", "lstm/h_n", "lstm/c_n", "lstm/input.0"] { values[name] = nil }
      values["conv"] = values["conv"]?.changing { $0[0] += 1 }
    }
    #expect(results["conv"]?.status == .startsHere)
    #expect(results["lstm"]?.status == .missing)
    #expect(results["head"]?.status == .follows)
  }

  @Test func behindAMissingStageNobodyIsAccusedAlone() throws {
    let results = try SampleRecording.results(of: SampleRecording.gates) { values in
      for name in ["lstm/output", "lstm/h_n", "lstm/c_n"] { values[name] = nil }
    }
    #expect(results["lstm"]?.status == .missing)
    #expect(results["head"]?.status == .startsHere)
    #expect(results["head"]?.unknownBefore == ["lstm"])
    // PyTorch's inputs are not those that it was given.
    #expect(results["head"]?.replay == nil)
  }

  @Test func aDroppedBiasIsNoCoarserArithmetic() throws {
    let results = try SampleRecording.results { values in
      values["head"] = values["head"]?.changing { elements in
        for index in elements.indices { elements[index] *= 1 + 1e-3 * Double(index % 3 - 1) }
      }
    }
    #expect(results["head"]?.status == .startsHere)
    #expect(results["head"]?.symptoms.contains { $0.contains("rounding of") } == false)
  }

  @Test func axesInAnotherOrderAreComparedInTheirs() throws {
    let results = try SampleRecording.results { values in
      values["head"] = values["head"]?.permuted([1, 0, 2])
      values["conv"] = values["conv"]?.permuted([2, 1, 0])
    }
    #expect(results["head"]?.status == .agrees)
    #expect(
      results["head"]?.values.first?.rearrangement == .transposed(axes: [1, 0, 2], isWhole: true))
    #expect(results["conv"]?.status == .agrees)
  }

  @Test func anotherShapeIsAStart() throws {
    let results = try SampleRecording.results { values in
      values["conv"] = Tensor([Float](repeating: 0, count: 5), shape: [5])
    }
    #expect(results["conv"]?.status == .startsHere)
    #expect(results["lstm"]?.status == .agrees)
  }

  @Test func halfPrecisionOfAStoredResultIsAllowedFor() throws {
    let results = try SampleRecording.results { values in
      values = values.mapValues { $0.rounded(to: .float16) }
    }
    #expect(statuses(results).dropFirst() == [.agrees, .agrees, .agrees, .agrees])
    #expect(results["conv"]?.values.first?.storage == .float16)
    // A float32 of the same numbers says nothing of how it was rounded.
    let widened = try SampleRecording.results { values in
      for name in values.keys where name != "input" {
        values[name] = values[name]?.rounded(to: .float16).rounded(to: .float32)
      }
    }
    #expect(widened["conv"]?.status == .startsHere)
    #expect(widened["conv"]?.symptoms.first?.contains("--actual-arithmetic float16") == true)
  }

  @Test func whatHasNothingToCompareDoesNotAgree() {
    func result(_ elements: [Double], sigma: [Double]) -> ValueResult {
      let source = LoadedSource(tensor: Tensor(elements, shape: [4]))
      let own = LoadedSource(tensor: Tensor(sigma, shape: [4]))
      let reference = ReferenceStages(
        path: "", stages: [RecordedStage("a", inputs: [], outputs: ["a"])], arithmetic: .float32,
        values: ["a": .init(source: { source }, sigma: { own })])
      return ValueComparer(reference: reference, actualArithmetic: nil, largestZ: 8)
        .result("a") { source }
    }
    #expect(!result([1, 2, 3, 4], sigma: [1e-7, 1e-7, 1e-7, 1e-7]).isLost)
    #expect(result([.nan, .nan, .nan, .nan], sigma: [1e-7, 1e-7, 1e-7, 1e-7]).isLost)
    #expect(result([1, 2, 3, 4], sigma: [.infinity, .infinity, 1e-7, 1e-7]).isLost)
    #expect(result([1, 2, 3, 4], sigma: [1, 1, 1, 1]).isLost)
  }

  @Test func aNaNIsNeverRight() throws {
    let results = try SampleRecording.results { values in
      values["conv"] = values["conv"]?.changing { $0[5] = .nan }
      values["lstm/output"] = values["lstm/output"]?.changing { elements in
        elements = elements.map { _ in .nan }
      }
    }
    #expect(results["conv"]?.status == .startsHere)
    #expect(results["conv"]?.symptoms == ["NaN at 1 of 84 elements, first at (0, 0, 5)"])
    #expect(results["head"]?.status == .agrees)
  }
}
