import RecurrentModel
import RoundingNoise

/// Steps that are not run as often as they should be.
enum StepMistakes {
  static let all: [Mistake] = [
    steps("first-step-skipped", "the first step that each direction reads", .firstSkipped),
    steps("last-step-skipped", "the last step that each direction reads", .lastSkipped),
    Mistake(
      "last-step-twice", with: "the last step run twice for the final states",
      "h_n and c_n are the states after the last step", needs: [.sequences, .unchangedSteps]
    ) { $0.scan.steps = .lastTwice },
  ]

  private static func steps(
    _ name: String, _ which: String, _ steps: ScanVariant.Steps
  ) -> Mistake {
    Mistake(
      name, with: "\(which) left out", "every step changes the state",
      needs: [.sequences, .unchangedSteps]
    ) { $0.scan.steps = steps }
  }
}
