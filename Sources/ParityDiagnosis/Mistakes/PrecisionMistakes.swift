import RecurrentModel
import RoundingNoise
import TensorCore

/// Arithmetic that is coarser than the case's own.
enum PrecisionMistakes {
  static let tanhFromSigmoid = "tanh-from-sigmoid"

  static let all: [Mistake] =
    [
      Mistake(
        tanhFromSigmoid, with: "tanh x made as 2σ(2x) − 1",
        "that is absolutely, not relatively accurate: small results lose their digits",
        needs: [.float32, .tanh],
        // Each library rounds σ's last bit in its own way, and much of the difference may be
        // left: only the noise rule can decide.
        largestResidual: 1.5, numbers: "results of 10⁻⁴ and smaller beside others of that size"
      ) { $0.scan.step.tanh = .fromSigmoid }
    ]
    + CoarserWay.all.map { way in
      Mistake(
        way.name, with: way.summary, way.advice, needs: [.float32, .sequences],
        undeclared: way.undeclared, storage: way.storage,
        numbers: way.emulation.flushesSubnormals
          ? "parameters, inputs or states below 10⁻³⁸, float32's smallest normal number" : nil
      ) { $0.setEmulation(way.emulation) }
    }
}
