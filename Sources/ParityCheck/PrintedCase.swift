import ParityJudging

/// What a run must know of a case whose report was printed by a process before it.
struct PrintedCase: Codable, Equatable {
  /// As `CaseStatus`.
  let status: String
  /// Whether it passed with a remark.
  let isRemarked: Bool
  /// Whether another implementation was asked for it, and whether that has declined it.
  let isAsked: Bool
  let isDeclined: Bool
}

extension PrintedCase {
  init(_ result: CaseResult) {
    self.init(
      status: result.status.rawValue, isRemarked: !result.remarks.isEmpty,
      isAsked: result.subject == .outputs, isDeclined: result.isDeclined)
  }
}
