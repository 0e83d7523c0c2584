import RecurrentModel
import TensorCore

extension Manifest {
  /// The modules of the case, with their parameters.
  ///
  /// - Parameters:
  ///   - stateDict: the parameters of all modules.
  ///   - input: the shape of what is given to the first; nil where it is not known.
  /// - Throws: `InvalidValue` as `ChainArguments.module`, and where a parameter is no module's.
  func modules(
    _ stateDict: [String: Tensor], input: Shape?
  ) throws(InvalidValue) -> [ChainModule] {
    do throws(InvalidValue) {
      var parameters = stateDict
      var modules: [ChainModule] = []
      for arguments in self.modules {
        let given = modules.isEmpty ? input : nil
        modules.append(try arguments.module(taking: &parameters, input: given))
      }
      if let other = parameters.keys.min() {
        throw InvalidValue(
          "state_dict/" + other, expected: "parameters of the modules", found: "no such module's")
      }
      return modules
    } catch {
      throw ParameterPrefix(stateDict.keys, of: self.modules)?.error(borrowed["state_dict"])
        ?? error
    }
  }
}

extension ChainArguments {
  /// The module that a manifest describes, with its parameters.
  ///
  /// - Parameters:
  ///   - stateDict: the parameters of all modules, out of which this module's are taken.
  ///   - input: the shape of what is given to the module; nil where it is not known yet.
  /// - Throws: `InvalidValue`, naming the parameter or the argument, where a parameter is
  ///   missing, not known, or of another shape than the arguments say.
  func module(
    taking stateDict: inout [String: Tensor], input: Shape?
  ) throws(InvalidValue) -> ChainModule {
    var parameters = ModuleParameters(
      module: name, tensors: stateDict.takeAll(withPrefix: Results.name("", of: name)))
    let layer = try layer(&parameters, input)
    try parameters.requireEmpty()
    return ChainModule(name: name, layer: layer)
  }

  private func layer(
    _ parameters: inout ModuleParameters, _ input: Shape?
  ) throws(InvalidValue) -> ChainModule.Layer {
    switch layer {
    case .embedding(let rows, let columns, let padding):
      let weight = try parameters.take("weight", rank: 2)
      try agree("num_embeddings", rows, weight, axis: 0)
      try agree("embedding_dim", columns, weight, axis: 1)
      let count = weight.shape.axes[0]
      if let padding, !(-count..<count ~= padding) {
        throw InvalidValue(
          name + ".padding_idx", expected: "a row of \(count)", found: "\(padding)")
      }
      return .embedding(weight: weight, paddingIdx: padding.map { $0 < 0 ? $0 + count : $0 })
    case .recurrent(let arguments, let select):
      let tensors = parameters.tensors
      parameters.tensors = [:]
      do throws(InvalidValue) {
        let (configuration, stateDict) = try arguments.checked(tensors, input: input)
        return .recurrent(configuration, stateDict, select: select)
      } catch {
        throw name.isEmpty ? error : error.within(name)
      }
    case .directionMerge(let mode):
      return .directionMerge(mode)
    case .linear(let columns, let rows, let hasBias):
      let weight = try parameters.take("weight", rank: 2)
      try agree("out_features", rows, weight, axis: 0)
      try agree("in_features", columns, weight, axis: 1)
      guard hasBias ?? (parameters.tensors["bias"] != nil) else {
        return .linear(weight: weight, bias: nil)
      }
      let bias = try parameters.take("bias", rank: 1)
      guard bias.count == weight.shape.axes[0] else {
        throw InvalidValue(
          "state_dict/\(name).bias", expected: "the shape (\(weight.shape.axes[0]),)",
          found: "\(bias.shape)")
      }
      return .linear(weight: weight, bias: bias)
    case .softmax(let axis): return .softmax(axis: axis)
    case .logSoftmax(let axis): return .logSoftmax(axis: axis)
    }
  }

  /// Checks that an argument, where it is given, is the size of an axis of the weight.
  private func agree(
    _ argument: String, _ given: Int?, _ weight: Tensor, axis: Int
  ) throws(InvalidValue) {
    guard let given, given != weight.shape.axes[axis] else { return }
    throw InvalidValue(
      name + "." + argument,
      expected: "\(weight.shape.axes[axis]), as state_dict/\(name).weight \(weight.shape) tells",
      found: "\(given)")
  }
}

/// The parameters of one module, taken out one after another. What is left in the end is a
/// parameter that the module does not have.
private struct ModuleParameters {
  let module: String
  /// By their names in the module, such as `weight`.
  var tensors: [String: Tensor]

  /// - Throws: `InvalidValue` where it is missing, is of integers, or has another rank.
  mutating func take(_ name: String, rank: Int) throws(InvalidValue) -> Tensor {
    let subject = "state_dict/\(module).\(name)"
    guard let tensor = tensors.removeValue(forKey: name) else {
      throw InvalidValue(subject, expected: "a tensor", found: "none")
    }
    guard tensor.shape.rank == rank, tensor.elementType.isFloatingPoint else {
      throw InvalidValue(
        subject, expected: "floats on \(rank == 1 ? "one axis" : "\(rank) axes")",
        found: "\(tensor.elementType) \(tensor.shape)")
    }
    return tensor
  }

  /// - Throws: `InvalidValue` where a parameter is left.
  func requireEmpty() throws(InvalidValue) {
    guard let unknown = tensors.min(by: { $0.key < $1.key }) else { return }
    throw InvalidValue(
      "state_dict/\(module).\(unknown.key)", expected: "no such parameter in this module",
      found: "a tensor \(unknown.value.shape)")
  }
}

extension ChainModule {
  /// The module with its parameters rounded to an arithmetic, in the type that we compute in.
  func rounded(to arithmetic: Arithmetic) throws(InvalidValue) -> ChainModule {
    func rounded(_ tensor: Tensor) -> Tensor { tensor.rounded(for: arithmetic) }
    let layer: Layer =
      switch self.layer {
      case .embedding(let weight, let padding):
        .embedding(weight: rounded(weight), paddingIdx: padding)
      case .recurrent(let configuration, let stateDict, let select):
        .recurrent(
          configuration,
          try StateDict(stateDict.tensors.mapValues(rounded), checkedAgainst: configuration),
          select: select)
      case .linear(let weight, let bias):
        .linear(weight: rounded(weight), bias: bias.map(rounded))
      case .directionMerge, .softmax, .logSoftmax: self.layer
      }
    return ChainModule(name: name, layer: layer)
  }
}

extension Tensor {
  /// The numbers rounded to what a module of this arithmetic stores, in the type that we
  /// compute in, which holds them without loss. Integers stay as they are.
  func rounded(for arithmetic: Arithmetic) -> Tensor {
    elementType.isFloatingPoint
      ? rounded(to: arithmetic.storage).rounded(to: arithmetic.computation) : self
  }
}
