import RecurrentModel
import TensorComparison
package import TensorCore

/// That a reference breaks the layout contract by rounding alone: `output` and `h_n` hold the same
/// states, but computed or stored twice, so that their last bits differ.
///
/// PyTorch copies the states, and its references never do this. A reference that was made
/// elsewhere can be as good, but has to state a tolerance, which holds for the layout too.
package struct LayoutRounding: Sendable {
  /// The largest difference in units in the last place.
  package let largestULP: Double
  package let largestAbsolute: Double
  /// That of the reference's tensors.
  package let arithmetic: Arithmetic

  /// How many units in the last place of the largest state two computations of the same states may
  /// be apart. A sum, an activation and a product make about as many.
  private static let mostUnits = 4.0

  /// The bounds that accept the reference: torch.testing's for its arithmetic.
  package var tolerance: (rtol: Double, atol: Double)? {
    if case .bound(let rtol, let atol) = Limits.torch(arithmetic) { (rtol, atol) } else { nil }
  }

  /// - Parameters:
  ///   - findings: the identities of the reference.
  ///   - states: the reference's h_n, one of each recurrent module.
  /// - Returns: nil where all of them hold, where one differs by more, where something that is not
  ///   finite or the padding differs, and where a known mistake explains it.
  init?(_ findings: [LayoutFinding], states: [Tensor]) {
    let violated = findings.filter { !$0.holds }
    let measured = violated.map(\.difference.mismatched)
    guard !violated.isEmpty,
      violated.allSatisfy({ $0.direction != nil && $0.mistake == nil }),
      measured.allSatisfy({ $0.nonFiniteDisagreements == 0 }),
      let arithmetic = states.first.flatMap({ Arithmetic(of: $0.elementType) })
    else { return nil }
    self.arithmetic = arithmetic
    largestULP = measured.compactMap(\.largestULP?.value).max() ?? 0
    largestAbsolute = measured.compactMap(\.largestAbsolute?.value).max() ?? 0
    let largestState = states.map(\.largestMagnitude).max() ?? 0
    // The unit roundoff is half a unit in the last place of 1.
    let unit = 2 * arithmetic.unitRoundoff * largestState
    guard largestULP <= Self.mostUnits || largestAbsolute <= Self.mostUnits * unit else {
      return nil
    }
  }
}

extension Tensor {
  /// The largest magnitude of a finite element; 0 where there is none. O(elements).
  fileprivate var largestMagnitude: Double {
    withElements(as: Double.self) { elements in
      elements.reduce(0) { $1.isFinite ? max($0, abs($1)) : $0 }
    }
  }
}
