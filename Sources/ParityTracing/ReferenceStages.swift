package import ParityFixtures
package import TensorArchives
package import TensorCore

/// What an implementation is traced against: the stages of a model in the order of execution, and
/// the values that went from one to the next.
package struct ReferenceStages: Sendable {
  /// A value of the reference.
  struct Value: Sendable {
    let source: Opening
    /// The rounding error to expect of each element, of the value's shape; nil where it was not
    /// measured.
    let sigma: Opening?
  }

  typealias Opening = @Sendable () throws(ArchiveError) -> any TensorSource

  package let path: String
  package let stages: [RecordedStage]
  /// What the values were computed in.
  package let arithmetic: Arithmetic
  /// Whether the order of the stages is that of execution, and says what a stage depends on.
  package let isOrdered: Bool
  /// The recording that holds what it takes to compute some stages again; nil of other references.
  let recording: Recording?
  let values: [String: Value]

  /// The index of the stage that gives a value, by the value's name.
  package let producers: [String: Int]

  init(
    path: String, stages: [RecordedStage], arithmetic: Arithmetic,
    isOrdered: Bool = true, recording: Recording? = nil, values: [String: Value]
  ) {
    self.path = path
    self.stages = stages
    self.arithmetic = arithmetic
    self.isOrdered = isOrdered
    self.recording = recording
    self.values = values
    producers = Dictionary(
      stages.enumerated().flatMap { index, stage in stage.outputs.map { ($0, index) } },
      uniquingKeysWith: { first, _ in first })
  }

  /// The stages of a recording. What the model's own code made between its modules stands
  /// among the stages as `betweenModules`, before the first module that is given it.
  ///
  /// Where gradients were recorded, the backward pass stands behind the forward pass.
  package init(_ recording: Recording) {
    let forward = recording.stagesWithValuesBetween
    let backward = BackwardStages(forward, gradients: recording.names(in: .gradients))
    var values = Self.values(recording, .values, sigma: .sigma)
    for (name, value) in Self.values(recording, .gradients, sigma: .gradientSigma) {
      values[BackwardStages.prefix + name] = value
    }
    self.init(
      path: recording.archive.path, stages: forward + backward.stages,
      arithmetic: recording.arithmetic, recording: recording, values: values)
  }

  /// Whether a value is a gradient.
  package static func isGradient(_ value: String) -> Bool {
    value.hasPrefix(BackwardStages.prefix)
  }

  /// A value of the reference.
  ///
  /// - Throws: `ArchiveError` where there is none of this name, or it can't be read.
  /// - Complexity: O(bytes).
  package func tensor(of name: String) throws(ArchiveError) -> Tensor {
    guard let value = values[name] else {
      throw ArchiveError(
        path: path, member: name, .noSuchMember(available: values.keys.sorted()))
    }
    let source = try value.source()
    return try source.block(0..<source.header.shape.elementCount).reshaped(source.header.shape)
  }

  static func values(
    _ recording: Recording, _ group: Recording.Group, sigma: Recording.Group
  ) -> [String: Value] {
    var values: [String: Value] = [:]
    for name in recording.names(in: group) {
      values[name] = Value(
        source: opening(recording, name, group),
        sigma: recording.holds(name, in: sigma) ? opening(recording, name, sigma) : nil)
    }
    return values
  }

  private static func opening(
    _ recording: Recording, _ name: String, _ group: Recording.Group
  ) -> Opening {
    { () throws(ArchiveError) in try recording.source(of: name, in: group) }
  }

  /// All tensors of an archive that is no recording, each a stage by itself.
  ///
  /// - Parameter order: their names in the order of execution; nil where nobody has stated it. They
  ///   are then sorted by name, numbers in names by their value, and nothing is known of what
  ///   depends on what.
  /// - Throws: `ArchiveError` where the order names a tensor that is not there.
  package init(_ archive: any TensorArchive, order: [String]?) throws(ArchiveError) {
    let names = order ?? archive.tensorNames.sorted(by: NaturalOrder.precedes)
    if let missing = names.first(where: { !archive.tensorNames.contains($0) }) {
      throw ArchiveError(
        path: archive.path, member: missing, .noSuchMember(available: archive.tensorNames))
    }
    var stages: [RecordedStage] = []
    var values: [String: Value] = [:]
    for name in names {
      let before = order == nil ? [] : stages.last.map(\.outputs) ?? []
      let shown = name.isEmpty ? TensorContainer.stem(of: archive.path) : name
      stages.append(RecordedStage(shown, inputs: before, outputs: [shown]))
      values[shown] = Value(
        source: { () throws(ArchiveError) in try archive.source(of: name) }, sigma: nil)
    }
    let types = names.compactMap { (try? archive.header(of: $0))?.elementType }
    let arithmetic = types.lazy.compactMap { Arithmetic(of: $0) }.first ?? .float32
    self.init(
      path: archive.path, stages: stages, arithmetic: arithmetic, isOrdered: order != nil,
      values: values)
  }
}
