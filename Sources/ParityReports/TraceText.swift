package import ParityFixtures
import ParityJudging
package import ParityTracing
import TensorCore

/// The text of `parity-check trace`: a line for each stage, and what is known of the first that is
/// wrong.
package struct TraceText {
  private let style: Style
  private let isVerbose: Bool
  private let nameWidth: Int

  /// - Parameter stages: all of the reference, for the width of the column of names.
  package init(_ style: Style, isVerbose: Bool, stages: [RecordedStage]) {
    self.style = style
    self.isVerbose = isVerbose
    let width = Style.width(of: stages.map(\.name))
    nameWidth = isVerbose ? width : min(Self.largestNameWidth, max(5, width))
  }

  /// With these widths a line fits a terminal of 80 columns.
  private static let statusWidth = 15
  private static let largestNameWidth = 29
  private static let numberWidths = [7, 7, 7, 5]

  /// The words above the columns.
  package var head: String {
    let numbers = zip(["max |Δ|", "max z", "rms z", "scale"], Self.numberWidths)
    return style.faint(
      ([Style.padded("", to: Self.statusWidth), Style.padded("stage", to: nameWidth)]
        + numbers.map { Style.aligned($0, to: $1) }).joined(separator: "  "))
  }

  /// A line for a stage, and indented lines below it where it is wrong by itself.
  package func lines(_ result: StageResult) -> [String] {
    let status = style.colored(
      Style.padded(result.status.rawValue, to: Self.statusWidth), color(of: result.status))
    let columns = [status, Style.padded(name(of: result.stage), to: nameWidth)] + numbers(result)
    return [columns.joined(separator: "  ").trimmingEnd]
      + details(result).map { "    " + Style.printable($0) }
  }

  /// The stage's name; the middle of a long one is left out.
  private func name(of stage: RecordedStage) -> String {
    let name = Style.printable(stage.name)
    guard name.count > nameWidth else { return name }
    let end = nameWidth * 2 / 3
    return name.prefix(nameWidth - end - 1) + "…" + name.suffix(end)
  }

  private func color(of status: StageResult.Status) -> Style.Color {
    switch status {
    case .agrees: .green
    case .startsHere, .startsHereToo, .differs: .red
    case .follows, .lost, .missing: .yellow
    case .unreadable: .magenta
    }
  }

  private func numbers(_ result: StageResult) -> [String] {
    guard let worst = result.worst, let tally = worst.tally else { return [] }
    let largest = tally.nonFiniteMismatches > 0 ? .infinity : tally.largestAbsolute?.value ?? 0
    let hasZ = worst.hasSigma && tally.nonFiniteMismatches == 0
    let texts = [
      largest == 0 ? "0" : NumberText.scientific(largest, digits: 2),
      hasZ ? Self.short(tally.largestZ?.value ?? 0) : "–", hasZ ? Self.short(tally.rmsZ) : "–",
      tally.scaleRatio.isFinite ? Self.ratio(tally.scaleRatio) : "–",
    ]
    return zip(texts, Self.numberWidths).map { Style.aligned($0, to: $1) }
  }

  /// The measurements of one of a stage's several values.
  private func measured(_ value: ValueResult, _ tally: ValueTally) -> String {
    let largest = NumberText.scientific(tally.largestAbsolute?.value ?? 0, digits: 2)
    let z =
      value.hasSigma
      ? ", z \(Self.short(tally.largestZ?.value ?? 0)), rms z \(Self.short(tally.rmsZ))" : ""
    return "\(value.agrees ? "agrees" : "differs"), largest |Δ| \(largest)\(z)"
  }

  private static func short(_ value: Double) -> String {
    abs(value) < 1e4 ? NumberText.printed("%.1f", value) : NumberText.printed("%.1e", value)
  }

  private static func ratio(_ value: Double) -> String {
    value < 100 ? NumberText.printed("%.2f", value) : NumberText.printed("%.0e", value)
  }

  // MARK: - Below a stage

  private func details(_ result: StageResult) -> [String] {
    var lines: [String] = []
    for value in result.values {
      if case .unreadable(let error) = value.finding { lines.append("\(error)") }
      if case .shape(let found) = value.finding {
        lines.append("\(value.name): expected the shape \(value.shape), found \(found)")
      }
      if let rearrangement = value.rearrangement, result.isStart || isVerbose {
        lines.append("\(value.name): compared as it \(rearrangement)")
      }
      if isVerbose, result.values.count > 1, let tally = value.tally {
        lines.append("\(value.name): \(measured(value, tally))")
      }
      if isVerbose, let storage = value.storage {
        lines.append("\(value.name): stored as \(storage), whose rounding is allowed for")
      }
    }
    guard result.isStart else { return lines + replay(result) }
    if let worst = result.worst, let tally = worst.tally {
      lines += result.symptoms.map { "\(worst.name): \($0)" }
      if !worst.hasSigma {
        lines.append(
          "\(worst.name): no σ was recorded; \(tally.beyondTorch) of \(worst.shape.elementCount) "
            + "elements fail torch.testing's tolerance, relative error "
            + NumberText.scientific(tally.relativeRMS))
      }
    } else {
      lines += result.symptoms.filter { !lines.contains($0) }
    }
    return lines + replay(result)
  }

  /// What the stage's computation by itself has shown.
  private func replay(_ result: StageResult) -> [String] {
    guard let replay = result.replay else { return [] }
    if replay.isUnusable {
      return isVerbose ? replay.result.remarks.map { "not computed by itself: \($0)" } : []
    }
    let given: String =
      switch replay.inputs {
      case .actual: "given the implementation's own inputs"
      case .reference: "given PyTorch's inputs"
      }
    if replay.isRight { return isVerbose || result.isStart ? ["right, \(given)"] : [] }
    guard result.isStart else { return [] }
    let diagnosis =
      replay.result.diagnosis.map { DiagnosisText(diagnosis: $0, audience: .commandLine).lines }
      ?? []
    return ["wrong by itself, \(given)"] + diagnosis
  }

  // MARK: - The end

  /// The last lines: how many stages there are of each kind, and the first that is wrong.
  ///
  /// - Parameter isOrdered: whether the order of the stages is that of execution.
  package func summary(
    _ results: [StageResult], isOrdered: Bool, seconds: Double
  ) -> [String] {
    var counts: [(StageResult.Status, Int)] = []
    for status in StageResult.Status.allCases {
      let count = results.count { $0.status == status }
      if count > 0 { counts.append((status, count)) }
    }
    let total = counts.reduce(0) { $0 + $1.1 }
    let parts = counts.map { style.colored("\($0.1) \($0.0.phrase($0.1))", color(of: $0.0)) }
    let line =
      "\(NumberText.count(total, "stage")): \(parts.joined(separator: ", "))"
      + style.faint(" in \(NumberText.seconds(seconds))")
    return [line] + [verdict(results, isOrdered: isOrdered), advice(results)].compactMap(\.self)
  }

  /// What else can be done about the first stage that is wrong; nil where it was computed by itself.
  private func advice(_ results: [StageResult]) -> String? {
    guard let first = results.first(where: \.isStart), first.replay == nil,
      !first.stage.isBetweenModules, !first.stage.isBackward, !first.stage.className.isEmpty
    else { return nil }
    return "parity_check.replay, in Python, has PyTorch compute each stage from what it was given"
  }

  /// The first stage that is wrong, in a sentence; nil where none is.
  package func verdict(_ results: [StageResult], isOrdered: Bool = true) -> String? {
    let starts = results.filter(\.isStart)
    guard let first = starts.first else {
      guard let differs = results.first(where: { $0.status == .differs }) else { return nil }
      return "the first by name that differs is \(Style.printable(differs.stage.name)); which one "
        + "runs first is not known: --order FILE says it"
    }
    // Several calls of one module are one mistake.
    let own = first.stage.moduleName
    let calls = starts.count { $0.stage.moduleName == own }
    var seen: Set = [own]
    let others = starts.filter { seen.insert($0.stage.moduleName).inserted }
    let more =
      (calls > 1 ? ", in \(calls) of its calls" : "")
      + (others.isEmpty
        ? ""
        : "; so \(others.count == 1 ? "is" : "are") "
          + others.prefix(3).map { Style.printable($0.stage.name) }.joined(separator: ", ")
          + (others.count > 3 ? " and \(others.count - 3) more" : ""))
    let className = first.stage.isBackward ? "" : first.stage.className
    let kind = className.isEmpty ? "" : " (\(className))"
    if !first.unknownBefore.isEmpty {
      let before = first.unknownBefore.map(Style.printable).joined(separator: ", ")
      return "the first stage that is wrong is \(Style.printable(first.stage.name))\(kind), or "
        + "what it was given is: there is no tensor of \(before)\(more)"
    }
    let name = Style.printable(first.stage.name)
    if first.stage.className == RecordedStage.modelInput {
      return "the model's \(name) is not the same\(more)"
    }
    return "the first stage that is wrong by itself is \(name)\(kind)\(more)"
  }
}

extension StageResult.Status {
  /// The status behind a number of stages.
  fileprivate func phrase(_ count: Int) -> String {
    switch self {
    case .agrees: count == 1 ? "agrees" : "agree"
    case .startsHere, .startsHereToo, .missing, .unreadable, .lost: rawValue
    case .follows: count == 1 ? "follows" : "follow"
    case .differs: count == 1 ? "differs" : "differ"
    }
  }
}

extension String {
  fileprivate var trimmingEnd: String {
    var text = self
    while text.last == " " { text.removeLast() }
    return text
  }
}
