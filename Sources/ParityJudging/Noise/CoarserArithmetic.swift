import ParityFixtures
import RecurrentModel
import TensorComparison
import TensorCore

/// What coarser arithmetic would explain a float32 reference that float32's
/// rounding does not.
enum CoarserArithmetic {
  private static let candidates = [Arithmetic.tf32, .float16, .bfloat16]

  /// The finest that does; nil where none does, and where the case says that its
  /// arithmetic is another. O(17 forward passes for each candidate).
  static func explaining(
    _ parityCase: ParityCase, _ model: ParityCase.Model
  ) -> Arithmetic? {
    guard model.arithmetic == .float32 else { return nil }
    let oracle = Oracle(model.configuration, model.stateDict).outputs(for: model.input)
    return candidates.first { candidate in
      let noise = NoiseEstimate(
        model.configuration, model.stateDict, model.input, candidate,
        roundsOperands: candidate != .tf32)
      return zip(parityCase.reference.named, oracle.named).allSatisfy { reference, exact in
        guard let limits = noise.tensors[reference.name], limits.judgedShare == 1 else {
          return false
        }
        return TensorDifference(
          of: reference.tensor, from: exact.tensor, within: .noise(limits)
        ).agrees
      }
    }
  }
}
