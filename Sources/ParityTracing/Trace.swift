package import ParityDiagnosis
import ParityFixtures
import ParityJudging
package import TensorArchives
import TensorComparison
package import TensorCore

/// Goes through the stages of a model in the order of execution, and says of each whether it is
/// right, wrong by itself, or wrong since what it was given is.
///
/// ```swift
/// var trace = Trace(reference)
/// for index in reference.stages.indices {
///   let result = trace.judge(index) { () throws(ArchiveError) in try matched.source(of: $0) }
///   print(result.stage.name, result.status)
/// }
/// ```
package struct Trace: Sendable {
  package struct Options: Sendable {
    /// What the implementation computes in, where that is not what the reference was computed in.
    package var actualArithmetic: Arithmetic?
    package var largestZ = NoiseLimits.standardZ
    /// Whether stages that are off are computed again by themselves, and diagnosed.
    package var replays = true
    package var effort = Diagnostician.Effort.fast

    package init() {}
  }

  /// The tensor in the place of a value of the reference; nil where there is none.
  package typealias Actual = (_ value: String) throws(ArchiveError) -> (any TensorSource)?

  package let reference: ReferenceStages
  private let comparer: ValueComparer
  private let replayer: StageReplayer?
  /// Of each value that was measured.
  private var levels: [String: ErrorLevel] = [:]
  private var hasStarted = false
  /// Whether a stage agreed that was computed, and not copied: then the implementation's arithmetic
  /// is no coarser than what is stated of it.
  private var hasComputed = false

  package init(_ reference: ReferenceStages, _ options: Options = Options()) {
    self.reference = reference
    comparer = ValueComparer(
      reference: reference, actualArithmetic: options.actualArithmetic,
      largestZ: options.largestZ)
    replayer =
      options.replays && reference.recording != nil
      ? StageReplayer(
        reference: reference, actualArithmetic: options.actualArithmetic,
        largestZ: options.largestZ, diagnostician: Diagnostician(options.effort)) : nil
  }

  /// Judges one stage. The stages before it must have been judged.
  ///
  /// - Parameter index: in `reference.stages`.
  /// - Complexity: O(bytes of the stage's values); more where it is off and computed again.
  package mutating func judge(_ index: Int, _ actual: Actual) -> StageResult {
    let stage = reference.stages[index]
    let values = stage.outputs.map { name in
      comparer.result(name) { () throws(ArchiveError) in try actual(name) }
    }
    for value in values { levels[value.name] = value.level }
    var result = StageResult(stage: stage, status: .agrees, values: values)
    result.status = status(of: result)
    if result.status == .agrees, result.worst?.tally?.largestZ != nil { hasComputed = true }
    guard result.isStart || result.status == .follows else { return result }
    let inputs = inputs(of: stage)
    result.replay = replayer?.replay(
      stage,
      inputsAreRight: inputs.unknown.isEmpty && !inputs.levels.contains(where: \.isOff), actual)
    settle(&result)
    if result.isStart {
      hasStarted = true
      if result.replay?.inputs != .actual { result.unknownBefore = inputs.unknown }
      result.symptoms = Symptoms(
        reference: reference, comparer: comparer, isFirstComputed: !hasComputed
      ).found(result, actual)
    }
    return result
  }

  private func status(of result: StageResult) -> StageResult.Status {
    let values = result.values
    if values.contains(where: { if case .unreadable = $0.finding { true } else { false } }) {
      return .unreadable
    }
    let own = values.compactMap(\.level)
    guard !own.isEmpty else { return .missing }
    let wrong = own.filter(\.isOff)
    guard !wrong.isEmpty else {
      return values.contains(where: \.isLost) ? .lost : .agrees
    }
    guard reference.isOrdered else { return .differs }
    let inputs = inputs(of: result.stage).levels
    let follows = wrong.allSatisfy { TraceRule.follows($0, from: inputs) }
    return follows ? .follows : start
  }

  private var start: StageResult.Status { hasStarted ? .startsHereToo : .startsHere }

  /// What a stage gives when it is computed again from the implementation's own inputs decides,
  /// whatever the errors' sizes say.
  private func settle(_ result: inout StageResult) {
    guard let replay = result.replay, case .actual = replay.inputs, !replay.isUnusable else {
      return
    }
    switch replay.result.status {
    case .passed: result.status = .follows
    case .failed: result.status = start
    default: break
    }
  }

  /// What a stage depends on: the errors of its inputs, and where one was not measured, of what that
  /// was made of; and the names of the modules on the way of which nothing is known.
  private func inputs(of stage: RecordedStage) -> (levels: [ErrorLevel], unknown: [String]) {
    var (found, unknown): ([ErrorLevel], [String]) = ([], [])
    var seen: Set<String> = []
    var open = stage.inputs
    while let value = open.popLast() {
      guard seen.insert(value).inserted else { continue }
      if let level = levels[value] {
        found.append(level)
      } else if let producer = reference.producers[value] {
        let before = reference.stages[producer]
        if !before.isBetweenModules, !unknown.contains(before.name) { unknown.append(before.name) }
        open += before.inputs
      }
    }
    return (found, unknown)
  }
}
