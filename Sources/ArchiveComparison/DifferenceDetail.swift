import TensorCore

/// The details of how two tensors differ, which a second pass over them finds: how the sizes of
/// the differences are distributed, where they are, and which rtol would allow them.
package struct DifferenceDetail: Sendable {
  /// The differences `|actual − expected|` of all elements at which both sides are finite.
  package private(set) var decades = DecadeHistogram()
  /// For each axis of the tensors, the indices along it at which there are mismatches.
  package private(set) var axes: [AxisIndexSet]
  /// The smallest rtol with which all finite elements pass, together with the atol of the
  /// comparison. Infinite where an expected 0 needs a larger atol, and 0 where none is needed.
  package private(set) var sufficientRtol = 0.0
  /// How many elements of each side are not NaN, and how many are not 0.
  private var (actualNumbers, expectedNumbers) = (0, 0)
  private var (actualNonZeros, expectedNonZeros) = (0, 0)

  /// Whether all actual elements are NaN, and not all expected ones.
  package var isAllNaN: Bool { actualNumbers == 0 && expectedNumbers > 0 }
  /// Whether all actual elements are 0, and not all expected ones.
  package var isAllZero: Bool { actualNonZeros == 0 && expectedNonZeros > 0 }

  /// The sums of the products of the finite elements.
  private var (actualSquares, expectedSquares, products) = (0.0, 0.0, 0.0)

  /// The number that the expected elements times it are the actual ones, where there is one: it
  /// leaves at most a thousandth of the differences, by their root mean square. nil where none does.
  package var factor: Double? {
    // Any two numbers have a factor.
    guard expectedNonZeros >= 3 else { return nil }
    let factor = products / expectedSquares
    let difference = actualSquares - 2 * products + expectedSquares
    let rest = actualSquares - factor * products
    guard factor.isFinite, difference.isFinite, difference > 0, rest <= 1e-6 * difference else {
      return nil
    }
    return factor == 0 ? nil : factor
  }

  private let sizes: [Int]

  init(_ shape: Shape) {
    sizes = shape.axes
    axes = shape.axes.map { AxisIndexSet(size: $0) }
  }

  /// Adds what was found in other blocks of the same tensors.
  mutating func merge(_ other: DifferenceDetail) {
    decades.merge(other.decades)
    for axis in axes.indices { axes[axis].merge(other.axes[axis]) }
    sufficientRtol = max(sufficientRtol, other.sufficientRtol)
    actualNumbers += other.actualNumbers
    expectedNumbers += other.expectedNumbers
    actualNonZeros += other.actualNonZeros
    expectedNonZeros += other.expectedNonZeros
    actualSquares += other.actualSquares
    expectedSquares += other.expectedSquares
    products += other.products
  }

  /// Adds one block of both tensors.
  ///
  /// - Parameter offset: the row-major offset of the block's first element.
  /// - Complexity: O(elements), and O(rank) for each row with a mismatch.
  mutating func add(_ pair: BlockPair, offset: Int, _ bounds: Bounds) {
    let atol = bounds.atol
    switch pair {
    case .floats(let actual, let expected):
      add(offset, actual.count, atol: atol) {
        Element(Double(actual[$0]), Double(expected[$0]), bounds)
      }
    case .doubles(let actual, let expected):
      add(offset, actual.count, atol: atol) { Element(actual[$0], expected[$0], bounds) }
    case .integers(let actual, let expected):
      add(offset, actual.count, atol: atol) {
        Element(
          actual: Double(actual[$0]), expected: Double(expected[$0]),
          distance: Double(Tally.distance(actual[$0], expected[$0])),
          passes: bounds.pass(actual[$0], expected[$0]))
      }
    }
  }

  /// One element of both sides.
  fileprivate struct Element {
    let actual: Double
    let expected: Double
    let distance: Double
    let passes: Bool
  }

  @inline(__always)
  private mutating func add(
    _ offset: Int, _ count: Int, atol: Double, _ element: (Int) -> Element
  ) {
    let row = sizes.last ?? 1
    var position = 0
    while position < count {
      let column = (offset + position) % row
      let end = min(count, position + row - column)
      var hasMismatch = false
      for place in position..<end {
        let element = element(place)
        actualNumbers += element.actual.isNaN ? 0 : 1
        expectedNumbers += element.expected.isNaN ? 0 : 1
        actualNonZeros += element.actual == 0 ? 0 : 1
        expectedNonZeros += element.expected == 0 ? 0 : 1
        let isFinite = element.actual.isFinite && element.expected.isFinite
        if isFinite {
          decades.add(element.distance)
          actualSquares += element.actual * element.actual
          expectedSquares += element.expected * element.expected
          products += element.actual * element.expected
        }
        if element.passes { continue }
        hasMismatch = true
        if let last = sizes.indices.last { axes[last].insert(column + place - position) }
        if isFinite, element.distance > atol { raiseRtol(for: element, atol) }
      }
      if hasMismatch { insertIntoOuterAxes((offset + position) / row) }
      position = end
    }
  }

  /// Raises `sufficientRtol` where this element needs a larger one.
  private mutating func raiseRtol(for element: Element, _ atol: Double) {
    let magnitude = abs(element.expected)
    guard element.distance > atol + sufficientRtol * magnitude else { return }
    sufficientRtol = (element.distance - atol) / magnitude
    // The quotient is rounded, and so can be a little too small.
    while sufficientRtol.isFinite, element.distance > atol + sufficientRtol * magnitude {
      sufficientRtol = sufficientRtol.nextUp
    }
  }

  /// Inserts a row's index along every axis but the last.
  private mutating func insertIntoOuterAxes(_ row: Int) {
    var rest = row
    for axis in sizes.indices.dropLast().reversed() {
      axes[axis].insert(rest % sizes[axis])
      rest /= sizes[axis]
    }
  }
}

extension DifferenceDetail.Element {
  @inline(__always)
  fileprivate init(_ actual: Double, _ expected: Double, _ bounds: Bounds) {
    self.init(
      actual: actual, expected: expected, distance: abs(actual - expected),
      passes: bounds.pass(actual, expected))
  }
}
