import ArchiveComparison
import TensorComparison
import TensorCore

/// A tensor that does not have the shape that it should have.
struct ShapeMismatch {
  private let name: String
  private let found: Tensor
  private let expected: Tensor

  /// - Returns: nil where the shapes are the same.
  init?(_ name: String, found: Tensor, expected: Tensor) {
    guard found.shape != expected.shape else { return nil }
    self.name = name
    self.found = found
    self.expected = expected
  }

  /// The mismatch as a sentence. Where the numbers would agree with their axes exchanged, or
  /// under another shape, it says so.
  ///
  /// - Complexity: O(elements) for each order of the axes that is tried.
  func text(_ side: Side) -> String {
    let arithmetic = Arithmetic(of: expected.elementType) ?? .float32
    let hint = Rearrangement.found(actual: found, expected: expected, within: .torch(arithmetic))
    return "\(name): expected the shape \(expected.shape), found \(found.shape) from the "
      + side.rawValue + (hint.map { ", which \($0)" } ?? "")
  }
}
