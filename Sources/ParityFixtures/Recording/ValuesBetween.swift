extension RecordedStage {
  /// The class name of a stage that is no module: what the model's own code made of values, such
  /// as a sum or a transposition.
  package static let betweenModules = "between modules"
  /// The class name of a stage that is what the model was given.
  package static let modelInput = "input"

  /// The class name of a stage of the backward pass.
  package static let backward = "backward"

  package var isBackward: Bool { className == Self.backward }

  /// Whether it is no module, and a reference without it is whole.
  package var isBetweenModules: Bool {
    className == Self.betweenModules || className == Self.modelInput
  }
}

extension Recording {
  /// The stages, with one more for each value that no module gave and that some module was given,
  /// before the first module that was.
  package var stagesWithValuesBetween: [RecordedStage] {
    var known = Set(stages.flatMap(\.outputs))
    var all: [RecordedStage] = []
    var before: [String] = []
    func insert(_ value: String, madeOf sources: [String]) {
      guard holds(value, in: .values), known.insert(value).inserted else { return }
      let className =
        sources.isEmpty ? RecordedStage.modelInput : RecordedStage.betweenModules
      all.append(RecordedStage(value, className: className, inputs: sources, outputs: [value]))
    }
    for stage in stages {
      for (place, input) in zip(stage.places, stage.inputs) {
        insert(input, madeOf: sources(of: input, at: stage, before))
        if let view = stage.views[place] { insert(view, madeOf: [input]) }
      }
      all.append(stage)
      before = stage.outputs
    }
    return all
  }

  /// What a value was made of. Where the recording does not say it, since it was made by an older
  /// version, a value that is called after the stage that it was given to is taken to be made of
  /// what the stage before gave.
  private func sources(
    of value: String, at stage: RecordedStage, _ before: [String]
  ) -> [String] {
    if let derived { return derived[value] ?? [] }
    return value.hasPrefix(stage.name + "/") ? before : []
  }
}
