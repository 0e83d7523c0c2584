import ArchiveComparison
import TensorComparison
import TensorCore

/// How a tensor differs from the expected one: the largest differences, the tolerance with which
/// it would pass, the indices of the mismatches, and a histogram of the differences.
struct DifferenceText {
  let tensor: ComparedTensor

  var lines: [String] {
    var lines: [String] = []
    if let place = tensor.largestAbsolute {
      let allowed = tensor.limits.allowed(at: place.expected.double, offset: place.offset)
      let (value, limit) =
        place.integerDifference.map { ($0, NumberText.scientific(allowed)) }
        ?? NumberText.distinct(place.value, allowed)
      lines.append(
        "largest absolute difference \(value) at \(index(place)), \(limit) allowed: "
          + values(place))
    }
    if let place = tensor.largestRelative {
      lines.append(
        "largest relative difference \(NumberText.scientific(place.value)) at \(index(place)): "
          + values(place))
    }
    guard let detail = tensor.detail else { return lines }
    if detail.isAllNaN { lines.append("found NaN everywhere") }
    if detail.isAllZero { lines.append("found 0 everywhere") }
    if tensor.tally.mismatches > 0 {
      if let factor = detail.factor {
        let sign = factor == -1 ? ": the sign" : ""
        lines.append("found is \(NumberText.printed("%.4g", factor)) × expected\(sign)")
      }
      lines.append(sufficientTolerance(detail))
      let places = detail.axes.enumerated().filter { $1.size > 1 }.map(places)
      if !places.isEmpty { lines.append("mismatches: " + places.joined(separator: "; ")) }
    }
    return lines + histogram(detail.decades)
  }

  private func index(_ place: ComparedTensor.Extreme) -> String {
    Shape.text(tensor.shape.index(at: place.offset))
  }

  private func values(_ place: ComparedTensor.Extreme) -> String {
    "expected \(text(place.expected)), found \(text(place.actual))"
  }

  private func text(_ number: ComparedTensor.Number) -> String {
    switch number {
    case .integer(let value): "\(value)"
    case .real(let value, let type): NumberText.element(value, isDouble: type == .float64)
    }
  }

  /// The tolerances with which the tensor would pass.
  private func sufficientTolerance(_ detail: DifferenceDetail) -> String {
    let nonFinite = tensor.tally.nonFiniteMismatches
    guard nonFinite == 0 else {
      return "no tolerance would pass: \(nonFinite) not finite on one side only, or not the same"
    }
    guard let largest = tensor.largestAbsolute else {
      return "only signs of zero differ: rtol 0 with atol 0 would pass"
    }
    let atol = "rtol 0 with atol \(NumberText.scientificUp(largest.value))"
    guard largest.value.isFinite else { return "no tolerance would pass: a difference overflows" }
    guard detail.sufficientRtol.isFinite else {
      return "would pass: \(atol); no rtol, where 0 is expected"
    }
    var current = 0.0
    if case .bound(_, let bound) = tensor.limits { current = bound }
    return "would pass: rtol \(NumberText.scientificUp(detail.sufficientRtol)) with "
      + "atol \(current == 0 ? "0" : "\(current)"), or \(atol)"
  }

  /// How many runs of indices are shown for an axis, at most.
  private static let maxRuns = 4

  /// The indices of the mismatches along one axis: `axis 2: 6…11`.
  private func places(_ axis: Int, _ indices: AxisIndexSet) -> String {
    guard let runs = indices.runs else {
      return "axis \(axis): from \(indices.bounds.lowerBound) to \(indices.bounds.upperBound - 1)"
    }
    let count = runs.reduce(0) { $0 + $1.count }
    if count == indices.size { return "axis \(axis): all \(count)" }
    if count == 1 { return "axis \(axis): only \(runs[0].lowerBound)" }
    let shown = runs.prefix(Self.maxRuns).map { run in
      run.count <= 2
        ? run.map(String.init).joined(separator: ", ")
        : "\(run.lowerBound)…\(run.upperBound - 1)"
    }
    let rest = runs.count > Self.maxRuns ? ", … (\(count) of \(indices.size))" : ""
    return "axis \(axis): " + shown.joined(separator: ", ") + rest
  }

  /// How many powers of ten have a row of their own, at most; the smaller ones share one.
  private static let maxRows = 10
  private static let barLength = 24.0

  private func histogram(_ decades: DecadeHistogram) -> [String] {
    let powers = Array(decades.occupied.reversed())
    guard !powers.isEmpty else { return [] }
    var rows = powers.prefix(Self.maxRows).map { power, count in
      (label: NumberText.printed("1e%+03d", CInt(power)), count: count)
    }
    let rest = powers.dropFirst(Self.maxRows).reduce(0) { $0 + $1.count }
    if rest > 0 { rows.append((label: "smaller", count: rest)) }
    if decades.zeros > 0 { rows.append((label: "0", count: decades.zeros)) }
    let most = rows.map(\.count).max() ?? 1
    return ["|Δ| from      elements"]
      + rows.map { label, count in
        let bar = Int((Double(count) / Double(most) * Self.barLength).rounded(.up))
        let number = Style.aligned("\(count)", to: "\(most)".count)
        return "  \(Style.padded(label, to: 10))  \(number)  \(String(repeating: "▪", count: bar))"
      }
  }
}

extension ComparedTensor.Extreme {
  /// The difference of two integers; nil for other numbers, and where it overflows.
  var integerDifference: String? {
    guard case .integer(let actual) = actual, case .integer(let expected) = expected else {
      return nil
    }
    let (difference, overflow) = actual.subtractingReportingOverflow(expected)
    return overflow ? nil : "\(difference.magnitude)"
  }
}

extension ComparedTensor.Number {
  fileprivate var double: Double {
    switch self {
    case .real(let value, _): value
    case .integer(let value): Double(value)
    }
  }
}
