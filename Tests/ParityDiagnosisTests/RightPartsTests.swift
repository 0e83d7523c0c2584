import FixtureSupport
import ParityFixtures
import ParityJudging
import RecurrentModel
import TensorCore
import Testing

@testable import ParityDiagnosis

/// What is said to be right of results that no known mistake explains.
@Suite struct RightPartsTests {
  /// The diagnosis of results with some numbers changed.
  private func diagnosis(
    of name: String, _ change: (RecurrentOutput) -> RecurrentOutput
  ) throws -> Diagnosis {
    let parityCase = try FixtureSuite.named(name)
    let call = try #require(parityCase.call)
    let right = Oracle(call).outputs(for: call.input)
    let failure = try parityCase.failure(change(right).stored(in: .float32))
    return try #require(Diagnostician(.fast).diagnose(failure))
  }

  /// Noise that no mistake gives, in the elements of `output` that are chosen.
  private func disturbed(
    _ outputs: RecurrentOutput, where isChosen: (_ row: Int, _ feature: Int) -> Bool
  ) -> RecurrentOutput {
    guard let output = outputs.output else { return outputs }
    let features = output.shape.axes.last ?? 1
    return outputs.with(
      output: output.mapping { offset, own in
        let (row, feature) = offset.quotientAndRemainder(dividingBy: features)
        let noise = 0.01 * Double((offset * 7919) % 13 - 6)
        return isChosen(row, feature) ? own + noise + 0.001 : own
      })
  }

  @Test func theDirectionAndTheStates() throws {
    let hidden = try #require(try FixtureSuite.named("lstm-bidirectional").call)
      .configuration.hiddenSize
    let found = try diagnosis(of: "lstm-bidirectional") {
      disturbed($0) { $1 < hidden }
    }
    #expect(found.explanations.isEmpty)
    #expect(found.observations.contains("the reverse direction of output"))
    #expect(found.observations.contains("h_n and c_n"))
  }

  @Test func theSequenceAndTheSteps() throws {
    // (T, B, H): rows are steps times sequences.
    let batch = try #require(try FixtureSuite.named("gru").call).input.layout.batch
    let found = try diagnosis(of: "gru") {
      disturbed($0) { row, _ in row / batch >= 2 && row % batch != 1 }
    }
    #expect(found.observations.contains("sequence 1"))
    #expect(found.observations.contains("steps 0 and 1 of output"))
  }

  @Test func everyOtherStep() {
    #expect(
      RightParts.steps(count: 8, wrong: [1, 3, 5, 7])
        == "all steps of output but every 2nd (1, 3, 5, …)")
    #expect(
      RightParts.steps(count: 7, wrong: [1, 2, 4, 5]) == "every 3rd step of output (0, 3, 6)")
    #expect(RightParts.steps(count: 4, wrong: [0, 1, 2, 3]) == nil)
    #expect(RightParts.steps(count: 6, wrong: [0]) == "steps 1 to 5 of output")
  }

  @Test func numbersAreToldAsPeopleDo() {
    #expect(NumberRanges([3]).text("step") == "step 3")
    #expect(NumberRanges([0, 1, 4, 5, 6, 9]).text("row") == "rows 0 and 1, 4 to 6 and 9")
    #expect(NumberRanges([0, 2, 4, 6, 8]).text("step") == nil)
    #expect(
      [1, 2, 3, 4, 11, 12, 21, 22].map(\.ordinal) == [
        "1st", "2nd", "3rd", "4th", "11th", "12th", "21st", "22nd",
      ])
  }

  /// The rows of an LSTM's projection in another order: c follows from the h that is there.
  @Test func theProjection() throws {
    let parityCase = try FixtureSuite.named("lstm-projection")
    let chain = try #require(parityCase.chain)
    var replay = Replay(chain)
    replay.changeParameters { current, parameter in
      parameter.role == .weightHR
        ? current.tensor(parameter).mapping { $0 % 5 == 0 ? -1.7 * $1 : 0.6 * $1 } : nil
    }
    let failure = try parityCase.failure(replay.results().stored(in: .float32))
    let found = try #require(Diagnostician(.fast).diagnose(failure))
    #expect(found.explanations.isEmpty)
    #expect(found.observations.contains { $0.hasPrefix("c_n, given the h that output holds") })
    #expect(found.observations.contains { $0.hasSuffix("weight_hr, the projection") })
  }

  @Test func otherWeights() throws {
    let found = try diagnosis(of: "gru-bidirectional") { outputs in
      func other(_ tensor: Tensor) -> Tensor {
        tensor.mapping { offset, _ in Double((offset * 7919) % 101) / 50 - 1 }
      }
      return RecurrentOutput(
        output: outputs.output.map(other), hN: other(outputs.hN), cN: outputs.cN.map(other))
    }
    #expect(found.explanations.isEmpty)
    #expect(found.observations == ["no part of output, h_n"])
    #expect(found.suspicion?.contains("output does not resemble PyTorch's") == true)
  }

  /// What was not tried is told, and whether more can be.
  @Test func theSearchThatWasCutShort() throws {
    let parityCase = try FixtureSuite.named("lstm-stacked-bidirectional")
    let call = try #require(parityCase.call)
    let outputs = Oracle(call).outputs(for: call.input)
    let failure = try parityCase.failure(
      disturbed(outputs) { row, feature in (row + feature) % 3 == 0 }.stored(in: .float32))
    let untried = try #require(Diagnostician(.fast).diagnose(failure)?.untried)
    #expect(untried.tried < untried.all && untried.isExtensible)
  }
}
