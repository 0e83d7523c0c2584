import TensorArchives
package import TensorComparison
package import TensorCore

/// The actual tensor's elements in another order, under which it agrees.
package enum Rearrangement: Sendable, Equatable {
  /// `expected == actual.transpose(axes)`; `isWhole` where every element was looked
  /// at and not a sample.
  case transposed(axes: [Int], isWhole: Bool)
  /// The same elements row-major, under another shape.
  case reshaped(isWhole: Bool)

  /// Tensors of more axes have too many orders to try.
  private static let mostAxes = 5
  /// Larger tensors are judged by a sample.
  private static let mostElements = 1 << 20
  private static let sampleCount = 1024

  /// Of two tensors in memory.
  package static func found(
    actual: Tensor, expected: Tensor, within limits: Limits
  ) -> Rearrangement? {
    // Nothing has to be read, which is all that could be thrown.
    try? found(
      actual: LoadedSource(tensor: actual), expected: LoadedSource(tensor: expected),
      Bounds(limits, actual.elementType, expected.elementType))
  }

  /// The simplest that makes the two agree; nil where none does, or nothing finite
  /// stands where it would be seen. O(rank! · elements) of a small tensor.
  static func found(
    actual: any TensorSource, expected: any TensorSource, _ bounds: Bounds
  ) throws(ArchiveError) -> Rearrangement? {
    let (shape, other) = (expected.header.shape, actual.header.shape)
    let count = shape.elementCount
    guard count > 0, count == other.elementCount, shape.rank <= mostAxes, other.rank <= mostAxes
    else { return nil }
    let isWhole = count <= mostElements
    // A sample that meets every residue: a step that no axis divides would do, and
    // an odd fraction of a large tensor nearly always is.
    // In ascending order, so that what is packed in chunks is unpacked once.
    let offsets =
      isWhole
      ? Array(0..<count)
      : (0..<sampleCount).map {
        Int((Double($0) * 0.6180339887498949).truncatingRemainder(dividingBy: 1) * Double(count))
      }.sorted()
    var reader = ElementReader(expected, isWhole: isWhole)
    var wanted: [Double] = []
    for offset in offsets { wanted.append(try reader.number(at: offset)) }
    reader = ElementReader(actual, isWhole: isWhole)
    func agrees(_ strides: [Int]) throws(ArchiveError) -> Bool {
      func place(_ number: Int) -> Int { shape.place(of: offsets[number], strides: strides) }
      let numbers =
        isWhole
        ? Array(offsets.indices) : offsets.indices.sorted { place($0) < place($1) }
      var hasFinite = false
      // As far as the first that does not agree.
      for number in numbers {
        let found = try reader.number(at: place(number))
        guard bounds.pass(found, wanted[number]) else { return false }
        hasFinite = hasFinite || found.isFinite && wanted[number].isFinite
      }
      return hasFinite
    }
    for order in orders(other.rank) where order.map({ other.axes[$0] }) == shape.axes {
      guard shape != other || moves(order, other.axes) else { continue }
      if try agrees(order.map { other.strides[$0] }) {
        return .transposed(axes: order, isWhole: isWhole)
      }
    }
    guard shape != other, try agrees(shape.strides) else { return nil }
    return .reshaped(isWhole: isWhole)
  }

  /// All orders of so many axes but their own, those that exchange two first.
  private static func orders(_ rank: Int) -> [[Int]] {
    var orders: [[Int]] = [[]]
    for _ in 0..<rank {
      orders = orders.flatMap { order in
        (0..<rank).filter { !order.contains($0) }.map { order + [$0] }
      }
    }
    func moved(_ order: [Int]) -> Int { order.indices.count { order[$0] != $0 } }
    return orders.filter { moved($0) > 0 }.enumerated()
      .sorted { (moved($0.element), $0.offset) < (moved($1.element), $1.offset) }.map(\.element)
  }

  /// Whether any element changes its place: axes of one index do not count.
  private static func moves(_ order: [Int], _ sizes: [Int]) -> Bool {
    let long = order.filter { sizes[$0] > 1 }
    return long != long.sorted()
  }
}

extension Shape {
  /// How far apart elements stand whose index differs by 1 along an axis, row-major.
  fileprivate var strides: [Int] { axes.indices.map { axes[($0 + 1)...].reduce(1, *) } }

  /// The offset, in memory of other strides, of the element at a row-major offset.
  fileprivate func place(of offset: Int, strides: [Int]) -> Int {
    zip(index(at: offset), strides).reduce(0) { $0 + $1.0 * $1.1 }
  }
}

/// Single elements of a tensor, of which one chunk is held, or all.
private struct ElementReader {
  private let source: any TensorSource
  private let chunk: Int
  private var range = 0..<0
  private var numbers: [Double] = []

  init(_ source: any TensorSource, isWhole: Bool) {
    self.source = source
    chunk = isWhole ? source.header.shape.elementCount : source.grain
  }

  mutating func number(at offset: Int) throws(ArchiveError) -> Double {
    if !range.contains(offset) {
      let start = offset / chunk * chunk
      range = start..<min(start + chunk, source.header.shape.elementCount)
      let block = try source.block(range)
      numbers = block.integers?.map(Double.init) ?? block.elements(as: Double.self)
    }
    return numbers[offset - range.lowerBound]
  }
}

extension Rearrangement: CustomStringConvertible {
  package var description: String {
    func seen(_ isWhole: Bool) -> String {
      isWhole ? "agrees" : "agrees, as far as a sample shows,"
    }
    switch self {
    case .reshaped(let isWhole):
      return "\(seen(isWhole)) when reshaped: the elements are right, row by row"
    case .transposed(let axes, let isWhole):
      let moved = axes.indices.filter { axes[$0] != $0 }
      return moved.count == 2
        ? "\(seen(isWhole)) with axes \(moved[0]) and \(moved[1]) exchanged"
        : "\(seen(isWhole)) with its axes in the order \(Shape.text(axes))"
    }
  }
}
