import TensorCore

/// What a second pass says of two tensors that differ.
package struct DifferenceDetail: Sendable {
  /// `|Δ|` of all elements at which both sides are finite.
  package private(set) var decades = Decades()
  /// Where the mismatches lie, axis by axis.
  package private(set) var axes: [AxisHits]
  /// The smallest rtol that passes all finite elements with the atol that was asked
  /// for; infinite where an expected 0 needs a larger atol, 0 where none is needed.
  package private(set) var sufficientRtol = 0.0
  private(set) var actualNaNs = 0
  private(set) var expectedNaNs = 0
  private(set) var actualZeros = 0
  private(set) var expectedZeros = 0

  private let sizes: [Int]

  init(_ shape: Shape) {
    sizes = shape.axes
    axes = shape.axes.map { AxisHits(size: $0) }
  }

  mutating func merge(_ other: DifferenceDetail) {
    decades.merge(other.decades)
    for axis in axes.indices { axes[axis].merge(other.axes[axis]) }
    sufficientRtol = max(sufficientRtol, other.sufficientRtol)
    actualNaNs += other.actualNaNs
    expectedNaNs += other.expectedNaNs
    actualZeros += other.actualZeros
    expectedZeros += other.expectedZeros
  }

  /// O(elements), and O(rank) for each row with a mismatch.
  mutating func add(_ pair: BlockPair, offset: Int, _ bounds: Bounds) {
    let atol = bounds.atol
    switch pair {
    case .floats(let ours, let theirs):
      add(offset, ours.count, atol: atol) { position in
        let (actual, expected) = (Double(ours[position]), Double(theirs[position]))
        return Element(actual, expected, abs(actual - expected), bounds.pass(actual, expected))
      }
    case .doubles(let ours, let theirs):
      add(offset, ours.count, atol: atol) { position in
        let (actual, expected) = (ours[position], theirs[position])
        return Element(actual, expected, abs(actual - expected), bounds.pass(actual, expected))
      }
    case .integers(let ours, let theirs):
      add(offset, ours.count, atol: atol) { position in
        let (actual, expected) = (ours[position], theirs[position])
        return Element(
          Double(actual), Double(expected), Double(Tally.distance(actual, expected)),
          bounds.pass(actual, expected))
      }
    }
  }

  /// One element of both sides.
  private struct Element {
    let actual: Double
    let expected: Double
    let distance: Double
    let passes: Bool

    @inline(__always)
    init(_ actual: Double, _ expected: Double, _ distance: Double, _ passes: Bool) {
      self.actual = actual
      self.expected = expected
      self.distance = distance
      self.passes = passes
    }
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
      var isHit = false
      for place in position..<end {
        let element = element(place)
        actualNaNs += element.actual.isNaN ? 1 : 0
        expectedNaNs += element.expected.isNaN ? 1 : 0
        actualZeros += element.actual == 0 ? 1 : 0
        expectedZeros += element.expected == 0 ? 1 : 0
        let isFinite = element.actual.isFinite && element.expected.isFinite
        if isFinite { decades.add(element.distance) }
        if element.passes { continue }
        isHit = true
        if let last = sizes.indices.last { axes[last].hit(column + place - position) }
        if isFinite, element.distance > atol {
          keepRtol(for: element, atol)
        }
      }
      if isHit { hitOuterAxes((offset + position) / row) }
      position = end
    }
  }

  private mutating func keepRtol(for element: Element, _ atol: Double) {
    let magnitude = abs(element.expected)
    guard element.distance > atol + sufficientRtol * magnitude else { return }
    sufficientRtol = (element.distance - atol) / magnitude
    // The quotient is rounded, and so can be a little too small.
    while sufficientRtol.isFinite, element.distance > atol + sufficientRtol * magnitude {
      sufficientRtol = sufficientRtol.nextUp
    }
  }

  private mutating func hitOuterAxes(_ row: Int) {
    var rest = row
    for axis in sizes.indices.dropLast().reversed() {
      axes[axis].hit(rest % sizes[axis])
      rest /= sizes[axis]
    }
  }
}
