package import RecurrentModel
package import RoundingNoise
package import TensorCore

/// A way in which a float32 reference may have been computed more coarsely than it says, and what
/// to do about it. `Emulation` says what is rounded in it.
package struct CoarserWay: Sendable {
  /// A name for programs, and the name of the mistake: `tf32-products`.
  package let name: String
  /// What was done, as it stands before "reproduces the reference": "rounding the operands of
  /// every product to tf32".
  package let summary: String
  package let emulation: Emulation
  /// What to do about it, as a sentence.
  package let advice: String
  /// The arithmetic to declare where it was meant; nil where declaring one would not settle it.
  package var undeclared: Arithmetic?
  /// The way of storing weights to state where it was meant.
  package var storage: WeightStorage?

  /// All known ways. Where two explain a reference equally well, the earlier is named.
  package static let all: [CoarserWay] =
    [
      CoarserWay(
        name: "subnormals-flushed", summary: "flushing subnormal numbers to zero",
        emulation: Emulation(flushesSubnormals: true),
        advice: "it was computed with denormals off, as torch.set_flush_denormal(True) has it"),
      products(.tf32, verb: "rounding"),
      products(.tf32, verb: "cutting off", truncates: true),
    ]
    + [Arithmetic.bfloat16, .float16].flatMap {
      [weights($0), parameters($0), products($0), results($0)]
    }

  private static func declare(_ arithmetic: Arithmetic) -> String {
    "if that is meant, declare the arithmetic \(arithmetic), else compute in float32"
  }

  private static func products(
    _ arithmetic: Arithmetic, verb: String = "rounding", truncates: Bool = false
  ) -> CoarserWay {
    CoarserWay(
      name: "\(arithmetic)-products" + (truncates ? "-cut" : ""),
      summary: "\(verb) the operands of every product to \(arithmetic)",
      emulation: Emulation(weights: arithmetic, vectors: arithmetic, truncates: truncates),
      advice: declare(arithmetic), undeclared: arithmetic)
  }

  private static func weights(_ arithmetic: Arithmetic) -> CoarserWay {
    CoarserWay(
      name: "\(arithmetic)-weights", summary: "rounding the weights to \(arithmetic)",
      emulation: Emulation(weights: arithmetic),
      advice: "it was made with weights that had been stored so",
      storage: WeightStorage(rawValue: arithmetic.rawValue))
  }

  private static func parameters(_ arithmetic: Arithmetic) -> CoarserWay {
    CoarserWay(
      name: "\(arithmetic)-parameters",
      summary: "rounding the weights and biases to \(arithmetic)",
      emulation: Emulation(weights: arithmetic, biases: arithmetic),
      advice: "it was made with parameters that had been stored so",
      storage: WeightStorage(rawValue: "\(arithmetic)-parameters"))
  }

  private static func results(_ arithmetic: Arithmetic) -> CoarserWay {
    CoarserWay(
      name: "\(arithmetic)-results", summary: "rounding every result to \(arithmetic)",
      emulation: Emulation(results: arithmetic),
      advice: declare(arithmetic), undeclared: arithmetic)
  }
}
