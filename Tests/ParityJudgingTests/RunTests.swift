import FixtureSupport
import ParityFixtures
import TestSupport
import Testing

@testable import ParityJudging

@Suite struct RunStatusTests {
  @Test(
    arguments: [
      ([], .unusable), ([.passed], .passed), ([.passed, .skipped], .passed), ([.skipped], .passed),
      ([.passed, .failed], .failed), ([.inconclusive, .passed], .failed),
      ([.failed, .invalid], .unusable), ([.unreadable], .unusable),
      ([.inconclusive, .failed, .unreadable], .unusable),
    ] as [([CaseStatus], RunStatus)])
  func isWhatTheContractSays(statuses: [CaseStatus], expected: RunStatus) {
    #expect(RunStatus(of: statuses) == expected)
  }

  /// Whatever else was skipped or passed without the program.
  @Test(
    arguments: [([.skipped], .failed), ([.skipped, .passed], .failed), ([.invalid], .unusable)]
      as [([CaseStatus], RunStatus)])
  func whatAProgramHasDeclinedIsNotGreen(statuses: [CaseStatus], expected: RunStatus) {
    #expect(RunStatus(of: statuses, isDeclined: true) == expected)
  }

  @Test func numbersAreTheContracts() {
    #expect(RunStatus.passed.rawValue == 0)
    #expect(RunStatus.failed.rawValue == 1)
    #expect(RunStatus.unusable.rawValue == 2)
  }
}

@Suite struct JudgeRunTests {
  private static let missing = CaseLocation(name: "missing", path: "/nonexistent.npz")

  private func names(
    _ cases: [CaseLocation], jobs: Int, failFast: Bool = false
  ) async -> [String] {
    var names: [String] = []
    await JudgeRun(Judge(), jobs: jobs, failFast: failFast).run(cases) {
      names.append($0.location.name)
    }
    return names
  }

  @Test(arguments: [1, 2, 7, 100])
  func reportsEveryCaseInOrder(jobs: Int) async {
    let cases = FixtureSuite.locations
    #expect(await names(cases, jobs: jobs) == cases.map(\.name))
  }

  @Test(arguments: [1, 2, 7, 100])
  func failFastStopsAfterTheSameCase(jobs: Int) async {
    var cases = FixtureSuite.locations
    cases.insert(Self.missing, at: 5)
    #expect(
      await names(cases, jobs: jobs, failFast: true) == cases.prefix(6).map(\.name))
    #expect(await names(cases, jobs: jobs).count == cases.count)
  }

  @Test func noCasesGiveNoResults() async {
    #expect(await names([], jobs: 4).isEmpty)
  }
}
