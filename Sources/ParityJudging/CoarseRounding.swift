package import RecurrentModel
import RoundingNoise
package import TensorComparison
package import TensorCore

/// Tells whether results that are off by as much as a coarser arithmetic's rounding are off by its
/// rounding. A mistake of that size, such as a weight that is 2 % off beside bfloat16's 0.4 %,
/// is within the same σ, but it is not random, and no rounding gives it.
///
/// ```swift
/// let coarse = CoarseRounding(chain, .bfloat16)
/// coarse.doubt(results, exact: oracle, differences)  // "mostly of one sign", or nil
/// ```
///
/// It says nothing about how large the differences are.
package struct CoarseRounding {
  private let chain: Chain
  private let arithmetic: Arithmetic

  /// - Parameter arithmetic: coarser than the type that the results are stored in.
  package init(_ chain: Chain, _ arithmetic: Arithmetic) {
    self.chain = chain
    self.arithmetic = arithmetic
  }

  /// The share of the difference that may be left once the arithmetic's rounding is carried out in
  /// the way that comes nearest to the results, of all of it or of a quarter of the vectors. Of 600
  /// modules that were computed so, a quarter was left at most; of small systematic mistakes nearly
  /// all of it is.
  private static let largestResidual = 0.4

  /// The share of the squared differences that one number being off may explain, where no
  /// emulation explains more: of rounding it is a few percent.
  private static let largestExplainedShare = 0.5

  /// The one number whose being off explains most; nil where there are too few differences to tell.
  private func systematic(
    _ results: Results, _ exact: Results
  ) -> SystematicErrors.Explanation? {
    let count = results.named.reduce(0) { $0 + $1.tensor.count }
    guard count >= SystematicErrors.leastCount else { return nil }
    return SystematicErrors(chain).best(explaining: results, exact: exact)
  }

  /// What speaks against rounding, as the end of a sentence; nil where nothing does.
  ///
  /// - Parameters:
  ///   - results: of the side that is said to have been computed in the arithmetic.
  ///   - exact: the right results.
  ///   - differences: of the two, in σ of the arithmetic's noise.
  /// - Complexity: O(14 forward passes in doubles) at most.
  package func doubt(
    _ results: Results, exact: Results, _ differences: [TensorDifference]
  ) -> String? {
    guard !isOnGrid(results) else { return nil }
    if differences.contains(where: { $0.isOfOneSign() }) {
      return "its differences are mostly of one sign"
    }
    // What was computed a little less coarsely than is said is still rounding.
    let arithmetics = Arithmetic.allCases.filter {
      $0.unitRoundoff > Arithmetic.float32.unitRoundoff
        && $0.unitRoundoff <= arithmetic.unitRoundoff
    }
    let residuals = arithmetics.flatMap(variants).compactMap { variant in
      (try? variant.exactResults()).map { emulated in
        // A module that amplifies rounding drifts from its emulation, but not in its first steps.
        let whole = results.distance(from: emulated) / results.distance(from: exact)
        return (
          whole: whole,
          nearest: min(whole, results.lowerQuartile(ofDistancesFrom: emulated, over: exact))
        )
      }
    }
    let least = residuals.map(\.nearest).min() ?? 1
    if let systematic = systematic(results, exact), systematic.share > Self.largestExplainedShare,
      systematic.share > 1 - (residuals.map(\.whole).min() ?? 1).squared
    {
      let percent = Int(100 * systematic.share)
      return "\(systematic.text) explains \(percent)% of it"
    }
    return least <= Self.largestResidual
      ? nil : "rounding weights, operands or results to \(arithmetic) gives nothing like it"
  }

  /// The chain computed in each way in which it may have been computed in an arithmetic. That it
  /// was given parameters and an input that had been stored so is one of them.
  private func variants(_ arithmetic: Arithmetic) -> [ChainVariant] {
    var stored = ChainVariant(
      chain, emulation: Emulation(weights: arithmetic, biases: arithmetic))
    func rounded(_ tensor: Tensor) -> Tensor {
      let elements: [Double] = tensor.elements()
      return Tensor(elements.map(arithmetic.nearest), shape: tensor.shape)
        .rounded(to: tensor.elementType)
    }
    let input = chain.input
    let isRounded: Void? =
      input.tensor.integers == nil
      ? try? stored.setInput(
        ChainInput(
          rounded(input.tensor), h0: input.h0.map(rounded), c0: input.c0.map(rounded),
          packing: input.packing)) : nil
    return Emulation.ways(of: arithmetic).map { ChainVariant(chain, emulation: $0) }
      + (isRounded == nil ? [] : [stored])
  }

  /// Whether every number is one of the arithmetic's.
  private func isOnGrid(_ results: Results) -> Bool {
    results.named.allSatisfy { _, tensor in
      tensor.withElements(as: Double.self) { elements in
        elements.allSatisfy { !$0.isFinite || arithmetic.nearest(to: $0) == $0 }
      }
    }
  }
}

extension Double {
  fileprivate var squared: Double { self * self }
}

extension Results {
  /// For each vector, its distance from another's over that from a third's: the quartile below
  /// which a quarter of all vectors are. Vectors that are as the third's are passed over.
  fileprivate func lowerQuartile(ofDistancesFrom other: Results, over exact: Results) -> Double {
    let shares = named.flatMap { name, tensor -> [Double] in
      guard let other = other[name], let exact = exact[name], other.shape == tensor.shape,
        exact.shape == tensor.shape
      else { return [] }
      let size = max(1, tensor.shape.axes.last ?? 1)
      return stride(from: 0, to: tensor.count, by: size).compactMap { start in
        func squares(_ right: Tensor) -> Double {
          (start..<start + size).reduce(0) { sum, place in
            let difference = tensor.double(at: place) - right.double(at: place)
            return difference.isFinite ? sum + difference * difference : sum
          }
        }
        let whole = squares(exact)
        return whole > 0 ? (squares(other) / whole).squareRoot() : nil
      }
    }.sorted()
    return shares.isEmpty ? 1 : shares[shares.count / 4]
  }

  /// The root of the sum of the squared differences of all elements that are finite in both.
  fileprivate func distance(from other: Results) -> Double {
    let squares = named.map { name, tensor -> Double in
      guard let other = other[name], other.shape == tensor.shape else { return .infinity }
      return tensor.withElements(as: Double.self) { own in
        other.withElements(as: Double.self) { other in
          zip(own, other).reduce(0) { sum, pair in
            let difference = pair.0 - pair.1
            return difference.isFinite ? sum + difference * difference : sum
          }
        }
      }
    }
    return squares.reduce(0, +).squareRoot()
  }
}

extension Passes {
  /// What speaks against calling a side's differences the rounding of a coarser arithmetic than
  /// its numbers are stored in, as sentences: of the reference where its case declares one, of
  /// supplied outputs where the user does. None where the noise of that arithmetic is not what
  /// lets them pass.
  ///
  /// - Parameter noise: of the sides.
  func coarsenessFaults(_ noise: CaseNoise, _ rules: CaseRules) -> [String] {
    // Where rounding is amplified to chaos, carrying it out gives other numbers each time.
    guard !noise.losesStates else { return [] }
    let own = chain.arithmetic
    return [(Side.reference, reference, own), (subject, actual, stated.arithmetic ?? own)]
      .compactMap { side, results, arithmetic in
        let isStoredFiner = results.named.allSatisfy { _, tensor in
          (Arithmetic(of: tensor.elementType)?.unitRoundoff ?? 1) < arithmetic.unitRoundoff
        }
        let isDeclared = side == .reference || stated.arithmetic != nil
        guard isDeclared, isStoredFiner, arithmetic.unitRoundoff > Arithmetic.float32.unitRoundoff
        else { return nil }
        let finer: Side = side == .reference ? .engine : .reference
        func differences(_ noiseOf: Side) -> [TensorDifference] {
          results.named.compactMap { name, tensor in
            guard case .noise = rules[name], let exact = oracle[name],
              exact.shape == tensor.shape
            else { return nil }
            let limits = noise.limits(
              SidePair(noiseOf, against: .oracle), name, exact: exact, stored: .float32)
            return TensorDifference(of: tensor, from: exact, within: .noise(limits))
          }
        }
        let fine = differences(finer)
        guard !fine.allSatisfy(\.agrees) else { return nil }
        let doubt = CoarseRounding(chain, arithmetic).doubt(
          results, exact: oracle, differences(side))
        return doubt.map {
          "the \(side.rawValue) \(side.verb("is", "are")) off by the size of \(arithmetic)'s "
            + "rounding, but not at random: \($0)"
        }
      }
  }
}
