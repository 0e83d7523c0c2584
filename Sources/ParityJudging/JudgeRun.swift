package import ParityFixtures

/// Judges many cases, several at a time, and hands on their results in the order of the cases.
///
/// ```swift
/// let run = JudgeRun(judge, jobs: 4, failFast: false)
/// await run.run(locations, report: { result in print(result.status) })
/// ```
package struct JudgeRun: Sendable {
  private let judge: Judge
  private let jobs: Int
  private let failFast: Bool

  /// - Parameters:
  ///   - judge: judges each of the cases.
  ///   - jobs: how many cases are judged at a time, at least 1.
  ///   - failFast: whether to stop after the first case that is neither passed nor skipped. Which
  ///     one that is does not depend on `jobs`.
  package init(_ judge: Judge, jobs: Int, failFast: Bool) {
    self.judge = judge
    self.jobs = max(1, jobs)
    self.failFast = failFast
  }

  /// Judges the cases.
  ///
  /// - Parameters:
  ///   - known: the results of some cases, by their places in `cases`, which are not judged.
  ///   - starting: called with the place of a case when it starts, on any thread.
  ///   - ending: called with its place when it has been judged.
  ///   - report: called once for each case, in the order of `cases`, on the caller's task.
  package func run(
    _ cases: [CaseLocation], known: [Int: CaseResult] = [:],
    starting: @escaping @Sendable (Int) -> Void = { _ in },
    ending: @escaping @Sendable (Int) -> Void = { _ in },
    report: (CaseResult) -> Void
  ) async {
    await withTaskGroup(of: (Int, CaseResult).self) { group in
      var waiting: [Int: CaseResult] = [:]
      var (started, reported) = (0, 0)
      func start() {
        guard started < cases.count else { return }
        let index = started
        let location = cases[index]
        started += 1
        group.addTask { [judge] in
          if let known = known[index] { return (index, known) }
          starting(index)
          let result = await judge.judge(location)
          ending(index)
          return (index, result)
        }
      }
      for _ in 0..<min(jobs, cases.count) { start() }
      for await (index, result) in group {
        waiting[index] = result
        while let next = waiting.removeValue(forKey: reported) {
          report(next)
          reported += 1
          if failFast, next.status != .passed, next.status != .skipped {
            group.cancelAll()
            return
          }
        }
        start()
      }
    }
  }
}
