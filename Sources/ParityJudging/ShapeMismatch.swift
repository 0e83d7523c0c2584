import ArchiveComparison
import TensorComparison
import TensorCore

/// A tensor of another shape than it should have.
struct ShapeMismatch {
  private let name: String
  private let found: Tensor
  private let expected: Tensor

  /// nil where the shapes are the same.
  init?(_ name: String, found: Tensor, expected: Tensor) {
    guard found.shape != expected.shape else { return nil }
    self.name = name
    self.found = found
    self.expected = expected
  }

  /// With the order of axes, or the shape, under which its numbers would agree.
  func text(_ side: Side) -> String {
    let arithmetic = Arithmetic(of: expected.elementType) ?? .float32
    let hint = Rearrangement.found(actual: found, expected: expected, within: .torch(arithmetic))
    return "\(name): expected the shape \(expected.shape), found \(found.shape) from the "
      + side.rawValue + (hint.map { ", which \($0)" } ?? "")
  }
}
