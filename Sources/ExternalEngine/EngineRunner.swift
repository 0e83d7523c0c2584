/// How a user's program is run on one case: by a process for each case, or by one that answers case
/// after case. Both write their outputs to a path that they are given.
protocol EngineRunner: Sendable {
  /// What the program has done when it has computed a case, as in "the engine ended well".
  var success: String { get }

  /// Runs the program on one case.
  ///
  /// - Parameters:
  ///   - path: of the case.
  ///   - output: the path, without an ending, that the outputs are to be written to.
  func run(case path: String, output: String) async -> EngineRun

  /// Ends what still runs. Called when no case is left.
  func finish() async
}

/// What came of running a program on one case.
struct EngineRun: Sendable, Equatable {
  enum Outcome: Equatable {
    /// The program says that it has computed the case.
    case computed
    /// It cannot compute such a case, for a reason in its own words; nil where it gives none.
    case declined(String?)
    /// Nothing came of it, for a reason that starts as a sentence does.
    case failed(String)
  }

  let outcome: Outcome
  /// What it printed on the way.
  var printed = Printed()
}
