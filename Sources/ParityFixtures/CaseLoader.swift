package import RecurrentModel
import TensorArchives
package import TensorCore

extension ParityCase {
  /// Reads a fixture and holds all that it states against itself. O(its bytes).
  package static func load(_ location: CaseLocation) throws(CaseError) -> ParityCase {
    let contents: (manifest: String?, tensors: [String: Tensor])
    do {
      contents = try read(location.path)
    } catch {
      throw .unreadable(error)
    }
    do throws(InvalidValue) {
      guard let text = contents.manifest else {
        throw InvalidValue("manifest", expected: "a manifest", found: "none")
      }
      return try ParityCase(location, try Manifest(parsing: text), contents.tensors)
    } catch {
      throw .invalid(path: location.path, error)
    }
  }

  private static func read(
    _ path: String
  ) throws(ArchiveError) -> (manifest: String?, tensors: [String: Tensor]) {
    let archive = try TensorContainer.open(path)
    var tensors: [String: Tensor] = [:]
    for name in archive.tensorNames { tensors[name] = try archive.tensor(named: name) }
    return (try archive.manifest(), tensors)
  }

  /// - Parameter tensors: by their names in the fixture, `state_dict/…` and so on.
  package init(
    _ location: CaseLocation, _ manifest: Manifest, _ tensors: [String: Tensor]
  ) throws(InvalidValue) {
    let configuration = manifest.configuration
    var parts = FixtureParts(tensors)
    let packing = try parts.packing(manifest.packed)
    let stateDict = parts.takeStateDict()
    let outputs = try parts.takeOutputs(configuration)
    let input = parts.take("inputs/input")
    let states = (h0: parts.take("inputs/h_0"), c0: parts.take("inputs/c_0"))
    try parts.requireEmpty()

    var model: Model?
    var layout: SequenceLayout?
    if let input {
      // Before the types are unified, so that what PyTorch would refuse is refused.
      let given = try RecurrentInput(
        input: input, h0: states.h0, c0: states.c0, packing: packing, for: configuration)
      layout = given.outputLayout
      if !stateDict.isEmpty { model = try Self.model(manifest, stateDict, given) }
    } else if !stateDict.isEmpty {
      throw InvalidValue("inputs/input", expected: "a tensor, beside state_dict", found: "none")
    } else if let orphan = states.h0 ?? states.c0 {
      throw InvalidValue(
        "inputs/input", expected: "a tensor, beside the initial states",
        found: "none beside one of \(orphan.shape)")
    }
    let contract = try Self.contract(
      configuration, outputs, layout: layout, packing: packing)
    // Last: what is missing or contradicts another says more than a checksum.
    try Self.check(manifest.digest, tensors)
    self.init(
      location: location, manifest: manifest, reference: outputs, contract: contract, model: model)
  }

  private static func check(
    _ digest: String?, _ tensors: [String: Tensor]
  ) throws(InvalidValue) {
    guard let digest else { return }
    let found = Digest.crc32(of: tensors)
    guard found == digest else {
      throw InvalidValue("digest", expected: "\(digest), as the manifest states", found: found)
    }
  }

  private static func model(
    _ manifest: Manifest, _ tensors: [String: Tensor], _ input: RecurrentInput
  ) throws(InvalidValue) -> Model {
    let configuration = manifest.configuration
    let given = try StateDict(tensors, checkedAgainst: configuration)
    guard given.elementType == input.input.elementType else {
      throw InvalidValue(
        "inputs/input", expected: "\(given.elementType), as state_dict",
        found: "\(input.input.elementType)")
    }
    let arithmetic = manifest.arithmetic ?? given.elementType
    return Model(
      configuration: configuration,
      stateDict: try StateDict(
        tensors.mapValues { $0.rounded(to: arithmetic) }, checkedAgainst: configuration),
      input: try RecurrentInput(
        input: input.input.rounded(to: arithmetic), h0: input.h0?.rounded(to: arithmetic),
        c0: input.c0?.rounded(to: arithmetic), packing: input.packing, for: configuration),
      arithmetic: arithmetic)
  }

  /// Holds the shapes of the outputs against the configuration.
  private static func contract(
    _ configuration: RecurrentConfiguration, _ outputs: RecurrentOutput, layout: SequenceLayout?,
    packing: Packing?
  ) throws(InvalidValue) -> LayoutContract {
    let own = SequenceLayout(
      ofSequences: outputs.output.shape, batchFirst: configuration.batchFirst)
    guard let layout = layout ?? own else {
      throw InvalidValue(
        "outputs/output", expected: "two or three axes", found: "\(outputs.output.shape)")
    }
    let rows = configuration.stateRows
    let expected = [
      layout.axes(features: configuration.outputFeatures),
      layout.stateAxes(rows: rows, features: configuration.outputSize),
      layout.stateAxes(rows: rows, features: configuration.hiddenSize),
    ]
    for ((name, tensor), axes) in zip(outputs.named, expected) {
      let subject = "outputs/" + name
      guard tensor.shape.axes == axes else {
        throw InvalidValue(
          subject, expected: "the shape \(Shape.text(axes))", found: "\(tensor.shape)")
      }
      guard tensor.elementType == outputs.output.elementType,
        tensor.elementType.isFloatingPoint
      else {
        throw InvalidValue(
          subject, expected: "one floating-point type for all outputs",
          found: "\(tensor.elementType)")
      }
    }
    try packing?.check(against: layout)
    if let packing, packing.lengths.count != layout.batch || packing.outputSteps != layout.steps {
      throw InvalidValue(
        "outputs/output",
        expected: "\(packing.lengths.count) sequences of \(packing.outputSteps) steps",
        found: "\(outputs.output.shape)")
    }
    return LayoutContract(configuration, layout: layout, packing: packing)
  }
}
