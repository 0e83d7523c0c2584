package import RecurrentModel
package import TensorCore

extension ParityCase {
  /// Reads a fixture and holds all that it states against itself. O(its bytes).
  package static func load(_ location: CaseLocation) throws(CaseError) -> ParityCase {
    let contents = try FixtureContents(location)
    do throws(InvalidValue) {
      return try ParityCase(location, contents.manifest, contents.tensors)
    } catch {
      throw .invalid(path: location.path, error)
    }
  }

  /// - Parameter tensors: by their names in the fixture, `state_dict/…` and so on.
  package init(
    _ location: CaseLocation, _ manifest: Manifest, _ tensors: [String: Tensor]
  ) throws(InvalidValue) {
    guard case .recurrent(let arguments) = manifest.content else {
      throw InvalidValue("module", expected: "a recurrent module", found: "Sequential")
    }
    let module = arguments.module
    var parts = FixtureParts(tensors)
    let packing = try parts.packing(manifest.packed)
    let stateDict = parts.takeStateDict()
    let outputs = try parts.takeOutputs(module)
    let input = parts.take("inputs/input")
    let states = (h0: parts.take("inputs/h_0"), c0: parts.take("inputs/c_0"))
    try parts.requireEmpty()
    try Self.check(
      manifest, outputs: outputs.named.map(\.name), hasParameters: !stateDict.isEmpty)
    let told = ToldArguments(
      parameters: stateDict.mapValues(\.shape), input: input?.shape,
      outputs: Dictionary(uniqueKeysWithValues: outputs.named.map { ($0, $1.shape) }))
    let configuration = try arguments.configuration(toldBy: told)

    // Before the inputs: a wrong argument shows in the parameters first.
    let parameters =
      stateDict.isEmpty ? nil : try StateDict(stateDict, checkedAgainst: configuration)
    var call: RecurrentCall?
    var layout: SequenceLayout?
    if let input {
      // Before the types are unified, so that what PyTorch would refuse is refused.
      let given = try RecurrentInput(
        input: input, h0: states.h0, c0: states.c0, packing: packing, for: configuration)
      layout = given.outputLayout
      if let parameters {
        call = try Self.call(configuration, manifest.arithmetic, parameters, given)
      }
    } else if parameters != nil {
      throw InvalidValue("inputs/input", expected: "a tensor, beside state_dict", found: "none")
    } else if let orphan = states.h0 ?? states.c0 {
      throw InvalidValue(
        "inputs/input", expected: "a tensor, beside the initial states",
        found: "none beside one of \(orphan.shape)")
    }
    let contract = try Self.contract(
      configuration, outputs, layout: layout, packing: packing)
    // Last: what is missing or contradicts another says more than a checksum.
    try manifest.checkDigest(tensors)
    self.init(
      location: location, manifest: manifest, configuration: configuration, reference: outputs,
      contract: contract, call: call)
  }

  /// What the manifest states and this case has no use for.
  private static func check(
    _ manifest: Manifest, outputs: [String], hasParameters: Bool
  ) throws(InvalidValue) {
    let exceptions = manifest.tolerance.exceptions.keys.sorted()
    if let stray = exceptions.first(where: { !hasParameters || !outputs.contains($0) }) {
      throw InvalidValue(
        "tolerance.outputs." + stray,
        expected: hasParameters
          ? "one of \(outputs.joined(separator: ", "))" : "none without state_dict",
        found: "an exception")
    }
    if !hasParameters, let arithmetic = manifest.arithmetic {
      throw InvalidValue(
        "arithmetic", expected: "none without state_dict", found: "\"\(arithmetic)\"")
    }
  }

  private static func call(
    _ configuration: RecurrentConfiguration, _ arithmetic: Arithmetic?,
    _ given: StateDict, _ input: RecurrentInput
  ) throws(InvalidValue) -> RecurrentCall {
    guard given.elementType == input.input.elementType else {
      throw InvalidValue(
        "inputs/input", expected: "\(given.elementType), as state_dict",
        found: "\(input.input.elementType)")
    }
    guard let arithmetic = arithmetic ?? Arithmetic(of: given.elementType) else {
      preconditionFailure("a checked state_dict is of floats")
    }
    // First to what the module computes in, then, without loss, to what we do.
    func converted(_ tensor: Tensor) -> Tensor {
      tensor.rounded(to: arithmetic.storage).rounded(to: arithmetic.computation)
    }
    return RecurrentCall(
      configuration,
      try StateDict(given.tensors.mapValues(converted), checkedAgainst: configuration),
      try RecurrentInput(
        input: converted(input.input), h0: input.h0.map(converted), c0: input.c0.map(converted),
        packing: input.packing, for: configuration),
      in: arithmetic)
  }

  /// Holds the shapes of the outputs against the configuration.
  private static func contract(
    _ configuration: RecurrentConfiguration, _ outputs: RecurrentOutput, layout: SequenceLayout?,
    packing: Packing?
  ) throws(InvalidValue) -> LayoutContract {
    let isCell = configuration.module.isCell
    let (first, sequences) = outputs.named[0]
    let own = SequenceLayout(
      ofSequences: sequences.shape, batchFirst: configuration.batchFirst, isCell: isCell)
    guard let layout = layout ?? own else {
      throw InvalidValue(
        "outputs/" + first, expected: isCell ? "one or two axes" : "two or three axes",
        found: "\(sequences.shape)")
    }
    guard layout.steps > 0 else {
      throw InvalidValue(
        "outputs/" + first, expected: "at least one step", found: "\(sequences.shape)")
    }
    let rows = configuration.stateRows
    let expected = [
      "output": layout.axes(features: configuration.outputFeatures),
      "h_n": layout.stateAxes(rows: rows, features: configuration.outputSize),
      "c_n": layout.stateAxes(rows: rows, features: configuration.hiddenSize),
    ]
    for (name, tensor) in outputs.named {
      let (subject, axes) = ("outputs/" + name, expected[name] ?? [])
      guard tensor.shape.axes == axes else {
        throw InvalidValue(
          subject, expected: "the shape \(Shape.text(axes))", found: "\(tensor.shape)")
      }
      guard tensor.elementType == sequences.elementType,
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
        found: "\(sequences.shape)")
    }
    return LayoutContract(configuration, layout: layout, packing: packing)
  }
}
