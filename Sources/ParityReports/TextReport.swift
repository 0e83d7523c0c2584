import ParityFixtures
package import ParityJudging
import RecurrentModel
import TensorComparison
import TensorCore

/// The text of `parity-check`: one line for each case, an indented block below it for a failure,
/// and a summary.
///
/// ```swift
/// var report = TextReport(style: style, detail: .normal, names: cases.map(\.name))
/// for result in results { print(report.lines(result)) }
/// print(report.summary(seconds: 1.5))  // 5 cases: 4 passed, 1 failed in 1.50 s
/// ```
package struct TextReport: Sendable {
  /// How much is shown.
  package enum Detail: Sendable {
    /// The cases that did not pass, and the summary.
    case quiet
    /// A line for every case.
    case normal
    /// All that was measured, for every case.
    case verbose
  }

  /// Who reads the report: a hint names what they can change.
  package enum Audience: Sendable {
    /// Users of the program, who have options.
    case commandLine
    /// Users of `ParityTesting`, who have a Swift API.
    case library
  }

  private let style: Style
  private let detail: Detail
  private let audience: Audience
  private let nameWidth: Int
  private var counts: [CaseStatus: Int] = [:]
  /// How many cases passed with a remark.
  private var remarkedCount = 0
  /// How many cases the user's program has declined.
  private var declinedCount = 0

  /// - Parameter names: the names of all cases, for the width of their column.
  package init(
    style: Style, detail: Detail, names: [String], audience: Audience = .commandLine
  ) {
    self.style = style
    self.detail = detail
    self.audience = audience
    nameWidth = Style.width(of: names)
  }

  /// The lines to print for a case, which is counted for the summary.
  package mutating func lines(_ result: CaseResult) -> [String] {
    count(
      result.status, isRemarked: !result.remarks.isEmpty, isDeclined: result.isDeclined)
    let isGood = result.status == .passed || result.status == .skipped
    if detail == .quiet, isGood { return [] }
    let status = style.status(
      result.status, Style.padded(result.status.rawValue, to: Self.statusWidth))
    let name = Style.padded(Style.printable(result.location.name), to: nameWidth)
    var lines = ["\(status)  \(name)  \(Style.printable(remark(result)))"]
    var block: [String] = []
    if result.status == .failed || result.status == .invalid { block += failure(result) }
    if detail == .verbose { block += DetailText(result: result).lines.map(style.faint) }
    lines += block.map { "    " + $0 }
    return lines
  }

  /// The last line: how many cases have each status.
  package func summary(seconds: Double) -> String {
    let total = counts.values.reduce(0, +)
    let parts = CaseStatus.allCases.flatMap { status in
      let (part, text) =
        switch status {
        case .passed: (remarkedCount, " with a remark")
        case .skipped: (declinedCount, " by the engine")
        default: (0, "")
        }
      return [(counts[status, default: 0] - part, ""), (part, text)].filter { $0.0 > 0 }.map {
        style.status(status, "\($0) \(status.rawValue)\($1)")
      }
    }
    return "\(NumberText.count(total, "case")): \(parts.joined(separator: ", "))"
      + style.faint(" in \(NumberText.seconds(seconds))")
  }

  /// Counts a case for the summary.
  ///
  /// - Parameters:
  ///   - isRemarked: whether there is a remark on it.
  ///   - isDeclined: whether the user's program has declined it.
  package mutating func count(_ status: CaseStatus, isRemarked: Bool, isDeclined: Bool) {
    counts[status, default: 0] += 1
    if status == .passed, isRemarked { remarkedCount += 1 }
    if isDeclined { declinedCount += 1 }
  }

  private static let statusWidth = Style.width(of: CaseStatus.allCases.map(\.rawValue))

  /// The text behind a case's name: why it has its status, or its largest difference.
  private func remark(_ result: CaseResult) -> String {
    let remarks = result.remarks.joined(separator: "; ")
    guard result.status == .passed, result.findings.ofSubject.contains(where: \.isOfSomething)
    else { return remarks }
    return measure(result) + (remarks.isEmpty ? "" : "; remark: \(remarks)")
  }

  /// How far a case that passes is from its reference.
  private func measure(_ result: CaseResult) -> String {
    let differences = result.findings.ofSubject.map(\.difference)
    let largest = differences.compactMap(\.measured.largestAbsolute?.value).max() ?? 0
    let judged = judgedShare(result)
    guard largest > 0 else {
      return judged.isEmpty
        ? "bit for bit"
        : (result.findings.comparedShare < 1 ? "no difference" : "bit for bit") + judged
    }
    let noise = differences.compactMap(\.noise)
    let share =
      noise.count == differences.count
      ? "\(NumberText.short(noise.compactMap(\.largest?.value).max() ?? 0))σ of rounding noise"
        + sample(result)
      : "\(NumberText.percent(differences.map(\.largestShare).max() ?? 0)) of the tolerance"
    return "largest |Δ| \(NumberText.scientific(largest)), \(share)" + judged + oracleSample(result)
  }

  /// Says how much of the results could be judged, and how; empty where all elements were
  /// compared with the reference.
  private func judgedShare(_ result: CaseResult) -> String {
    let (compared, judged) = (result.findings.comparedShare, result.findings.leastJudgedShare)
    func percent(_ share: Double) -> String { "\(Int((share * 100).rounded(.down)))%" }
    guard compared < 1 else { return "" }
    let steps = judged > compared ? ", \(percent(judged - compared)) step by step" : ""
    return "; \(percent(compared)) compared\(steps)"
  }

  /// Says on how many sequences the noise was measured; empty where it was on all.
  private func sample(_ result: CaseResult) -> String {
    guard let measured = result.findings.measuredSequences,
      let batch = result.parityCase?.layouts.first?.contract.layout.batch
    else { return "" }
    return " on \(measured) of \(batch) sequences"
  }

  /// Says on how much of the largest module the oracle was run; empty where it computed all.
  private func oracleSample(_ result: CaseResult) -> String {
    guard let sample = result.findings.oracleSamples.first else { return "" }
    return "; the oracle on \(sample.steps) steps of \(sample.sequences)"
  }

  /// What the user's program printed that computed the outputs.
  private func printed(_ result: CaseResult) -> [String] {
    guard !result.printed.isEmpty else { return [] }
    let lines = result.printed.split(separator: "\n", omittingEmptySubsequences: false)
    return ["the engine printed:"] + lines.map { style.faint("  " + Style.printable(String($0))) }
  }

  /// The indented block of a case that failed or is invalid.
  private func failure(_ result: CaseResult) -> [String] {
    var lines = printed(result)
    lines += result.diagnosis.map { DiagnosisText(diagnosis: $0, audience: audience).lines } ?? []
    let layout = result.findings.layout.filter { !$0.holds }
    lines += LayoutText(style).identityLines(layout)
    if let mistake = layout.lazy.compactMap(\.mistake).first { lines.append(mistake) }
    if let rounding = result.findings.layoutRounding {
      lines += LayoutText(style).roundingLines(rounding)
    }
    // The subject's own difference first; the reference's against the oracle
    // only where the reference is what is wrong.
    let differing = result.findings.comparisons.filter { !$0.difference.agrees }
    let bySubject = differing.filter(\.sides.isVerdict)
    let shown = bySubject.isEmpty ? differing : bySubject
    for finding in shown {
      let layout = result.parityCase?.layouts.first { $0.gives(finding.name) }
      lines += MismatchText(finding: finding, layout: layout).lines
    }
    for finding in result.findings.properties where !finding.holds {
      lines.append("violated: \(finding.statement)")
    }
    if let description = result.parityCase?.manifest.description, !description.isEmpty {
      lines.append("description: \(Style.printable(description))")
    }
    return lines
  }
}

extension TensorFinding {
  /// Whether there is an element to compare.
  fileprivate var isOfSomething: Bool { difference.shape.elementCount > 0 }
}
