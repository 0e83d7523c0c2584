package import ParityFixtures
import RecurrentModel
import Synchronization
import TensorComparison
import TensorCore

/// What the references of all cases say, to tell when outputs are another case's.
package final class KnownOutputs: Sendable {
  private let locations: [CaseLocation]
  private let references = Mutex<[(location: CaseLocation, tensors: [String: Tensor])]?>(nil)

  /// Elements of a reference that is looked at; larger ones are left out, to bound what is
  /// held.
  private static let largest = 1 << 22

  package init(_ locations: [CaseLocation]) { self.locations = locations }

  /// The name of another case that has these outputs for its reference, as torch.testing
  /// compares them; nil where none has. The first call reads all cases.
  func owner(of outputs: [String: Tensor], besides own: CaseLocation) -> String? {
    let all = references.withLock { known in
      let loaded = known ?? locations.compactMap(Self.reference)
      known = loaded
      return loaded
    }
    return all.first { location, tensors in
      location != own && Self.agree(outputs, tensors)
    }?.location.name
  }

  private static func reference(
    _ location: CaseLocation
  ) -> (location: CaseLocation, tensors: [String: Tensor])? {
    guard let loaded = try? LoadedCase.load(location) else { return nil }
    let named =
      switch loaded {
      case .recurrent(let parityCase): parityCase.reference.named
      case .sequential(let chain): chain.reference
      }
    guard named.reduce(0, { $0 + $1.tensor.count }) <= largest else { return nil }
    return (location, Dictionary(uniqueKeysWithValues: named.map { ($0.name, $0.tensor) }))
  }

  /// Every tensor that is given, and at least one number.
  private static func agree(_ outputs: [String: Tensor], _ known: [String: Tensor]) -> Bool {
    guard outputs.keys.allSatisfy({ known[$0]?.shape == outputs[$0]?.shape }) else { return false }
    let differences = outputs.compactMap { name, tensor in
      known[name].map {
        TensorDifference(
          of: tensor, from: $0,
          within: .torch(Arithmetic(of: $0.elementType) ?? .float32))
      }
    }
    return differences.allSatisfy(\.agrees)
      && differences.contains { $0.measured.nonZeroCount > 0 }
  }
}
