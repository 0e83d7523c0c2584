import ParityFixtures

/// The backward pass of a recording as stages: for each module, from the last to the first, the
/// gradients by what it was given and by its parameters, which follow from the gradients by what it
/// gave.
struct BackwardStages {
  private let forward: [RecordedStage]
  /// The names of the gradients that the recording holds, by value or parameter.
  private let gradients: Set<String>
  /// The indices of the stages that a value was given to, in the order of execution.
  private let consumers: [String: [Int]]
  /// The indices of the calls of each module, in the order of execution.
  private let calls: [String: [Int]]

  /// What the name of a gradient starts with.
  static let prefix = "grad/"

  /// - Parameters:
  ///   - forward: the stages of the forward pass, with what the model's own code made.
  ///   - gradients: the names of values and parameters.
  init(_ forward: [RecordedStage], gradients: [String]) {
    self.forward = forward
    self.gradients = Set(gradients)
    var (consumers, calls): ([String: [Int]], [String: [Int]]) = ([:], [:])
    for (index, stage) in forward.enumerated() {
      for input in Set(stage.given) { consumers[input, default: []].append(index) }
      if !stage.isBetweenModules { calls[stage.moduleName, default: []].append(index) }
    }
    (self.consumers, self.calls) = (consumers, calls)
  }

  /// In the order of the backward pass; empty where there is no gradient.
  var stages: [RecordedStage] {
    guard !gradients.isEmpty else { return [] }
    var stages: [RecordedStage] = []
    // What no module was given, the loss was.
    let results = forward.flatMap(\.outputs).filter { consumers[$0] == nil }
    add("the loss", from: [], of: results.filter(gradients.contains), forward: results)
    for (index, stage) in forward.enumerated().reversed() {
      // Of a value that several modules were given, the gradient is complete at the first.
      let inputs = stage.given.filter {
        gradients.contains($0) && consumers[$0]?.first == index
      }
      // Nor is that of a parameter before the first call of its module, to which all have added.
      let own = calls[stage.moduleName] ?? []
      let parameters =
        own.first == index
        ? gradients.filter { isParameter($0, of: stage.moduleName) }.sorted() : []
      let involved = parameters.isEmpty ? [stage] : own.map { forward[$0] }
      let from = Set(inputs.flatMap(sources) + involved.flatMap(\.outputs).flatMap(known))
      add(
        stage.name, from: from.sorted(), of: inputs + parameters,
        forward: involved.flatMap { $0.given + $0.outputs })
    }
    return stages

    func add(
      _ name: String, from sources: [String], of gradients: [String], forward: [String] = []
    ) {
      guard !gradients.isEmpty else { return }
      stages.append(
        RecordedStage(
          "backward of \(name)", className: RecordedStage.backward,
          inputs: sources.map { Self.prefix + $0 } + forward,
          outputs: gradients.map { Self.prefix + $0 }))
    }
  }

  /// The values whose gradients the gradient of a value is made of.
  private func sources(of value: String) -> [String] {
    (consumers[value] ?? []).flatMap { forward[$0].outputs.flatMap(known) }
  }

  /// The value, where its gradient was recorded, and else those that its gradient is made of.
  private func known(_ value: String) -> [String] {
    gradients.contains(value) ? [value] : sources(of: value)
  }

  private func isParameter(_ name: String, of module: String) -> Bool {
    guard name.hasPrefix(module + ".") else { return false }
    return !name.dropFirst(module.count + 1).contains(".")
  }
}
