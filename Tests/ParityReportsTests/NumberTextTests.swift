import Testing

@testable import ParityReports

@Suite struct NumberTextTests {
  @Test(
    arguments: [
      (0, "0"), (1, "1.00e+00"), (1.3e-6, "1.30e-06"), (-0.012345, "-1.23e-02"),
      (9.999e-5, "1.00e-04"), (9.995e9, "1.00e+10"), (1e-5, "1.00e-05"), (1000, "1.00e+03"),
      (.infinity, "inf"), (-.infinity, "-inf"), (.nan, "nan"),
      (.leastNonzeroMagnitude, "4.94e-324"), (.greatestFiniteMagnitude, "1.80e+308"),
    ] as [(Double, String)])
  func writesScientificNotation(value: Double, text: String) {
    #expect(NumberText.scientific(value) == text)
  }

  @Test func digitsAreSignificantOnes() {
    #expect(NumberText.scientific(1.3e-6, digits: 2) == "1.3e-06")
    #expect(NumberText.scientific(2, digits: 1) == "2e+00")
  }

  @Test func digitsGrowUntilTwoNumbersPrintDifferently() {
    #expect(NumberText.distinct(1.0000e-5, 1.0004e-5) == ("1.0000e-05", "1.0004e-05"))
    #expect(NumberText.distinct(1, 2) == ("1.00e+00", "2.00e+00"))
    #expect(NumberText.distinct(1, 1) == ("1.00e+00", "1.00e+00"))
    let (a, b) = NumberText.distinct(1, 1.0.nextUp)
    #expect(a != b)
  }

  @Test(
    arguments: [
      (0, "0.0%"), (0.431, "43.1%"), (1e-6, "<0.1%"), (1, "100.0%"), (12.5, "1250.0%"),
      (.infinity, "inf%"), (.nan, "inf%"),
    ] as [(Double, String)])
  func writesPercentages(share: Double, text: String) {
    #expect(NumberText.percent(share) == text)
  }

  @Test func writesSecondsAndCounts() {
    #expect(NumberText.seconds(0.304) == "0.30 s")
    #expect(NumberText.seconds(61.999) == "62.00 s")
    #expect(NumberText.count(1, "case") == "1 case")
    #expect(NumberText.count(0, "case") == "0 cases")
  }
}

@Suite struct StyleTests {
  @Test func namesFromFilesCannotControlTheTerminal() {
    #expect(Style.printable("a\u{1B}[31mb\nc\u{202E}d") == "a\\u{1b}[31mb\\u{a}c\\u{202e}d")
    #expect(Style.printable("größe |Δ| 名") == "größe |Δ| 名")
  }

  @Test func coloursOnlyWhereTheyAreWanted() {
    #expect(Style(isColored: false).colored("x", .red) == "x")
    #expect(Style(isColored: true).colored("x", .red) == "\u{1B}[31mx\u{1B}[0m")
  }

  @Test(arguments: [0, 0.5, 1, 1.001, 1.234999, 9.99, 9.9901, 9.9999, 0x1p-1074, 1.3e-6, 0x1p1000])
  func aNumberRoundedUpIsNoSmaller(value: Double) throws {
    let shown = try #require(Double(NumberText.scientificUp(value)))
    #expect(shown >= value && (shown <= value * 1.011 || value < 0x1p-1022))
    // What three digits hold is shown as it is.
    let plain = NumberText.scientific(value)
    if Double(plain) == value { #expect(NumberText.scientificUp(value) == plain) }
  }
}
