import RecurrentModel
import TensorCore

/// Whether the shapes of a case that contradict each other would fit if sequences and steps were
/// exchanged somewhere: by the other `batch_first`, in one tensor of sequences, or in the states.
struct ExchangedAxes {
  private let manifest: Manifest
  private let tensors: [String: Tensor]

  /// - Parameter tensors: all of the fixture's, by their names.
  init(_ manifest: Manifest, _ tensors: [String: Tensor]) {
    (self.manifest, self.tensors) = (manifest, tensors)
  }

  /// What an error in the case comes from.
  ///
  /// - Parameter fits: whether a manifest and tensors fit together.
  /// - Returns: `error` itself where an exchange does not make all of it right.
  func explanation(
    of error: InvalidValue, fits: (Manifest, [String: Tensor]) -> Bool
  ) -> InvalidValue {
    guard let batchFirst = manifest.modules.lazy.compactMap(\.batchFirst).first else {
      return error
    }
    if fits(manifest.with(batchFirst: !batchFirst), tensors) {
      return error.advising("with \"batch_first\": \(!batchFirst) every shape fits")
    }
    let sequences = "all other shapes fit \"batch_first\": \(batchFirst)"
    let states = "states are (D·L, B, H) whatever batch_first is"
    for (names, reason) in [
      (["inputs/input"], sequences), (["outputs/output"], sequences),
      (["inputs/h_0", "inputs/c_0"], states), (["outputs/h_n", "outputs/c_n"], states),
      (["inputs/h_0", "inputs/c_0", "outputs/h_n", "outputs/c_n"], states),
    ] {
      let exchanged = exchanged(names)
      guard let first = names.first(where: { exchanged[$0] != nil }), let found = tensors[first],
        fits(manifest, tensors.merging(exchanged) { $1 })
      else { continue }
      return InvalidValue(
        first, expected: "the shape \(exchanged[first]?.shape ?? [])", found: "\(found.shape)",
        remedy: "its first two axes are exchanged: \(reason)")
    }
    return error
  }

  /// Some tensors with their first two axes exchanged, by their names; those of three axes alone.
  /// Only shapes are looked at, so that the order of the elements does not matter.
  private func exchanged(_ names: [String]) -> [String: Tensor] {
    let pairs = names.compactMap { name in
      tensors[name].flatMap { tensor -> (String, Tensor)? in
        guard tensor.shape.rank == 3 else { return nil }
        var axes = tensor.shape.axes
        axes.swapAt(0, 1)
        return (name, tensor.reshaped(Shape(axes)))
      }
    }
    return Dictionary(uniqueKeysWithValues: pairs)
  }
}
