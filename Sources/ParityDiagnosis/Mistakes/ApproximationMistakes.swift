import RecurrentModel
import RoundingNoise
import TensorCore

/// Cheaper functions in the place of σ and tanh, and weights that are kept in fewer bits.
enum ApproximationMistakes {
  static let all = hardSigmoids + functions + tables + weights

  private static let hardSigmoids: [Mistake] = [
    hardSigmoid("hard-sigmoid-keras-3", "x/6 + ½", 1.0 / 6, by: "Keras 3"),
    hardSigmoid("hard-sigmoid-keras-2", "0.2·x + ½", 0.2, by: "Keras 2"),
    hardSigmoid("hard-sigmoid-quarter", "x/4 + ½", 0.25, by: "a first-order series"),
  ]

  private static func hardSigmoid(
    _ name: String, _ formula: String, _ slope: Double, by origin: String
  ) -> Mistake {
    Mistake(
      name, with: "a hard sigmoid, \(formula) cut off at 0 and 1, in the place of σ",
      "PyTorch's gates are 1 / (1 + e⁻ˣ)",
      by: [
        origin.hasPrefix("Keras") ? "\(origin)'s recurrent_activation='hard_sigmoid'" : origin
      ], needs: [.lstmOrGRU]
    ) { $0.scan.step.sigmoid = .hardSigmoid(slope: slope) }
  }

  private static let functions: [Mistake] = [
    Mistake(
      "hard-tanh", with: "x cut off at ±1 in the place of tanh", "PyTorch has tanh",
      needs: [.tanh]
    ) { $0.scan.step.tanh = .other(.hardTanh) },
    Mistake(
      "piecewise-sigmoid", with: "σ approximated by straight pieces (PLAN)", advice,
      by: ["FPGA and microcontroller code"], needs: [.lstmOrGRU]
    ) { $0.scan.step.sigmoid = .pieces },
    Mistake(
      "piecewise-sigmoid-and-tanh",
      with: "σ approximated by straight pieces (PLAN), and tanh made from it", advice,
      by: ["FPGA and microcontroller code"], needs: [.lstmOrGRU]
    ) {
      $0.scan.step.sigmoid = .pieces
      $0.scan.step.tanh = .other(.pieces)
    },
    fastExponential("fast-exponential-sigmoid", "σ", hasTanh: false),
    fastExponential("fast-exponential", "σ and tanh", hasTanh: true),
    Mistake(
      "pade-tanh", with: "tanh approximated as x (27 + x²) / (27 + 9 x²)", advice, needs: [.tanh]
    ) { $0.scan.step.tanh = .other(.pade) },
    Mistake(
      "pade-tanh-and-sigmoid",
      with: "tanh approximated as x (27 + x²) / (27 + 9 x²), and σ made from it", advice,
      needs: [.lstmOrGRU]
    ) {
      $0.scan.step.tanh = .other(.pade)
      $0.scan.step.sigmoid = .pade
    },
  ]

  private static let tables: [Mistake] = [
    table("activation-tables", sigmoid: 8, tanh: 4),
    table("activation-tables-8", sigmoid: 8, tanh: 8),
    table("activation-tables-6", sigmoid: 6, tanh: 6),
    table("activation-tables-4", sigmoid: 4, tanh: 4),
    table("activation-tables-interpolated", sigmoid: 8, tanh: 8, interpolates: true),
    table("activation-tables-interpolated-8-4", sigmoid: 8, tanh: 4, interpolates: true),
  ]

  /// - Parameters:
  ///   - sigmoid: how far the table of σ reaches to either side.
  ///   - tanh: how far that of tanh does.
  private static func table(
    _ name: String, sigmoid: Double, tanh: Double, interpolates: Bool = false
  ) -> Mistake {
    let reach =
      sigmoid == tanh ? "between ±\(Int(sigmoid))" : "between ±\(Int(sigmoid)) and ±\(Int(tanh))"
    return Mistake(
      name,
      with: "σ and tanh approximated by tables of {n} values, \(reach)"
        + (interpolates ? ", with straight lines between them" : ""),
      interpolates ? "an approximation that PyTorch does not make" : advice,
      needs: [.lstmOrGRU],
      amounts: { _, _ in interpolates ? [256, 64, 128, 1024] : [1024, 256, 512, 2048, 4096, 128] },
      { replay, count in
        replay.scan.step.sigmoid = .table(Int(count), end: sigmoid, interpolates: interpolates)
        replay.scan.step.tanh = .other(
          .table(Int(count), end: tanh, interpolates: interpolates))
      })
  }

  private static let advice = "an approximation that PyTorch does not make, off by 10⁻² or so"

  /// - Parameter hasTanh: whether tanh is made from the same exponential.
  private static func fastExponential(
    _ name: String, _ functions: String, hasTanh: Bool
  ) -> Mistake {
    Mistake(
      name,
      with: "\(functions) approximated by an exponential written into a float's exponent "
        + "(Schraudolph's, shifted by {n})",
      advice, needs: hasTanh ? [.tanh] : [.lstmOrGRU],
      amounts: { _, _ in [486_411, 366_393, 486_408, 298_765, 545_947, 0] },
      { replay, shift in
        replay.scan.step.sigmoid = .fastExponential(shift: shift)
        if hasTanh { replay.scan.step.tanh = .other(.fastExponential(shift: shift)) }
      })
  }

  // MARK: - Weights in fewer bits

  private static let weights: [Mistake] = [
    integers("weights-int8-per-row", "a scale for each row", .int8PerRow) { $0.shape.axes[1] },
    integers("weights-int8-per-tensor", "one scale for each matrix", .int8PerTensor) { $0.count },
    Mistake(
      "int8-dynamic",
      with: "8-bit weights, a scale for each row, and each vector rounded to 8-bit integers "
        + "before it is multiplied with them",
      "compare against dequantised weights and a model of this rounding, if 8 bits are meant"
    ) { replay in
      replay.quantizeWeights { $0.inIntegers(upTo: 127, sharing: $0.shape.axes[1]) }
      replay.scan.step.inputRounding = .symmetric
      replay.scan.step.hiddenRounding = .symmetric
    },
    Mistake(
      "int8-dynamic-pytorch",
      with: "8-bit weights, one scale for each matrix, and vectors rounded to 7-bit integers over "
        + "their range, as PyTorch's quantize_dynamic does",
      "compare against the quantised module, if 8 bits are meant",
      by: ["torch.ao.quantization.quantize_dynamic"], needs: [.sequences, .firstInChain],
      // The range is that of the whole batch, which a sequence by itself does not tell.
      mixesSequences: true, largestResidual: Mistake.largestOfEstimates
    ) { replay in
      replay.quantizeWeights { $0.inIntegers(upTo: 127.5, sharing: $0.count) }
      let input = replay.chain.input.tensor
      let rounded = StepVariant.Rounding8.range.rounded(input.elements())
      replay.setInput(
        Tensor(rounded, shape: input.shape).rounded(to: input.elementType),
        h0: replay.h0, c0: replay.c0)
      replay.scan.step.hiddenRounding = .range
    },
    float8("weights-float8-e4m3", "float8 (e4m3)", .float8E4M3),
    float8("weights-float8-e5m2", "float8 (e5m2)", .float8E5M2),
  ]

  /// - Parameter block: how many elements share a scale.
  private static func integers(
    _ name: String, _ scales: String, _ storage: WeightStorage,
    block: @escaping @Sendable (Tensor) -> Int
  ) -> Mistake {
    Mistake(
      name, with: "8-bit integer weights, \(scales), ±{n} for the largest",
      "compare against the dequantised weights, if 8 bits are meant", storage: storage,
      amounts: { _, _ in [127, 127.5, 128] },
      { replay, largest in
        replay.quantizeWeights { $0.inIntegers(upTo: largest, sharing: block($0)) }
      })
  }

  private static func float8(_ name: String, _ type: String, _ storage: WeightStorage) -> Mistake {
    Mistake(
      name, with: "weights stored in \(type)",
      "compare against the weights as they are stored, if \(type) is meant", storage: storage
    ) { replay in replay.quantizeWeights(storage.stored) }
  }
}

extension Tensor {
  /// The numbers rounded to 8-bit integers times a scale, as `WeightStorage.integers` says.
  fileprivate func inIntegers(upTo largest: Double, sharing size: Int) -> Tensor {
    Tensor(WeightStorage.integers(elements(), upTo: largest, sharing: size), shape: shape)
  }
}

extension Replay {
  /// Puts other numbers in the place of the weight matrices.
  fileprivate mutating func quantizeWeights(_ change: (Tensor) -> Tensor) {
    changeParameters { current, parameter in
      parameter.isBias ? nil : change(current.tensor(parameter))
    }
  }
}
