import RealModule

/// Numbers as a person reads them.
package enum NumberText {
  /// In scientific notation with `digits` significant digits: `1.30e-06`.
  package static func scientific(_ value: Double, digits: Int = 3) -> String {
    guard value.isFinite else { return value.isNaN ? "nan" : value < 0 ? "-inf" : "inf" }
    guard value != 0 else { return "0" }
    let magnitude = abs(value)
    var exponent = Int(Double.log10(magnitude).rounded(.down))
    // Two steps, since 10^exponent itself can be out of range.
    let shift = digits - 1 - exponent
    let scaled =
      shift > 300
      ? magnitude * Double.pow(10, 300) * Double.pow(10, Double(shift - 300))
      : magnitude * Double.pow(10, Double(shift))
    var digitsText = String(Int(scaled.rounded()))
    // Rounding can carry, and the logarithm can be off by one.
    exponent += digitsText.count - digits
    digitsText = String(digitsText.prefix(digits))
    let fraction = digitsText.dropFirst()
    let sign = value < 0 ? "-" : ""
    let exponentText =
      (exponent < 0 ? "-" : "+") + (abs(exponent) < 10 ? "0" : "") + String(abs(exponent))
    return sign + digitsText.prefix(1) + (fraction.isEmpty ? "" : "." + fraction) + "e"
      + exponentText
  }

  /// As `scientific`, rounded up: never less than `value`, which is 0 or more.
  package static func scientificUp(_ value: Double, digits: Int = 3) -> String {
    var (text, raised) = (scientific(value, digits: digits), value)
    while let shown = Double(text), shown < value {
      // A fifth of a unit in the last digit of the smallest number with as many.
      raised *= 1 + 0.2 * Double.pow(10, Double(-digits))
      text = scientific(raised, digits: digits)
    }
    return text
  }

  /// Two numbers with as many digits as it takes to tell them apart.
  package static func distinct(_ a: Double, _ b: Double) -> (String, String) {
    for digits in 3...17 {
      let pair = (scientific(a, digits: digits), scientific(b, digits: digits))
      if a == b || pair.0 != pair.1 { return pair }
    }
    return ("\(a)", "\(b)")
  }

  /// A share as a percentage: `43.1%`, `0.3%`, `<0.1%`.
  package static func percent(_ share: Double) -> String {
    let tenths = (share * 1000).rounded()
    guard tenths.isFinite, abs(tenths) < 1e15 else { return "inf%" }
    if tenths == 0, share > 0 { return "<0.1%" }
    return "\(Int(tenths) / 10).\(Int(tenths) % 10)%"
  }

  /// A small number with two digits after the point, a large one in scientific
  /// notation.
  package static func short(_ value: Double) -> String {
    guard abs(value) < 1e4 else { return scientific(value) }
    let hundredths = Int((abs(value) * 100).rounded())
    let digits = hundredths % 100
    return (value < 0 ? "-" : "") + "\(hundredths / 100).\(digits < 10 ? "0" : "")\(digits)"
  }

  /// Seconds with two digits after the point.
  package static func seconds(_ value: Double) -> String {
    let hundredths = Int((value * 100).rounded())
    return "\(hundredths / 100).\(hundredths % 100 < 10 ? "0" : "")\(hundredths % 100) s"
  }

  /// `1 case`, `2 cases`.
  package static func count(_ number: Int, _ noun: String) -> String {
    "\(number) \(noun)" + (number == 1 ? "" : "s")
  }
}
