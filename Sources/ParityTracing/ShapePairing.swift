import TensorArchives
import TensorCore

/// Brings values and tensors together that have no name in common: those of one shape by their
/// numbers, as far as these are near to each other, since most stages of an implementation are
/// right; what is left in the order of execution and of the names.
struct ShapePairing {
  /// A value of the reference or a tensor of the implementation.
  struct Item {
    let name: String
    /// The axes but for those of size 1. Items without any are left out.
    let axes: [Int]
    /// The first elements.
    let start: [Double]

    /// - Returns: nil where the tensor can't be read.
    init?(_ name: String, _ source: (any TensorSource)?) {
      guard let source else { return nil }
      self.name = name
      axes = source.header.shape.withoutOnes
      let count = min(ShapePairing.sample, source.header.shape.elementCount)
      guard let block = try? source.block(0..<count) else { return nil }
      start = block.elements()
    }
  }

  /// How many elements of each are compared.
  private static let sample = 512
  /// Two are near each other where the root mean square of their differences is at most this share
  /// of their size.
  private static let largestRelative = 0.1

  /// The names of the tensors, by those of the values.
  private(set) var found: [String: String] = [:]
  private var values: [Item]
  private var names: [Item]

  /// - Parameters:
  ///   - values: in the order of execution.
  ///   - names: in the order of the names.
  /// - Complexity: O(pairs of one shape).
  init(_ values: [Item], _ names: [Item]) {
    self.values = values.filter { !$0.axes.isEmpty }
    self.names = names.filter { !$0.axes.isEmpty }
    pairByNumbers()
    pairInOrder { $0.axes }
    pairInOrder { $0.axes.sorted() }
  }

  /// The nearest first.
  private mutating func pairByNumbers() {
    let shapes = Dictionary(grouping: names.indices) { names[$0].axes }
    var near: [(distance: Double, value: Int, name: Int)] = []
    for value in values.indices {
      for name in shapes[values[value].axes] ?? [] {
        let distance = Self.distance(names[name].start, values[value].start)
        if distance <= Self.largestRelative { near.append((distance, value, name)) }
      }
    }
    var (usedValues, usedNames): (Set<Int>, Set<Int>) = ([], [])
    for pair in near.sorted(by: { $0 < $1 })
    where !usedValues.contains(pair.value) && !usedNames.contains(pair.name) {
      usedValues.insert(pair.value)
      usedNames.insert(pair.name)
      found[values[pair.value].name] = names[pair.name].name
    }
    values = values.indices.filter { !usedValues.contains($0) }.map { values[$0] }
    names = names.indices.filter { !usedNames.contains($0) }.map { names[$0] }
  }

  /// Those of one shape, where there are as many on both sides.
  private mutating func pairInOrder(_ shape: (Item) -> [Int]) {
    let shapes = Dictionary(grouping: names, by: shape)
    for (axes, own) in Dictionary(grouping: values, by: shape) {
      guard let others = shapes[axes], others.count == own.count else { continue }
      for (value, name) in zip(own, others) { found[value.name] = name.name }
    }
    let used = Set(found.values)
    values.removeAll { found[$0.name] != nil }
    names.removeAll { used.contains($0.name) }
  }

  /// The root mean square of the differences relative to the second; infinite where it is 0.
  private static func distance(_ a: [Double], _ b: [Double]) -> Double {
    var (difference, size) = (0.0, 0.0)
    for (a, b) in zip(a, b) where a.isFinite && b.isFinite {
      difference += (a - b) * (a - b)
      size += b * b
    }
    return size > 0 ? (difference / size).squareRoot() : .infinity
  }
}
