import JSON
import RecurrentModel
package import TensorArchives
package import TensorCore

/// What PyTorch computed in a whole model, module by module, as `parity_check.record` saves it.
///
/// ```swift
/// let recording = try Recording("tagger.safetensors")
/// for stage in recording.stages { print(stage.name, stage.outputs) }
/// let source = try recording.source(of: "lstm/output", in: .values)
/// ```
///
/// What its manifest says is read when it is made; tensors are read one at a time, when they are
/// asked for.
package struct Recording: Sendable {
  /// What a recording holds by the names of its values.
  package enum Group: String, Sendable {
    case values
    /// The rounding error that is to be expected of each element of a value.
    case sigma
    /// The gradient of the loss by a value or a parameter.
    case gradients = "grad"
    case gradientSigma = "grad_sigma"
  }

  package let archive: any TensorArchive
  /// In the order of execution. There is at least one.
  package let stages: [RecordedStage]
  /// For values that the model's own code made between the modules, those that they were made of;
  /// nil where the recording does not say it.
  let derived: [String: [String]]?
  /// What the values were computed in.
  package let arithmetic: Arithmetic
  /// How accurate the activations of an implementation are that the recorded σ is meant for.
  package let activations: ActivationAccuracy
  /// The names of all tensors, as the manifest has them, with those that they have in the archive.
  private let names: [String: String]

  /// - Returns: nil where the archive has no manifest, or that of a case.
  /// - Throws: `CaseError` where the manifest can't be read or contradicts itself, or a value that
  ///   a stage gave is missing.
  package init?(_ archive: any TensorArchive) throws(CaseError) {
    let text: String?
    do { text = try archive.manifest() } catch { throw .unreadable(error) }
    guard let text else { return nil }
    do throws(InvalidValue) {
      let json = try JSONValue.manifest(text)
      guard RecordingManifest.isOne(json) else { return nil }
      try self.init(archive, try RecordingManifest(json))
    } catch {
      throw .invalid(path: archive.path, error)
    }
  }

  private init(
    _ archive: any TensorArchive, _ manifest: RecordingManifest
  ) throws(InvalidValue) {
    self.archive = archive
    stages = manifest.stages
    derived = manifest.derived
    arithmetic = manifest.arithmetic
    activations = manifest.activations
    // In an HDF5 file, a/b is called a%2Fb where a is a tensor too.
    names = Dictionary(
      archive.tensorNames.map { ($0.replacing("%2F", with: "/"), $0) },
      uniquingKeysWith: { first, _ in first })
    for (index, stage) in stages.enumerated() {
      if let missing = stage.outputs.first(where: { !holds($0, in: .values) }) {
        throw InvalidValue(
          "stages[\(index)].outputs", expected: "values that the file holds",
          found: "\(missing), without a tensor values/\(missing)")
      }
    }
  }

  /// Whether there is a tensor of this name in a group.
  package func holds(_ name: String, in group: Group) -> Bool {
    names["\(group.rawValue)/\(name)"] != nil
  }

  /// The names of a group's tensors, sorted.
  package func names(in group: Group) -> [String] {
    let start = group.rawValue + "/"
    return names.keys.filter { $0.hasPrefix(start) }.map { String($0.dropFirst(start.count)) }
      .sorted()
  }

  /// - Throws: `ArchiveError` where there is none of this name, or it can't be read.
  package func source(
    of name: String, in group: Group
  ) throws(ArchiveError) -> any TensorSource {
    let name = "\(group.rawValue)/\(name)"
    return try archive.source(of: names[name] ?? name)
  }

  /// The parameters of a stage, by the names that they have in its module's `state_dict`.
  ///
  /// - Throws: `ArchiveError` where one can't be read.
  /// - Complexity: O(bytes).
  func parameters(of stage: RecordedStage) throws(ArchiveError) -> [String: Tensor] {
    let start = stage.moduleName.isEmpty ? "state_dict/" : "state_dict/\(stage.moduleName)."
    var parameters: [String: Tensor] = [:]
    for (name, own) in names where name.hasPrefix(start) {
      let short = String(name.dropFirst(start.count))
      // Those of a module within have another name in between.
      if !short.contains(".") { parameters[short] = try archive.tensor(named: own) }
    }
    return parameters
  }
}
