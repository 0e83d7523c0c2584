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

  /// What the name of a gradient starts with.
  static let prefix = "grad/"

  /// - Parameters:
  ///   - forward: the stages of the forward pass, with what the model's own code made.
  ///   - gradients: the names of values and parameters.
  init(_ forward: [RecordedStage], gradients: [String]) {
    self.forward = forward
    self.gradients = Set(gradients)
    var consumers: [String: [Int]] = [:]
    for (index, stage) in forward.enumerated() {
      for input in Set(stage.inputs) { consumers[input, default: []].append(index) }
    }
    self.consumers = consumers
  }

  /// In the order of the backward pass; empty where there is no gradient.
  var stages: [RecordedStage] {
    guard !gradients.isEmpty else { return [] }
    var stages: [RecordedStage] = []
    var named: Set<String> = []
    for (index, stage) in forward.enumerated().reversed() {
      // What no module was given, the loss was.
      for output in stage.outputs where gradients.contains(output) && consumers[output] == nil {
        add(output, from: [], of: [output])
      }
      // Of a value that several modules were given, the gradient is complete at the first.
      let inputs = stage.inputs.filter {
        gradients.contains($0) && consumers[$0]?.first == index
      }
      let parameters =
        stage.isBetweenModules || !named.insert(stage.moduleName).inserted
        ? [] : gradients.filter { isParameter($0, of: stage.moduleName) }.sorted()
      let own = inputs + parameters
      guard !own.isEmpty else { continue }
      let from = Set(inputs.flatMap(sources) + stage.outputs.flatMap(known))
      add(stage.name, from: from.sorted(), of: own, forward: stage.inputs + stage.outputs)
    }
    return stages

    func add(
      _ name: String, from sources: [String], of gradients: [String], forward: [String] = []
    ) {
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
