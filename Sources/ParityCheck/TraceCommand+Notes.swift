import ParityFixtures
import ParityReports
import ParityTracing

extension TraceCommand {
  /// Says how the tensors were found, where that is not by their names.
  func note(
    _ stages: ReferenceStages, _ matching: StageMatching, _ tensors: ActualTensors
  ) {
    var notes: [String] = []
    switch matching.way {
    case .names: break
    case .prefix(let prefix):
      notes.append("the implementation's names start with \(prefix), which is left out")
    case .shapes:
      notes += [
        "no name is in both: stages are paired by their shapes and numbers, which can be wrong; "
          + "give these options, corrected, to state the pairs:",
        "  " + pairs(stages, matching),
      ]
    }
    if !stages.isOrdered {
      notes.append(
        "\(reference) does not say in which order its stages run: they stand by their names; "
          + "--order FILE says it")
    }
    if !matching.extra.isEmpty {
      let some = matching.extra.prefix(3).joined(separator: ", ")
      let more = matching.extra.count > 3 ? " and \(matching.extra.count - 3) more" : ""
      let lacks = stages.stages.contains { stage in
        !stage.isBetweenModules && stage.outputs.contains { matching.actual[$0] == nil }
      }
      let suggested = matching.suggestions(stages, tensors).map {
        (name: $0.value, actual: $0.name)
      }
      let advice =
        suggested.isEmpty
        ? "; --map STAGE=NAME says where one belongs"
        : "; of the shape of a stage that is missing: \(NameMap.options(suggested))?"
      notes.append(
        "of no stage, and passed over: \(some)\(more)" + (lacks ? advice : ""))
    }
    Terminal.print(notes.map { "note: " + Style.printable($0) })
  }

  /// The options that state how values and tensors are paired, in the order of execution.
  private func pairs(_ stages: ReferenceStages, _ matching: StageMatching) -> String {
    let all = stages.stages.flatMap(\.outputs).compactMap { value in
      matching.actual[value].map { (name: value, actual: $0) }
    }
    let shown = verbose ? all : Array(all.prefix(Self.shownPairs))
    let more = all.count - shown.count
    return NameMap.options(shown) + (more > 0 ? " and \(more) more, which --verbose prints" : "")
  }

  /// How many pairs of names are printed without `--verbose`.
  private static let shownPairs = 12
}
