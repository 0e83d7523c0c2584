package import ParityFixtures
import RecurrentModel
import TensorComparison
import TensorCore

/// The references of all cases, which tell when the outputs that were supplied for one case are
/// in truth another's: a loop over files that is off by one, say.
///
/// ```swift
/// let judge = Judge(
///   subject: .supplied(source, in: nil), known: KnownOutputs(locations))
/// ```
package actor KnownOutputs {
  private let locations: [CaseLocation]
  /// What has been read of the cases; nil until the first question, since most runs have none.
  private var references: [(location: CaseLocation, results: Results)]?

  /// How many elements a reference may have. Larger ones are left out, so that what is held in
  /// memory stays small.
  private static let largest = 1 << 22

  package init(_ locations: [CaseLocation]) { self.locations = locations }

  /// The name of another case that has these outputs for its reference, as torch.testing compares
  /// them; nil where there is none.
  ///
  /// - Complexity: the first call reads all cases; each compares with the references whose shapes
  ///   are the same.
  func owner(of outputs: [String: Tensor], besides own: CaseLocation) -> String? {
    let all = references ?? locations.compactMap(Self.reference)
    references = all
    return all.first { location, results in
      location != own && Self.agree(outputs, results)
    }?.location.name
  }

  private static func reference(
    _ location: CaseLocation
  ) -> (location: CaseLocation, results: Results)? {
    guard let parityCase = try? ParityCase.load(location) else { return nil }
    let count = parityCase.reference.named.reduce(0) { $0 + $1.tensor.count }
    return count <= largest ? (location, parityCase.reference) : nil
  }

  /// Whether every tensor that is given agrees, and at least one of them holds a number other
  /// than 0.
  private static func agree(_ outputs: [String: Tensor], _ known: Results) -> Bool {
    var isTelling = false
    for (name, tensor) in outputs {
      guard let other = known[name], other.shape == tensor.shape else { return false }
      let difference = TensorDifference(
        of: tensor, from: other, within: .torch(Arithmetic(of: other.elementType) ?? .float32))
      guard difference.agrees else { return false }
      if difference.measured.nonZeroCount > 0 { isTelling = true }
    }
    return isTelling
  }
}
