import RecurrentModel
import RoundingNoise
import TensorComparison
import TensorCore

/// Tells errors that follow from a factor on the weights or on the input from those of rounding,
/// which follow no such thing.
///
/// ```swift
/// ScaledParameters(chain).largestShare(of: outputs, exact: exact, noise)
/// // 0.98: there is a factor on weight_hh
/// ```
struct ScaledParameters {
  private let chain: Chain

  init(_ chain: Chain) { self.chain = chain }

  /// How much the parameters of a kind are scaled: enough for the results to move by far more than
  /// doubles round, and so little that they move in proportion.
  private static let factor = 1 + 0x1p-12

  private static let kinds: [[ParameterSpecification.Role]] = [
    [.weightIH], [.weightHH], [.biasIH, .biasHH],
  ]

  /// The largest share of the squared differences between `outputs` and `exact`, each in its σ, that
  /// a factor on one kind of parameters, or on the input, explains.
  ///
  /// - Complexity: O(4 forward passes).
  func largestShare(of outputs: Results, exact: Results, _ noise: NoiseEstimate) -> Double {
    (Self.kinds.map(scaled) + [scaledInput]).compactMap(\.self)
      .map { share(of: outputs, exact: exact, noise, along: $0) }.max() ?? 0
  }

  /// How much of the differences the direction from `exact` to `moved` explains: the square of
  /// their correlation.
  private func share(
    of outputs: Results, exact: Results, _ noise: NoiseEstimate, along moved: Results
  ) -> Double {
    var (product, own, other) = (0.0, 0.0, 0.0)
    for (name, tensor) in outputs.named {
      guard let right = exact[name], let moved = moved[name], let sigma = noise[name]?.limits.sigma
      else { continue }
      for place in 0..<right.count {
        let center = right.double(at: place)
        let a = (tensor.double(at: place) - center) / sigma[place]
        let b = (moved.double(at: place) - center) / sigma[place]
        guard a.isFinite, b.isFinite else { continue }
        product += a * b
        own += a * a
        other += b * b
      }
    }
    return own > 0 && other > 0 ? product / own * (product / other) : 0
  }

  /// What the chain gives with all parameters of some kinds scaled.
  private func scaled(_ roles: [ParameterSpecification.Role]) -> Results? {
    var replay = Replay(chain)
    for module in chain.modules.indices where chain.modules[module].configuration != nil {
      replay.turn(to: module)
      replay.changeParameters { current, parameter in
        roles.contains(parameter.role)
          ? current.tensor(parameter).mapping { $1 * Self.factor } : nil
      }
    }
    return try? replay.results()
  }

  /// What it gives with its input scaled; nil where that is indices.
  private var scaledInput: Results? {
    let input = chain.input
    guard input.tensor.elementType.isFloatingPoint else { return nil }
    var replay = Replay(chain)
    replay.setInput(
      input.tensor.mapping { $1 * Self.factor }.rounded(to: input.tensor.elementType),
      h0: input.h0, c0: input.c0)
    return try? replay.results()
  }
}
