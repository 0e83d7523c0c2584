/// How a case ended.
package enum CaseStatus: String, Sendable, CaseIterable {
  /// Compared, and agrees.
  case passed
  /// Compared, and differs.
  case failed
  /// The fixture itself is wrong: its reference breaks the layout contract, a tensor is missing,
  /// or two of its statements contradict each other.
  case invalid
  /// The file cannot be read.
  case unreadable
  /// Rounding is amplified so much that no verdict is honest.
  case inconclusive
  /// Expected to fail, with a reason, and does; or declined by the user's program.
  case skipped
}

/// What the statuses of all cases of a run come to. The raw value is the exit status of the
/// process.
package enum RunStatus: Int32, Sendable {
  /// Every case passed or was skipped.
  case passed = 0
  /// At least one case failed or was inconclusive, or the user's program has declined all that it
  /// was asked for.
  case failed = 1
  /// At least one case was invalid or unreadable, a path was missing, or no case was found. It
  /// beats `failed`.
  case unusable = 2

  /// The status of a run whose cases ended like this.
  ///
  /// - Parameter isDeclined: whether the user's program has declined all that it was asked for.
  package init(of statuses: some Collection<CaseStatus>, isDeclined: Bool = false) {
    if statuses.isEmpty || statuses.contains(where: { $0 == .invalid || $0 == .unreadable }) {
      self = .unusable
    } else if statuses.contains(where: { $0 == .failed || $0 == .inconclusive })
      || isDeclined
    {
      self = .failed
    } else {
      self = .passed
    }
  }
}
