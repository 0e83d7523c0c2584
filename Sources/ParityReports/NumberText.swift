import Platform

/// Numbers as a person reads them.
///
/// ```swift
/// NumberText.scientific(0.00000129984)  // "1.30e-06"
/// NumberText.percent(0.431)             // "43.1%"
/// NumberText.count(2, "case")           // "2 cases"
/// ```
package enum NumberText {
  /// A number in scientific notation with `digits` significant digits: `1.30e-06`. Zero is
  /// `0`, and a number that is not finite is `inf`, `-inf` or `nan`.
  ///
  /// A number half way between two is rounded away from 0, as one does by hand: 4.375e-08 is
  /// `4.38e-08`, though the double of that name is a little less.
  package static func scientific(_ value: Double, digits: Int = 3) -> String {
    if value == 0 { return "0" }
    if value.isNaN { return "nan" }
    let raised = value * (1 + .ulpOfOne)
    return printed("%.\(digits - 1)e", digits < 16 && raised.isFinite ? raised : value)
  }

  /// As `scientific` with three digits, but rounded up: what is shown is never less than
  /// `value`, which is 0 or more.
  package static func scientificUp(_ value: Double) -> String {
    var (text, raised) = (scientific(value), value)
    while let shown = Double(text), shown < value {
      // A fifth of a unit in the last digit of the smallest number with three digits.
      raised *= 1.0002
      text = scientific(raised)
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

  /// A tensor's element with as many digits as its type tells apart.
  ///
  /// - Parameter isDouble: whether the type is float64; any other holds no more than a float.
  static func element(_ value: Double, isDouble: Bool) -> String {
    if value.isNaN { return "nan" }
    return isDouble ? "\(value)" : "\(Float(value))"
  }

  /// A share as a percentage: `43.1%`, `0.3%`, `<0.1%`.
  package static func percent(_ share: Double) -> String {
    let tenths = (share * 1000).rounded()
    guard tenths.isFinite, abs(tenths) < 1e15 else { return "inf%" }
    return tenths == 0 && share > 0 ? "<0.1%" : "\(tenths / 10)%"
  }

  /// A number below 10,000 with two digits after the point, a larger one in scientific
  /// notation.
  package static func short(_ value: Double) -> String {
    abs(value) < 1e4 ? printed("%.2f", (value * 100).rounded() / 100) : scientific(value)
  }

  /// Seconds with two digits after the point: `0.30 s`.
  package static func seconds(_ value: Double) -> String { printed("%.2f s", value) }

  /// `1 case`, `2 cases`.
  package static func count(_ number: Int, _ noun: String) -> String {
    "\(number) \(noun)" + (number == 1 ? "" : "s")
  }

  /// One number as C's `printf` writes it, cut after 63 bytes.
  ///
  /// - Parameter format: with one conversion, for a number of this type.
  package static func printed(_ format: String, _ number: some CVarArg) -> String {
    withVaList([number]) { list in
      String(unsafeUninitializedCapacity: 64) { text in
        text.withMemoryRebound(to: CChar.self) { text in
          min(63, Int(vsnprintf(text.baseAddress, 64, format, list)))
        }
      }
    }
  }
}
