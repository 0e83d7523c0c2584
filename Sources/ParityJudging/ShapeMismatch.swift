import ArchiveComparison
import ParityFixtures
import TensorComparison
import TensorCore

/// A tensor that does not have the shape that it should have.
struct ShapeMismatch {
  private let name: String
  private let found: Tensor
  private let expected: Tensor
  /// What the axes stand for; nil for what is no result of a recurrent module.
  private let layout: ResultLayout?

  /// - Parameter layouts: those of the case's recurrent modules, of which one may have the result.
  /// - Returns: nil where the shapes are the same.
  init?(_ name: String, found: Tensor, expected: Tensor, in layouts: [ModuleLayout]) {
    guard found.shape != expected.shape else { return nil }
    self.name = name
    self.found = found
    self.expected = expected
    layout = layouts.lazy.compactMap { ResultLayout(name, in: $0, shape: expected.shape) }.first
  }

  /// The mismatch as a sentence. Where the tensor is the result in another layout, or a part of
  /// it, the sentence says so and what to do, be it by the numbers or, where these are other ones,
  /// by the shape alone.
  ///
  /// - Complexity: O(elements) for each layout and each order of the axes that is tried.
  func text(_ side: Side) -> String {
    "\(name): expected the shape \(expected.shape), found \(found.shape) from the "
      + side.rawValue + (hint.map { ", which \($0)" } ?? "")
  }

  private var hint: String? {
    guard found.count > 0 else { return nil }
    let arithmetic = Arithmetic(of: expected.elementType) ?? .float32
    let limits = Limits.torch(arithmetic)
    let fitting = layout.map { layout in readings(of: layout).map { (layout, $0) } } ?? []
    for (layout, reading) in fitting {
      if let pick = layout.pick(of: found, reading.axes, in: expected, limits) {
        return "is " + text(reading, layout, pick)
      }
    }
    if let other = Rearrangement.found(actual: found, expected: expected, within: limits) {
      return "\(other)"
    }
    return fitting.first.map { "looks like " + text($1, $0, nil) }
  }

  /// What the tensor may be by its shape, the likeliest first.
  private func readings(of layout: ResultLayout) -> [ResultReading] {
    if layout.fits(layout.axes, found.shape) { return [Self.squeezed(layout, found.shape)] }
    return ResultReading.all(layout.name).filter {
      $0.applies(layout) && layout.fits($0.axes, found.shape)
    }
  }

  /// The result itself, with axes of size 1 too many or too few.
  private static func squeezed(_ layout: ResultLayout, _ found: Shape) -> ResultReading {
    let more = found.rank - layout.shape.rank
    let place = more < 0 ? "left out" : more > 0 ? "too many" : "elsewhere"
    return ResultReading(
      axes: layout.axes, what: { layout, _ in "\(layout.name) with an axis of size 1 \(place)" },
      remedy: { _ in "" })
  }

  private func text(
    _ reading: ResultReading, _ layout: ResultLayout, _ pick: ResultLayout.Pick?
  ) -> String {
    let expression = layout.expression(
      from: reading.axes, found.shape, variable: reading.variable ?? layout.name)
    return "\(reading.what(layout, pick)): \(expression ?? reading.remedy(layout))"
  }
}
