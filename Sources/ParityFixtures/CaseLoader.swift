package import RecurrentModel
package import TensorCore

extension ParityCase {
  /// Reads a fixture and checks that all it states fits together.
  ///
  /// ```swift
  /// let location = CaseLocation(name: "gru", path: "Fixtures/gru.npz")
  /// let parityCase = try ParityCase.load(location)
  /// ```
  ///
  /// - Throws: `CaseError` where a file can't be read, or the fixture is wrong in itself.
  /// - Complexity: O(bytes of the fixture) in time and memory.
  package static func load(_ location: CaseLocation) throws(CaseError) -> ParityCase {
    let contents = try FixtureContents(location)
    if let outlines = try contents.outlines() {
      // What fits by its shapes is read.
      _ = try invalid(location) { () throws(InvalidValue) in
        try ParityCase(location, explained: contents.manifest, outlines)
      }
    }
    let tensors = try contents.tensors()
    return try invalid(location) { () throws(InvalidValue) in
      try ParityCase(location, contents.manifest, tensors)
    }
  }

  private static func invalid(
    _ location: CaseLocation, _ make: () throws(InvalidValue) -> ParityCase
  ) throws(CaseError) -> ParityCase {
    do throws(InvalidValue) {
      return try make()
    } catch {
      throw .invalid(path: location.path, error)
    }
  }

  /// Checks that a manifest and tensors fit together.
  ///
  /// - Parameter tensors: all of the fixture, by the names that they have in it, such as
  ///   `state_dict/weight_ih_l0`.
  /// - Throws: `InvalidValue`, naming the tensor or the key, for what is missing, unknown, or
  ///   contradicts another part.
  package init(
    _ location: CaseLocation, _ manifest: Manifest, _ tensors: [String: Tensor]
  ) throws(InvalidValue) {
    try self.init(location, explained: manifest, tensors)
    // Checked last: what is missing or contradicts another part says more than a checksum.
    try manifest.checkDigest(tensors)
  }

  /// The same, but for the manifest's digest, which is not checked. An error says what it comes
  /// from where that can be told.
  private init(
    _ location: CaseLocation, explained manifest: Manifest, _ tensors: [String: Tensor]
  ) throws(InvalidValue) {
    do throws(InvalidValue) {
      try self.init(location, unsigned: manifest, tensors)
    } catch {
      throw ExchangedAxes(manifest, tensors).explanation(of: error) { manifest, tensors in
        (try? ParityCase(location, unsigned: manifest, tensors)) != nil
      }
    }
  }

  /// The same, without an explanation.
  private init(
    _ location: CaseLocation, unsigned manifest: Manifest, _ tensors: [String: Tensor]
  ) throws(InvalidValue) {
    try manifest.checkNames(of: tensors.keys)
    var parts = FixtureParts(tensors)
    let parameters = parts.takeStateDict()
    let tensor = parts.take("inputs/input")
    let isComputed = !parameters.isEmpty || !manifest.modules.contains(where: \.hasParameters)
    let modules = isComputed ? try manifest.modules(parameters, input: tensor?.shape) : []
    let packing = try parts.packing(manifest.packed)
    let reference = try parts.takeReference(manifest, isComputed: isComputed)
    let (h0, c0) = (parts.take("inputs/h_0"), parts.take("inputs/c_0"))
    try parts.requireEmpty()
    try Self.check(manifest, outputs: reference.names, isComputed: isComputed)
    let input = tensor.map { ChainInput($0, h0: h0, c0: c0, packing: packing) }
    if isComputed {
      guard let input else {
        throw InvalidValue("inputs/input", expected: "a tensor, beside state_dict", found: "none")
      }
      try self.init(location, manifest, reference, input, modules)
    } else {
      if input == nil, let state = h0 ?? c0 {
        throw InvalidValue(
          "inputs/input", expected: "a tensor, beside the initial states",
          found: "none beside one of \(state.shape)")
      }
      try self.init(location, manifest, reference, layoutOnly: input, packing)
    }
  }

  /// Refuses what the manifest states and such a case can't have.
  ///
  /// - Parameter isComputed: whether the outputs can be computed, and not only their layout
  ///   checked.
  private static func check(
    _ manifest: Manifest, outputs: [String], isComputed: Bool
  ) throws(InvalidValue) {
    let exceptions = manifest.tolerance.exceptions.keys
    if let unused = exceptions.filter({ !isComputed || !outputs.contains($0) }).min() {
      throw InvalidValue(
        "tolerance.outputs." + unused,
        expected: isComputed
          ? "one of \(outputs.joined(separator: ", "))" : "none without state_dict",
        found: "an exception")
    }
    if !isComputed, let arithmetic = manifest.arithmetic {
      throw InvalidValue(
        "arithmetic", expected: "none without state_dict", found: "\"\(arithmetic)\"")
    }
    if !isComputed, manifest.chunks != nil {
      throw InvalidValue(
        ChunkSizes.key, expected: "none without state_dict", found: "some",
        remedy: "without parameters nothing is run")
    }
  }
}

// MARK: - Cases that are computed

extension ParityCase {
  /// A case with the parameters and the input that it takes to compute its outputs.
  private init(
    _ location: CaseLocation, _ manifest: Manifest, _ reference: Results, _ input: ChainInput,
    _ modules: [ChainModule]
  ) throws(InvalidValue) {
    try Self.check(input.tensor, modules[0])
    // Before the types are unified, so that what PyTorch would refuse is refused.
    var chunks: Chunks?
    if let configuration = modules[0].configuration {
      let checked = try RecurrentInput(
        input: input.tensor, h0: input.h0, c0: input.c0, packing: input.packing,
        for: configuration)
      chunks = try manifest.chunks?.chunks(of: checked.layout.steps, configuration)
    }
    let type = try Self.elementType(of: modules, input)
    guard let arithmetic = manifest.arithmetic ?? Arithmetic(of: type) else {
      preconditionFailure("parameters are of floats")
    }
    let chain = try Chain(
      try modules.map { module throws(InvalidValue) in try module.rounded(to: arithmetic) },
      input: ChainInput(
        input.tensor.rounded(for: arithmetic), h0: input.h0?.rounded(for: arithmetic),
        c0: input.c0?.rounded(for: arithmetic), packing: input.packing, chunks: chunks),
      in: arithmetic, manifest.activations)
    try Self.check(reference, against: chain)
    self.init(
      location: location, manifest: manifest, reference: reference, layouts: chain.layouts,
      chain: chain)
  }

  /// The one element type of all parameters and initial states, and of the input unless it is
  /// of indices.
  ///
  /// - Throws: `InvalidValue`, naming the first tensor of another type.
  private static func elementType(
    of modules: [ChainModule], _ input: ChainInput
  ) throws(InvalidValue) -> ElementType {
    let parameters = modules.flatMap { module in
      module.parameters.map { (name: module.qualified($0), tensor: $1) }
    }.sorted { $0.name < $1.name }
    let type = parameters.first?.tensor.elementType ?? input.tensor.elementType
    guard type.isFloatingPoint else {
      throw InvalidValue("inputs/input", expected: "floats", found: "\(type)")
    }
    if let other = parameters.first(where: { $0.tensor.elementType != type }) {
      throw InvalidValue(
        "state_dict/" + other.name, expected: "\(type), as \(parameters[0].name)",
        found: "\(other.tensor.elementType)")
    }
    for (name, tensor) in [("input", input.tensor), ("h_0", input.h0), ("c_0", input.c0)] {
      if let found = tensor?.elementType, found.isFloatingPoint, found != type {
        throw InvalidValue("inputs/" + name, expected: "\(type), as state_dict", found: "\(found)")
      }
    }
    return type
  }

  /// Checks that an embedding is given indices of its rows, and any other module floats.
  private static func check(_ input: Tensor, _ module: ChainModule) throws(InvalidValue) {
    guard case .embedding(let weight, _) = module.layer else {
      guard input.elementType.isFloatingPoint else {
        throw InvalidValue(
          "inputs/input", expected: "floats, for \(module.className)",
          found: "\(input.elementType)")
      }
      return
    }
    guard !input.elementType.isFloatingPoint else {
      throw InvalidValue(
        "inputs/input", expected: "int64 or int32, for an Embedding",
        found: "\(input.elementType)")
    }
    let rows = weight.shape.axes[0]
    if let bad = input.firstInteger(where: { !(0..<Int64(rows) ~= $0) }) {
      throw InvalidValue(
        "inputs/input", expected: "indices from 0 to \(rows - 1)", found: "\(bad)")
    }
  }

  /// Checks that the reference has the shapes that the chain computes.
  private static func check(
    _ reference: Results, against chain: Chain
  ) throws(InvalidValue) {
    let shapes = Dictionary(
      chain.resultShapes.map { ($0, $1.shape) }, uniquingKeysWith: { first, _ in first })
    for (name, tensor) in reference.named where tensor.shape != shapes[name] {
      throw InvalidValue(
        "outputs/" + name, expected: "the shape \(shapes[name] ?? [])", found: "\(tensor.shape)")
    }
    try check(typesOf: reference)
  }

  /// Checks that all outputs are of one type of floats.
  private static func check(typesOf reference: Results) throws(InvalidValue) {
    let name = reference["output"] == nil ? reference.names[0] : "output"
    let type = reference[name]?.elementType ?? .float32
    guard type.isFloatingPoint else {
      throw InvalidValue("outputs/" + name, expected: "floats", found: "\(type)")
    }
    if let other = reference.named.first(where: { $0.tensor.elementType != type }) {
      throw InvalidValue(
        "outputs/" + other.name, expected: "\(type), as outputs/\(name)",
        found: "\(other.tensor.elementType)")
    }
  }
}

// MARK: - Cases of which only the layout is checked

extension ParityCase {
  /// A case without parameters, whose configurations follow from its outputs' shapes.
  ///
  /// - Parameter input: of the first module; nil where the fixture has none.
  private init(
    _ location: CaseLocation, _ manifest: Manifest, _ reference: Results,
    layoutOnly input: ChainInput?, _ packing: Packing?
  ) throws(InvalidValue) {
    var layouts: [ModuleLayout] = []
    for (index, module) in manifest.modules.enumerated() {
      guard case .recurrent(let arguments, _) = module.layer,
        let outputs = reference.outputs(of: module.name),
        outputs.output != nil || arguments.module.isCell
      else { continue }
      let own = index == 0 ? input : nil
      let inferred = InferredArguments(
        parameters: [:], input: own?.tensor.shape,
        outputs: Dictionary(uniqueKeysWithValues: outputs.named.map { ($0, $1.shape) }))
      let configuration = try arguments.configuration(with: inferred)
      let given = try own.map { own throws(InvalidValue) in
        try RecurrentInput(
          input: own.tensor, h0: own.h0, c0: own.c0, packing: packing, for: configuration)
      }
      layouts.append(
        ModuleLayout(
          name: module.name, configuration: configuration,
          contract: try Self.contract(
            configuration, outputs.results(of: module.name), layout: given?.outputLayout, packing)))
    }
    guard !layouts.isEmpty else {
      throw InvalidValue(
        "outputs", expected: "output and h_n of a recurrent module, where there is no state_dict",
        found: reference.names.joined(separator: ", "))
    }
    try Self.check(typesOf: reference)
    self.init(
      location: location, manifest: manifest, reference: reference, layouts: layouts, chain: nil)
  }

  /// The identities between a module's outputs, once their shapes are checked.
  ///
  /// - Parameter layout: what the input says of sequences and steps; nil where the outputs say
  ///   it themselves.
  private static func contract(
    _ configuration: RecurrentConfiguration, _ outputs: Results, layout: SequenceLayout?,
    _ packing: Packing?
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
    func stateAxes(_ features: Int) -> [Int] {
      layout.stateAxes(rows: configuration.stateRows, features: features)
    }
    for (name, tensor) in outputs.named {
      let axes =
        name.hasSuffix("h_n")
        ? stateAxes(configuration.outputSize)
        : name.hasSuffix("c_n")
          ? stateAxes(configuration.hiddenSize)
          : layout.axes(features: configuration.outputFeatures)
      guard tensor.shape.axes == axes else {
        throw InvalidValue(
          "outputs/" + name, expected: "the shape \(Shape.text(axes))", found: "\(tensor.shape)")
      }
    }
    try packing?.check(against: layout)
    if let packing, packing.outputSteps != layout.steps {
      throw InvalidValue(
        "outputs/" + first,
        expected: "\(packing.lengths.count) sequences of \(packing.outputSteps) steps",
        found: "\(sequences.shape)")
    }
    return LayoutContract(configuration, layout: layout, packing: packing)
  }
}
