import ParityFixtures
import TensorComparison

/// How a case ends, and why.
///
/// ```swift
/// let verdict = Verdict(findings, subject: .engine)
/// verdict.status   // .failed
/// verdict.remarks  // ["the oracle reproduces the reference, the engine does not"]
/// ```
///
/// It does not say what the mistake is: that is a `Diagnosis`.
struct Verdict: Sendable {
  var status: CaseStatus
  /// Why the case did not pass, or what a pass leaves out ("layout only"). Each is a sentence or
  /// less.
  var remarks: [String]
  /// Whether a skip does not say what failure it expects.
  private let expectsAnything: Bool
  /// Whether it is a skip because the user's program has declined the case, so that nothing was
  /// judged.
  let isDeclined: Bool

  init(
    _ status: CaseStatus, _ remarks: [String] = [], expectsAnything: Bool = false,
    isDeclined: Bool = false
  ) {
    self.status = status
    self.remarks = remarks
    self.expectsAnything = expectsAnything
    self.isDeclined = isDeclined
  }

  /// The share of each tensor's elements that must be judged for a case to pass; where it is
  /// less, the case is inconclusive.
  private static let neededShare = 0.9

  /// What the findings of a case that was computed come to.
  init(_ findings: Findings, subject: Side) {
    var reasons = [Self.disagreement(findings, subject)].compactMap(\.self)
    if findings.layout.contains(where: { $0.side == subject && !$0.holds }) {
      reasons.append(
        subject == .engine
          ? "the engine's output breaks the layout contract"
          : "the outputs break the layout contract")
    }
    for finding in findings.properties where !finding.holds {
      reasons.append("the engine breaks a property: \(finding.statement)")
    }
    for sample in findings.oracleSamples where !sample.agrees {
      let name = sample.module.isEmpty ? "" : "\(sample.module): "
      reasons.append("\(name)the oracle and our kernels for doubles part; this is a bug of ours")
    }
    reasons += findings.unjudgedFaults + findings.coarsenessFaults
    let share = findings.leastJudgedShare
    if reasons.isEmpty, share < Self.neededShare {
      let extent = findings.agreeingSteps.map { "after \($0) steps" } ?? "in its last state"
      self.init(
        .inconclusive,
        [
          "rounding is amplified so much that only \(Int(share * 100))% of a tensor can be "
            + "judged: a direction agrees, and then is lost \(extent). Use smaller weights, "
            + "fewer steps, or float64"
        ])
    } else {
      self.init(reasons.isEmpty ? .passed : .failed, reasons)
    }
  }

  /// Which of the three sides stands alone, as a sentence; nil where they all agree.
  private static func disagreement(_ findings: Findings, _ subject: Side) -> String? {
    let name = "the \(subject.rawValue)"
    switch (findings.agree(\.isVerdict), findings.agree(\.isOfReference)) {
    case (true, true):
      // The reference errs too, so that the difference of the two is allowed more.
      return findings.agree(\.isOfSubjectAlone)
        ? nil
        : "\(name) \(subject.verb("is", "are")) further from the oracle than rounding explains, "
          + "though not from the reference"
    case (false, true) where differsByRounding(findings):
      return "\(name) \(subject.verb("reproduces", "reproduce")) the reference as torch.testing "
        + "asks, but not as closely as this case's rule"
    case (false, true):
      return "the oracle reproduces the reference, \(name) \(subject.verb("does", "do")) not"
    case (_, false) where findings.isReferenceAtFault:
      return "the reference does not follow from these weights and this configuration"
    case (true, false):
      return "\(subject.rawValue) and reference agree, and the oracle with neither"
    case (false, false):
      return "reference, \(subject.rawValue) and oracle all differ"
    }
  }

  /// Whether the subject is as near to the reference as torch.testing asks, wherever a result's
  /// own rule is explicit or exact, and passes every other rule.
  private static func differsByRounding(_ findings: Findings) -> Bool {
    findings.ofSubject.allSatisfy { finding in
      let isFixed = finding.rule != .torch && finding.difference.noise == nil
      return isFixed ? finding.torchAgrees : finding.difference.agrees
    }
  }

  /// The verdict where nothing may be left open: a pass with a remark is a failure, and so is a
  /// skip that would be one whatever fails, or that the user's program asked for.
  var strict: Verdict {
    let isOpen = status == .passed && !remarks.isEmpty || expectsAnything || isDeclined
    return isOpen
      ? Verdict(.failed, ["\(status.rawValue), but leaves something open"] + remarks) : self
  }

  /// The verdict of a case that is expected to fail: a failure becomes a skip where it is the one
  /// that is expected, and a pass a failure. What cannot be judged stays as it is.
  func expecting(_ failure: ExpectedFailure, _ findings: Findings) -> Verdict {
    switch status {
    case .failed:
      if let other = findings.unexpected(by: failure) {
        return Verdict(
          .failed, ["expected to fail otherwise: \(other)"] + remarks)
      }
      let reason = "expected to fail: \(failure.reason)"
      guard failure.outputs == nil else { return Verdict(.skipped, [reason]) }
      return Verdict(
        .skipped, [reason, "which results differ, and by how much, is not stated"],
        expectsAnything: true)
    case .passed:
      return Verdict(.failed, ["passes, but is expected to fail: \(failure.reason)"])
    case .invalid, .unreadable, .inconclusive, .skipped: return self
    }
  }
}

extension Findings {
  /// What differs in another way than is expected, as a sentence; nil where nothing does.
  fileprivate func unexpected(by failure: ExpectedFailure) -> String? {
    guard let expected = failure.outputs else { return nil }
    let names = expected.keys.sorted().joined(separator: ", ")
    if let broken = properties.first(where: { !$0.holds }) {
      return "the engine breaks a property: \(broken.statement)"
    }
    let differing = ofSubject.filter { !$0.difference.agrees }
    guard !differing.isEmpty else { return "\(names) should differ, and does not" }
    for finding in differing {
      guard let bound = expected[finding.name] else {
        return "\(finding.name) differs, and only \(names) may"
      }
      let measured = finding.difference.measured
      let largest = measured.largestAbsolute?.value ?? 0
      if measured.nonFiniteDisagreements > 0 || largest > bound {
        return "\(finding.name) differs by more than \(bound)"
      }
    }
    return nil
  }
}
