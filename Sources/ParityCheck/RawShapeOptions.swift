import ArgumentParser
import TensorCore

/// The shape of a file of raw numbers, for commands that are given one.
struct RawShapeOptions: ParsableArguments {
  @Option(
    name: .customLong("shape"),
    help: ArgumentHelp(
      """
      The shape of a file of raw little-endian numbers (.raw, .bin, .f16, .bf16, .f32 or .f64), \
      where no JSON beside it tells: {"dtype": "float32", "shape": [3, 7, 5]}.
      """, valueName: "3,7,5"))
  private var text: String?

  var shape: Shape? { text.flatMap(Self.parse) }

  func validate() throws {
    guard let text, Self.parse(text) == nil else { return }
    throw ValidationError("--shape: expected sizes such as 3,7,5, found \(text).")
  }

  private static func parse(_ text: String) -> Shape? {
    let sizes = text.split(separator: ",", omittingEmptySubsequences: false)
    let axes = sizes.compactMap { Int($0) }
    return axes.count == sizes.count ? Shape(checking: axes) : nil
  }
}
