/// Ascending numbers as people say them: "0, 2 to 5 and 9".
struct NumberRanges {
  private let numbers: [Int]

  init(_ numbers: [Int]) { self.numbers = numbers }

  /// The numbers behind a noun, in the plural where there are several: "steps 0 to 3"; nil where
  /// that would take more than four ranges.
  func text(_ noun: String) -> String? {
    let ranges = ranges
    guard !ranges.isEmpty, ranges.count <= 4 else { return nil }
    let parts = ranges.map { range in
      switch range.count {
      case 1: "\(range.lowerBound)"
      case 2: "\(range.lowerBound) and \(range.upperBound)"
      default: "\(range.lowerBound) to \(range.upperBound)"
      }
    }
    let told =
      parts.count == 1
      ? parts[0] : "\(parts.dropLast().joined(separator: ", ")) and \(parts[parts.count - 1])"
    return "\(noun)\(numbers.count == 1 ? "" : "s") \(told)"
  }

  /// The same distance between each number and the next, where there are three or more and they do
  /// not stand side by side.
  var period: Int? {
    guard numbers.count >= 3 else { return nil }
    let distances = Set(zip(numbers, numbers.dropFirst()).map { $1 - $0 })
    guard let distance = distances.first, distances.count == 1, distance > 1 else { return nil }
    return distance
  }

  /// The first of them: "3, 7, 11, …".
  var list: String {
    numbers.prefix(3).map(String.init).joined(separator: ", ") + (numbers.count > 3 ? ", …" : "")
  }

  private var ranges: [ClosedRange<Int>] {
    var ranges: [ClosedRange<Int>] = []
    for number in numbers {
      if let last = ranges.last, last.upperBound + 1 == number {
        ranges[ranges.count - 1] = last.lowerBound...number
      } else {
        ranges.append(number...number)
      }
    }
    return ranges
  }
}

extension Int {
  /// 2nd, 3rd, 4th.
  var ordinal: String {
    switch (self % 10, self % 100) {
    case (_, 11...13): "\(self)th"
    case (1, _): "\(self)st"
    case (2, _): "\(self)nd"
    case (3, _): "\(self)rd"
    default: "\(self)th"
    }
  }
}
