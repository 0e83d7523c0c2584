import TensorCore

/// A way in which a float32 reference may have been computed more coarsely than it
/// says.
struct CoarserWay: Sendable {
  /// As in "… reproduces the reference".
  let name: String
  let emulation: Emulation
  /// What to do about it.
  let advice: String

  /// Where two explain a reference equally well, the earlier is named.
  static let all: [CoarserWay] =
    [
      CoarserWay(
        name: "flushing subnormal numbers to zero", emulation: Emulation(flushesSubnormals: true),
        advice: "it was computed with denormals off, as torch.set_flush_denormal(True) has it"),
      products(.tf32, verb: "rounding"),
      products(.tf32, verb: "cutting off", truncates: true),
    ] + [Arithmetic.bfloat16, .float16].flatMap { [weights($0), products($0), results($0)] }

  private static func declare(_ arithmetic: Arithmetic) -> String {
    "if it was computed so, say \"arithmetic\": \"\(arithmetic)\""
  }

  private static func products(
    _ arithmetic: Arithmetic, verb: String = "rounding", truncates: Bool = false
  ) -> CoarserWay {
    CoarserWay(
      name: "\(verb) the operands of every product to \(arithmetic)",
      emulation: Emulation(weights: arithmetic, vectors: arithmetic, truncates: truncates),
      advice: declare(arithmetic))
  }

  private static func weights(_ arithmetic: Arithmetic) -> CoarserWay {
    CoarserWay(
      name: "rounding the weights to \(arithmetic)", emulation: Emulation(weights: arithmetic),
      advice: "it was made with weights that had been stored so")
  }

  private static func results(_ arithmetic: Arithmetic) -> CoarserWay {
    CoarserWay(
      name: "rounding every result to \(arithmetic)", emulation: Emulation(results: arithmetic),
      advice: declare(arithmetic))
  }
}
