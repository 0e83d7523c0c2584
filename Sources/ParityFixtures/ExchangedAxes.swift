import RecurrentModel
import TensorCore

/// Whether the shapes of a case that contradict each other would fit if sequences and steps were
/// exchanged somewhere: by the other `batch_first`, or in one tensor.
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
    for name in ["inputs/input", "outputs/output"] {
      guard let tensor = tensors[name], tensor.shape.rank == 3 else { continue }
      var axes = tensor.shape.axes
      axes.swapAt(0, 1)
      // Only shapes are looked at: the order of the elements does not matter.
      let exchanged = tensors.merging([name: tensor.reshaped(Shape(axes))]) { $1 }
      if fits(manifest, exchanged) {
        return InvalidValue(
          name, expected: "the shape \(Shape(axes))", found: "\(tensor.shape)",
          remedy: "its first two axes are exchanged: "
            + "all other shapes fit \"batch_first\": \(batchFirst)")
      }
    }
    return error
  }
}
