import FixtureSupport
import ParityFixtures
import ParityJudging
import RecurrentModel
import TensorComparison
import TensorCore
import TestSupport
import Testing

@testable import ParityReports

/// What a person reads, word for word.
@Suite struct TextReportTests {
  private func lines(
    _ result: CaseResult, _ detail: TextReport.Detail = .normal
  ) -> [String] {
    var report = TextReport(
      style: Style(isColored: false), detail: detail, names: [result.location.name])
    return report.lines(result)
  }

  private func fixture(_ name: String) throws -> ParityCase {
    let locations = Discovery(paths: [Repository.fixtures]).cases
    return try ParityCase.load(try #require(locations.first { $0.name == name }))
  }

  /// A case whose reference is 0.5 in one element of `output`.
  private func failing(_ rule: ToleranceRule? = nil) throws -> CaseResult {
    let parityCase = try fixture("lstm-bidirectional-batch-first")
    let outputs = parityCase.outputs
    let output = try #require(outputs.output)
    var elements = output.elements(as: Float.self)
    elements[75] = 0.5  // (1, 1, 3)
    let changed = RecurrentOutput(
      output: Tensor(elements, shape: output.shape), hN: outputs.hN, cN: outputs.cN)
    return Judge(override: rule).judge(parityCase.with(outputs: changed))
  }

  @Test func aFailureIsToldInTorchTestingsOrder() throws {
    let lines = lines(try failing(.torch))
    #expect(
      lines[0]
        == "failed        lstm-bidirectional-batch-first  the reference does not follow from "
        + "these weights and this configuration")
    #expect(lines[1] == "    output: 1 of 180 elements differ (0.6%)")
    #expect(lines[2].hasPrefix("      largest absolute difference "))
    #expect(lines[2].contains(" at (1, 1, 3), 1.07e-05 allowed: engine "))
    #expect(lines[2].hasSuffix(", reference 0.5"))
    #expect(lines[3].hasPrefix("      largest relative difference "))
    #expect(lines[3].contains(" at (1, 1, 3), rtol 1.3e-06: engine "))
    #expect(
      lines[4].hasPrefix("      first at (1, 1, 3): sequence 1, step 1, forward, unit 3: engine "))
    #expect(lines.count == 6)
  }

  @Test func underTheNoiseRuleSigmaIsTheUnit() throws {
    let lines = lines(try failing())
    #expect(lines[1] == "    output: 1 of 180 elements differ (0.6%)")
    #expect(lines[2].hasPrefix("      largest absolute difference 3.94e-01 at (1, 1, 3), "))
    #expect(lines[4].hasPrefix("      in units of the rounding noise: largest "))
    #expect(lines[4].contains(" at (1, 1, 3), 8.00 allowed; root mean square "))
    #expect(lines[5].hasPrefix("      first at (1, 1, 3): "))
    #expect(lines.count == 7)
  }

  @Test func aPassIsOneLine() throws {
    let result = Judge().judge(try fixture("lstm"))
    let lines = lines(result)
    #expect(lines.count == 1)
    #expect(lines[0].hasPrefix("passed        lstm  largest |Δ| "))
    #expect(lines[0].hasSuffix("σ of rounding noise"))
    let torch = self.lines(Judge(override: .torch).judge(try fixture("lstm")))
    #expect(torch[0].hasSuffix("% of the tolerance"))
    #expect(self.lines(result, .quiet).isEmpty)
  }

  @Test func verboseTellsAllThatWasMeasured() throws {
    let text = lines(Judge().judge(try fixture("lstm-packed")), .verbose)
      .joined(separator: "\n")
    for expected in [
      "LSTM(5, 6, batch_first=True, bidirectional=True)", "engine against reference",
      "reference against oracle", "engine against oracle", " ULP, ", "largest z ", "rms z ",
      "torch.testing agrees",
      "reference: output[b, lengths[b]-1, :6] == h_n[0, b]  holds",
      "engine: output[b, lengths[b]:] == 0  holds", "bit", "does not apply",
    ] {
      #expect(text.contains(expected), "\(expected)")
    }
  }

  @Test func aBrokenContractNamesTheIdentityAndTheMistake() throws {
    let parityCase = try fixture("article-printed")
    let outputs = parityCase.outputs
    let swapped = try #require(outputs.output).gathering(
      (0..<48).map { $0 % 12 < 6 ? $0 + 6 : $0 - 6 }, shape: [1, 4, 12])
    let lines = lines(
      Judge().judge(
        parityCase.with(
          outputs: RecurrentOutput(output: swapped, hN: outputs.hN, cN: outputs.cN))))
    #expect(lines[0] == "invalid       article-printed  the reference breaks the layout contract")
    #expect(
      lines[1].hasPrefix(
        "    violated  output[:, -1, :6] == h_n[0]  6 of 6 elements differ, by up to "))
    #expect(lines[2].hasPrefix("    violated  output[:, 0, 6:] == h_n[1]   6 of 6 elements differ"))
    #expect(
      lines[3]
        == "    the directions of output are swapped: its first half is the reverse direction's")
  }

  @Test func theSummaryCountsEveryStatus() async throws {
    var report = TextReport(style: Style(isColored: false), detail: .quiet, names: [])
    for name in ["lstm", "gru", "article-printed-input"] {
      _ = report.lines(Judge().judge(try fixture(name)))
    }
    _ = report.lines(try failing())
    _ = report.lines(await Judge().judge(CaseLocation(name: "x", path: "/nonexistent")))
    #expect(
      report.summary(seconds: 1.5)
        == "5 cases: 2 passed, 1 failed, 1 unreadable, 1 skipped in 1.50 s")
  }

  @Test func aHostileNameStaysOnItsLine() async {
    let location = CaseLocation(name: "a\n\u{1B}[2Jb", path: "/nonexistent")
    let lines = lines(await Judge().judge(location))
    #expect(lines.count == 1)
    #expect(!lines[0].unicodeScalars.contains("\u{1B}") && !lines[0].contains("\n"))
  }
}
