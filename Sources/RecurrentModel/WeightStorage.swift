package import TensorCore

/// A type of fewer bits in which an implementation keeps its weights. It computes with what they
/// are rounded to; its arithmetic may be any.
///
/// ```swift
/// WeightStorage.int8PerRow.stored(matrix)  // the matrix, dequantised
/// try chain.storing(as: .float16)          // the chain with all of its matrices so
/// ```
package enum WeightStorage: String, Sendable, CaseIterable {
  /// Matrices in float16, biases as they are.
  case float16
  case bfloat16
  /// Matrices and biases in float16, as `module.half()` has them.
  case float16Parameters = "float16-parameters"
  case bfloat16Parameters = "bfloat16-parameters"
  /// Integers from −127 to 127 and a scale for each row of a matrix, by its largest absolute
  /// value.
  case int8PerRow = "int8-per-row"
  /// The same with one scale for each matrix.
  case int8PerTensor = "int8-per-tensor"
  /// 4 bits of exponent and 3 of significand (OCP's 8-bit format, 2023): at most 448, and cut off
  /// there.
  case float8E4M3 = "float8-e4m3"
  /// 5 bits of exponent and 2 of significand: at most 57,344, and cut off there.
  case float8E5M2 = "float8-e5m2"

  /// Whether biases are kept so too.
  package var includesBiases: Bool {
    self == .float16Parameters || self == .bfloat16Parameters
  }

  /// A tensor's numbers as they are once they have been stored, in float64.
  ///
  /// - Complexity: O(elements).
  package func stored(_ tensor: Tensor) -> Tensor {
    let elements: [Double] = tensor.elements()
    let stored =
      switch self {
      case .float16, .float16Parameters: elements.map(Arithmetic.float16.nearest)
      case .bfloat16, .bfloat16Parameters: elements.map(Arithmetic.bfloat16.nearest)
      case .int8PerRow:
        Self.integers(elements, upTo: 127, sharing: tensor.shape.axes.last ?? elements.count)
      case .int8PerTensor: Self.integers(elements, upTo: 127, sharing: elements.count)
      case .float8E4M3:
        elements.map { Self.float8($0, significantBits: 4, least: -6, largest: 448) }
      case .float8E5M2:
        elements.map { Self.float8($0, significantBits: 3, least: -14, largest: 57344) }
      }
    return Tensor(stored, shape: tensor.shape)
  }

  /// Numbers rounded to 8-bit integers times a scale.
  ///
  /// - Parameters:
  ///   - largest: the integer that the largest absolute value is scaled to.
  ///   - size: how many neighbours share a scale.
  package static func integers(
    _ elements: [Double], upTo largest: Double, sharing size: Int
  ) -> [Double] {
    let scales = stride(from: 0, to: elements.count, by: max(1, size)).map { start in
      elements[start..<start + size].reduce(0) { max($0, abs($1)) } / largest
    }
    return elements.indices.map { offset in
      let (own, scale) = (elements[offset], scales[offset / size])
      guard scale > 0 else { return own }
      return min(127, max(-128, (own / scale).rounded(.toNearestOrEven))) * scale
    }
  }

  /// - Parameters:
  ///   - significantBits: the bits of the significand, the leading one among them.
  ///   - least: the exponent of the smallest normal number.
  private static func float8(
    _ own: Double, significantBits: Int, least: Int, largest: Double
  ) -> Double {
    guard own != 0, own.isFinite else { return own }
    let exponent = max(Int(own.exponent), least)
    let unit = Double(sign: .plus, exponent: exponent - significantBits + 1, significand: 1)
    return min(largest, max(-largest, (own / unit).rounded(.toNearestOrEven) * unit))
  }
}

extension Chain {
  /// The same chain with its weights as they are once they have been stored: the matrices of
  /// recurrent modules and of Linear modules, and their biases where these are stored so too. An
  /// Embedding is a table that is read, and keeps its numbers unless biases change too.
  ///
  /// - Complexity: O(parameters).
  package func storing(as storage: WeightStorage) -> Chain {
    func stored(_ tensor: Tensor, _ isStored: Bool = true) -> Tensor {
      isStored ? storage.stored(tensor).rounded(to: tensor.elementType) : tensor
    }
    let changed = modules.map { module -> ChainModule in
      let layer: ChainModule.Layer =
        switch module.layer {
        case .recurrent(let configuration, let stateDict, let select):
          .recurrent(
            configuration,
            stateDict.mapping { name, tensor in
              stored(tensor, storage.includesBiases || !name.hasPrefix("bias"))
            }, select: select)
        case .linear(let weight, let bias):
          .linear(weight: stored(weight), bias: bias.map { stored($0, storage.includesBiases) })
        case .embedding(let weight, let padding):
          .embedding(weight: stored(weight, storage.includesBiases), paddingIdx: padding)
        case .directionMerge, .softmax, .logSoftmax: module.layer
        }
      return ChainModule(name: module.name, layer: layer)
    }
    guard let chain = try? with(modules: changed) else {
      preconditionFailure("stored weights have the shapes of the others")
    }
    return chain
  }
}
