import RecurrentModel
import RoundingNoise
import TensorCore

/// Coarser arithmetic than the case's own.
enum PrecisionMistakes {
  static let all: [Mistake] =
    [
      Mistake(
        "tanh-from-sigmoid", with: "tanh x made as 2σ(2x) − 1",
        "that is absolutely, not relatively accurate: small results lose their digits",
        // Each library rounds σ's last bit in its own way: the noise rule alone decides.
        largestLeft: 1.5
      ) { replay throws(NotApplicable) in
        try replay.requireFloat32()
        try replay.require(
          replay.recurrence != .rnn || replay.configuration.nonlinearity == .tanh,
          "there is no tanh",
          needs: "a tanh")
        replay.scan.makesTanhFromSigmoid = true
      }
    ] + CoarserWay.all.map(mistake)

  private static func mistake(_ way: CoarserWay) -> Mistake {
    Mistake(way.identifier, with: way.name, way.advice, undeclared: way.undeclared) {
      replay throws(NotApplicable) in
      try replay.requireFloat32()
      try replay.requireSequences()
      replay.setEmulation(way.emulation)
    }
  }
}

extension Replay {
  fileprivate func requireFloat32() throws(NotApplicable) {
    try require(
      chain.arithmetic == .float32, "the arithmetic is \(chain.arithmetic)",
      needs: "float32")
  }
}
