import RecurrentModel

extension ModuleArguments {
  /// Reads the `arguments` of a recurrent module. What a manifest leaves out is nil.
  ///
  /// - Throws: `InvalidValue`, naming the argument, where the module's constructor has no such
  ///   argument, or not of this type.
  init(of module: RecurrentModule, in object: ManifestObject) throws(InvalidValue) {
    self.init(module: module)
    let known = ModuleArguments.names(of: module)
    guard let given = try object.object("arguments", known: known) else { return }
    // In eval(), which references are made in, dropout does nothing.
    if let dropout = try given.number("dropout"), !(0...1 ~= dropout) {
      throw InvalidValue(
        given.name(of: "dropout"), expected: "0 to 1", found: "\(dropout)")
    }
    inputSize = try given.integer("input_size")
    hiddenSize = try given.integer("hidden_size")
    numLayers = try given.integer("num_layers")
    bias = try given.boolean("bias")
    batchFirst = try given.boolean("batch_first")
    bidirectional = try given.boolean("bidirectional")
    projSize = try given.integer("proj_size")
    nonlinearity = try given.name("nonlinearity", Nonlinearity.self)
  }
}
