/// Names in the order that a person expects: `layer.2` before `layer.10`.
package enum NaturalOrder {
  package static func precedes(_ a: String, _ b: String) -> Bool {
    let (left, right) = (parts(a), parts(b))
    for (one, other) in zip(left, right) where one != other {
      if let number = Int(one), let otherNumber = Int(other), number != otherNumber {
        return number < otherNumber
      }
      return one < other
    }
    return (left.count, a) < (right.count, b)
  }

  /// The runs of digits and of other letters in a name.
  private static func parts(_ name: String) -> [Substring] {
    var parts: [Substring] = []
    var rest = Substring(name)
    while let first = rest.first {
      let run = rest.prefix { $0.isASCII && $0.isNumber == (first.isASCII && first.isNumber) }
      let part = run.isEmpty ? rest.prefix(1) : run
      parts.append(part)
      rest = rest[part.endIndex...]
    }
    return parts
  }
}
