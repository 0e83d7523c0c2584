package import ParityFixtures
import RecurrentModel
import TensorComparison
import TensorCore

/// What the references of all cases say, to tell when outputs are another case's.
package actor KnownOutputs {
  private let locations: [CaseLocation]
  /// nil until somebody asks.
  private var references: [(location: CaseLocation, results: Results)]?

  /// Elements of a reference that is looked at; larger ones are left out, to bound what is
  /// held.
  private static let largest = 1 << 22

  package init(_ locations: [CaseLocation]) { self.locations = locations }

  /// The name of another case that has these outputs for its reference, as torch.testing
  /// compares them; nil where none has. The first call reads all cases.
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

  /// Every tensor that is given, and at least one number.
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
