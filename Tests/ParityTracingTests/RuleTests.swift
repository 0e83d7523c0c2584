import RecurrentModel
import Testing

@testable import ParityTracing

/// When a stage follows from what it is given, and how names are read.
@Suite struct RuleTests {
  private func level(_ z: Double?, relative: Double = 0, count: Int = 100, isOff: Bool = true)
    -> ErrorLevel
  {
    ErrorLevel(isOff: isOff, z: z, relative: relative, count: count)
  }

  @Test func anErrorFollowsUpToFourTimesItsSizeInSigma() {
    #expect(TraceRule.follows(level(399), from: [level(100)]))
    #expect(!TraceRule.follows(level(401), from: [level(100)]))
    #expect(TraceRule.follows(level(401), from: [level(20), level(101)]))
  }

  @Test func whatIsRightExplainsNothing() {
    #expect(!TraceRule.follows(level(10), from: []))
    #expect(!TraceRule.follows(level(10), from: [level(3, isOff: false)]))
  }

  @Test func aMeanOfManyMayAddErrorsOfOneSign() {
    #expect(TraceRule.follows(level(1000, count: 1), from: [level(100, count: 100)]))
    #expect(!TraceRule.follows(level(1000, count: 100), from: [level(100, count: 100)]))
  }

  @Test func anErrorThatIsNoSmallChangeMayGrowByMore() {
    let gross = level(100, relative: 0.5)
    #expect(TraceRule.follows(level(1599), from: [gross]))
    #expect(!TraceRule.follows(level(1601), from: [gross]))
    #expect(!TraceRule.follows(level(1599), from: [level(100, relative: 0.05)]))
  }

  @Test func withoutSigmaTheRelativeErrorsAreCompared() {
    #expect(TraceRule.follows(level(nil, relative: 0.3), from: [level(nil, relative: 0.01)]))
    #expect(!TraceRule.follows(level(nil, relative: 0.5), from: [level(nil, relative: 0.01)]))
    #expect(TraceRule.follows(level(nil, relative: 0.5), from: [.unmeasurable]))
  }

  @Test func numbersInNamesAreNumbers() {
    let names = ["layer.10", "layer.2", "layer", "a", "layer.2.b"]
    #expect(
      names.sorted(by: NaturalOrder.precedes) == ["a", "layer", "layer.2", "layer.2.b", "layer.10"])
  }

  @Test func rulesRenameAsSedDoes() throws {
    #expect(try RenameRule(#"s/^model\.//"#).applied(to: "model.lstm") == "lstm")
    #expect(try RenameRule("s|layers|blocks|").applied(to: "layers.1") == "blocks.1")
    for bad in ["model", "s/a/b", "s/a/b/g", "s//b/", "s/(/b/", ""] {
      #expect(throws: InvalidValue.self) { try RenameRule(bad) }
    }
  }
}
