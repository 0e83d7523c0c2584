import RecurrentModel
import TensorCore

extension ChainArguments {
  /// The module with its parameters, which are taken out of `stateDict`.
  ///
  /// - Parameter input: what is given to it, where that is known.
  func module(
    taking stateDict: inout [String: Tensor], input: Shape?
  ) throws(InvalidValue) -> ChainModule {
    let prefix = Results.name("", of: name)
    var own: [String: Tensor] = [:]
    for key in stateDict.keys where key.hasPrefix(prefix) {
      own[String(key.dropFirst(prefix.count))] = stateDict.removeValue(forKey: key)
    }
    var parameters = ModuleParameters(module: name, tensors: own)
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
      let tensors = parameters.takeAll()
      let told = InferredArguments(
        parameters: tensors.mapValues(\.shape), input: input, outputs: [:])
      do throws(InvalidValue) {
        let configuration = try arguments.configuration(with: told)
        let stateDict = try StateDict(tensors, checkedAgainst: configuration)
        return .recurrent(configuration, stateDict, select: select)
      } catch {
        throw name.isEmpty
          ? error
          : InvalidValue(
            "\(name): \(error.name)", expected: error.expected, found: error.found)
      }
    case .directionMerge(let mode):
      return .directionMerge(mode)
    case .linear(let columns, let rows, let hasBias):
      let weight = try parameters.take("weight", rank: 2)
      try agree("out_features", rows, weight, axis: 0)
      try agree("in_features", columns, weight, axis: 1)
      guard hasBias ?? parameters.contains("bias") else {
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

/// The parameters of one module, taken one after another until none is left.
private struct ModuleParameters {
  let module: String
  var tensors: [String: Tensor]

  func contains(_ name: String) -> Bool { tensors[name] != nil }

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

  mutating func takeAll() -> [String: Tensor] {
    defer { tensors = [:] }
    return tensors
  }

  func requireEmpty() throws(InvalidValue) {
    guard let stranger = tensors.keys.min() else { return }
    throw InvalidValue(
      "state_dict/\(module).\(stranger)", expected: "no such parameter in this module",
      found: "a tensor \(tensors[stranger]?.shape ?? [])")
  }
}

extension ChainModule {
  /// Its parameters rounded to an arithmetic, in what we compute in.
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
  /// First to what a module computes in, then, without loss, to what we do; integers stay.
  func rounded(for arithmetic: Arithmetic) -> Tensor {
    elementType.isFloatingPoint
      ? rounded(to: arithmetic.storage).rounded(to: arithmetic.computation) : self
  }
}
