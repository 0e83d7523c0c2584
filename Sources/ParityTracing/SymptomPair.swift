import ArchiveComparison
import TensorComparison
import TensorCore

/// The elements of a value and of the tensor in its place, and what can be said of the second one.
struct SymptomPair {
  let actual: [Double]
  let expected: [Double]
  /// nil where the value has no σ.
  let sigma: [Double]?
  let shape: Shape

  /// What explains the whole difference; empty where nothing does. The simplest comes first.
  var symptoms: [String] {
    if let text = constant { return [text] }
    if let text = notFinite { return [text] }
    if let text = factor ?? offset ?? exchanged ?? cut ?? halves ?? moved { return [text] }
    return []
  }

  /// Whether elements are the same but for errors that are far smaller than the one that is to be
  /// explained.
  func isNear(_ a: some Collection<Double>, _ b: some Collection<Double>) -> Bool {
    guard !a.isEmpty, a.count == b.count else { return false }
    var (difference, size) = (0.0, 0.0)
    for (a, b) in zip(a, b) {
      guard a.isFinite, b.isFinite else { return false }
      difference += (a - b) * (a - b)
      size += b * b
    }
    return size > 0 && difference <= 1e-8 * size
  }

  // MARK: - All elements alike

  private var constant: String? {
    guard let first = actual.first, !expected.allSatisfy({ $0 == expected[0] }) else { return nil }
    if actual.allSatisfy(\.isNaN) { return "all NaN" }
    guard actual.allSatisfy({ $0 == first }) else { return nil }
    return first == 0 ? "all 0" : "all \(first)"
  }

  private var notFinite: String? {
    let wrong = actual.indices.filter { !actual[$0].isFinite && expected[$0].isFinite }
    guard let first = wrong.first else { return nil }
    let what = wrong.allSatisfy { actual[$0].isNaN } ? "NaN" : "not finite"
    return
      "\(what) at \(wrong.count) of \(actual.count) elements, first at \(shape.indexText(first))"
  }

  private var factor: String? {
    let squares = expected.reduce(0) { $0 + $1 * $1 }
    let factor = zip(actual, expected).reduce(0) { $0 + $1.0 * $1.1 } / squares
    guard factor.isFinite, abs(factor) > 1e-6, expected.count > 2,
      isNear(actual, expected.map { $0 * factor })
    else { return nil }
    if abs(factor + 1) < 1e-3 { return "its sign is reversed" }
    return "\(Self.short(factor)) times what is expected"
  }

  private var offset: String? {
    let mean = zip(actual, expected).reduce(0) { $0 + $1.0 - $1.1 } / Double(actual.count)
    guard expected.count > 2, abs(mean) > 0, isNear(actual.map { $0 - mean }, expected) else {
      return nil
    }
    return "\(Self.short(mean)) more than what is expected, in each element"
  }

  // MARK: - The right elements in other places

  private var exchanged: String? {
    let (a, e) = (Tensor(actual, shape: shape), Tensor(expected, shape: shape))
    let size = expected.lazy.map(abs).max() ?? 0
    let found = Rearrangement.found(
      actual: a, expected: e, within: .bound(rtol: 1e-4, atol: 1e-4 * size))
    return found.map { "it \($0)" }
  }

  /// Reversed along an axis, or shifted by some steps along one.
  private var moved: String? {
    for axis in shape.axes.indices where shape.axes[axis] > 1 {
      let size = shape.axes[axis]
      let own = lines(along: axis, of: actual)
      let wanted = lines(along: axis, of: expected)
      if isNear(own.reversed().joined(), Array(wanted.joined())) {
        return "in reverse order along axis \(axis)"
      }
      for shift in 1...3 where size > shift + 1 {
        if isNear(own.dropFirst(shift).joined(), Array(wanted.dropLast(shift).joined())) {
          return "\(shift) late along axis \(axis): index \(shift) holds what index 0 should"
        }
        if isNear(own.dropLast(shift).joined(), Array(wanted.dropFirst(shift).joined())) {
          return "\(shift) early along axis \(axis): index 0 holds what index \(shift) should"
        }
      }
    }
    return nil
  }

  // MARK: - A part of it

  private var halves: String? {
    for axis in shape.axes.indices.reversed() where shape.axes[axis] > 1 {
      let size = shape.axes[axis]
      guard size.isMultiple(of: 2) else { continue }
      let (own, wanted) = (lines(along: axis, of: actual), lines(along: axis, of: expected))
      let (first, second) = (0..<size / 2, size / 2..<size)
      func agrees(_ a: Range<Int>, _ b: Range<Int>) -> Bool {
        isNear(Array(own[a].joined()), Array(wanted[b].joined()))
      }
      if agrees(first, second), agrees(second, first) {
        return "its halves along axis \(axis) are exchanged"
      }
      if agrees(first, first) {
        return "the first half of axis \(axis) is right, the second is not"
      }
      if agrees(second, second) {
        return "the second half of axis \(axis) is right, the first is not"
      }
    }
    return nil
  }

  /// Right up to an index along an axis, and 0 from there on.
  private var cut: String? {
    for axis in shape.axes.indices where shape.axes[axis] > 1 {
      let (own, wanted) = (lines(along: axis, of: actual), lines(along: axis, of: expected))
      guard let last = own.lastIndex(where: { $0.contains { $0 != 0 } }), last + 1 < own.count
      else { continue }
      let rest = last + 1..<own.count
      guard rest.contains(where: { wanted[$0].contains { $0 != 0 } }),
        isNear(Array(own[...last].joined()), Array(wanted[...last].joined()))
      else { continue }
      return "cut off: right up to index \(last) of axis \(axis), and 0 behind it"
    }
    return nil
  }

  /// Where the elements are that differ.
  var places: String? {
    let sizes = shape.axes
    var runs: [String] = []
    for axis in sizes.indices where sizes[axis] > 1 {
      let (own, wanted) = (lines(along: axis, of: actual), lines(along: axis, of: expected))
      let wrong = own.indices.filter { index in !isSame(own[index], wanted[index], axis, index) }
      guard wrong.count < sizes[axis], let first = wrong.first, let last = wrong.last else {
        continue
      }
      let span = last - first + 1 == wrong.count
      runs.append(
        "axis \(axis): "
          + (wrong.count == 1
            ? "index \(first) alone"
            : span ? "indices \(first) to \(last)" : "\(wrong.count) of \(sizes[axis]) indices"))
    }
    return runs.isEmpty ? nil : "it differs at " + runs.joined(separator: "; ")
  }

  private func isSame(_ a: [Double], _ b: [Double], _ axis: Int, _ index: Int) -> Bool {
    guard let sigma else { return isNear(a, b) || a == b }
    let own = lines(along: axis, of: sigma)[index]
    return a.indices.allSatisfy { abs(a[$0] - b[$0]) <= 12 * own[$0] }
  }

  /// For each index along an axis all elements there.
  private func lines(along axis: Int, of elements: [Double]) -> [[Double]] {
    let size = shape.axes[axis]
    let inner = shape.axes[(axis + 1)...].reduce(1, *)
    var lines = [[Double]](repeating: [], count: size)
    for start in stride(from: 0, to: elements.count, by: inner) {
      lines[start / inner % size] += elements[start..<start + inner]
    }
    return lines
  }

  private static func short(_ value: Double) -> String {
    let rounded = (value * 1e4).rounded() / 1e4
    return abs(value) >= 1e-2 && abs(value) < 1e4 ? "\(rounded)" : "\(Float(value))"
  }
}

extension Shape {
  /// The place of an element: `(2, 4, 6)`.
  fileprivate func indexText(_ offset: Int) -> String { Shape.text(index(at: offset)) }
}
