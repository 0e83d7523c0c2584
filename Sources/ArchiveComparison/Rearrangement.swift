import TensorArchives
package import TensorComparison
package import TensorCore

/// An order of a tensor's elements in which it agrees with the expected tensor: a hint that its
/// numbers are right, and its layout is not.
///
/// `isWhole` says whether all elements were compared, or, of a large tensor, a sample.
package enum Rearrangement: Sendable, Equatable {
  /// `expected` agrees with `actual.transpose(axes)`.
  case transposed(axes: [Int], isWhole: Bool)
  /// The row-major elements agree, though the shapes differ.
  case reshaped(isWhole: Bool)

  /// The number of axes beyond which there are too many orders to try.
  private static let maxRank = 5
  /// The number of elements beyond which a sample is compared.
  private static let maxElements = 1 << 20
  private static let sampleCount = 1024

  /// The simplest rearrangement of a tensor in memory with which it agrees with another; nil
  /// where there is none.
  package static func found(
    actual: Tensor, expected: Tensor, within limits: Limits
  ) -> Rearrangement? {
    // Nothing has to be read, which is all that could be thrown.
    try? found(
      actual: LoadedSource(tensor: actual), expected: LoadedSource(tensor: expected),
      Bounds(limits, actual.elementType, expected.elementType))
  }

  /// The simplest rearrangement of `actual` with which it agrees with `expected`; nil where there
  /// is none, or no finite element was compared.
  ///
  /// - Throws: `ArchiveError` where an element can't be read.
  /// - Complexity: O(rank! · elements), of a large tensor O(rank! · sample).
  static func found(
    actual: any TensorSource, expected: any TensorSource, _ bounds: Bounds
  ) throws(ArchiveError) -> Rearrangement? {
    let (shape, other) = (expected.header.shape, actual.header.shape)
    let count = shape.elementCount
    guard count > 0, count == other.elementCount, shape.rank <= maxRank, other.rank <= maxRank
    else { return nil }
    let isWhole = count <= maxElements
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

  /// All permutations of the axes but the identity, those that exchange two axes first.
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

  /// Whether a permutation moves any element: moving an axis of size 1 does not.
  private static func moves(_ order: [Int], _ sizes: [Int]) -> Bool {
    let long = order.filter { sizes[$0] > 1 }
    return long != long.sorted()
  }
}

extension Shape {
  /// For each axis, how far apart two row-major elements are whose indices along it differ by 1.
  fileprivate var strides: [Int] { axes.indices.map { axes[($0 + 1)...].reduce(1, *) } }

  /// The offset, in memory of other strides, of the element at a row-major offset.
  fileprivate func place(of offset: Int, strides: [Int]) -> Int {
    zip(index(at: offset), strides).reduce(0) { $0 + $1.0 * $1.1 }
  }
}

/// Reads single elements of a tensor. It keeps in memory the chunk that was read last, or the
/// whole tensor.
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
