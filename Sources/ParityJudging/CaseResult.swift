package import ParityFixtures
package import TensorArchives

/// How a case ended, with all that was found out about it. It is what a report prints.
package struct CaseResult: Sendable {
  package let location: CaseLocation
  package let status: CaseStatus
  /// Whether it was skipped because the user's program has declined it, so that nothing was
  /// judged.
  package let isDeclined: Bool
  /// Why the case did not pass, or what a pass leaves out ("layout only"). Each is a sentence or
  /// less.
  package let remarks: [String]
  /// The case; nil where it could not be loaded.
  package let parityCase: ParityCase?
  /// What was judged against the reference.
  package let subject: Side
  package let findings: Findings
  /// The last lines of what the program printed that made the outputs; empty where no program
  /// made any.
  package let printed: String
  /// What the mistake is; nil where nothing is wrong, where nobody was asked, and where nothing
  /// can be said.
  package let diagnosis: Diagnosis?

  init(
    _ parityCase: ParityCase, _ verdict: Verdict, _ subject: Side, _ findings: Findings,
    printed: String, _ diagnosis: Diagnosis?
  ) {
    location = parityCase.location
    status = verdict.status
    isDeclined = verdict.isDeclined
    remarks = verdict.remarks
    self.parityCase = parityCase
    self.subject = subject
    self.findings = findings
    self.printed = printed
    self.diagnosis = diagnosis
  }

  private init(_ location: CaseLocation, _ status: CaseStatus, _ remark: String) {
    self.location = location
    self.status = status
    isDeclined = false
    remarks = [remark]
    parityCase = nil
    subject = .engine
    findings = Findings()
    printed = ""
    diagnosis = nil
  }

  /// The result of a case that could not be loaded.
  package init(_ location: CaseLocation, _ error: CaseError) {
    let status: CaseStatus =
      switch error {
      case .unreadable: .unreadable
      case .invalid: .invalid
      }
    self.init(location, status, "\(error)")
  }

  /// The result of a path under which no case could be looked for.
  package init(unreadable error: ArchiveError) {
    self.init(
      CaseLocation(name: error.path, path: error.path), .unreadable, "\(error.reason)")
  }
}
