import RecurrentModel
import TensorCore

/// Weight matrices that are read the wrong way round.
enum WeightMistakes {
  static let all: [Mistake] = [
    Mistake(
      "weight-hh-transposed", with: "each gate's block of weight_hh transposed",
      "PyTorch multiplies weight_hh with h from the left: row k of a block makes unit k",
      by: ["implementations that multiply h @ W, as Keras'"],
      needs: [.noProjection, .severalUnits, .hiddenStates]
    ) { replay in
      replay.transposeBlocks { $0.role == .weightHH }
    },
    Mistake(
      "weights-transposed", with: "each gate's block of weight_ih and weight_hh transposed",
      "PyTorch multiplies weight_ih with x, and weight_hh with h, from the left",
      by: ["implementations that multiply x @ W, as Keras'"],
      needs: [.noProjection, .severalUnits, squareInput], isOfEachParameter: true
    ) { replay in
      let hidden = replay.configuration.hiddenSize
      replay.transposeBlocks { parameter in
        parameter.role == .weightHH
          || parameter.role == .weightIH && parameter.shape.axes[1] == hidden
      }
    },
    Mistake(
      "weights-reread", with: "weight_ih and weight_hh read as if their axes were exchanged",
      "transpose the array, not its shape: numpy's .T and not .reshape",
      needs: [
        Requirement("input_size and hidden_size above 1") { replay in
          replay.configuration.parameters.contains { $0.isWeight && !$0.shape.axes.contains(1) }
        }
      ], isOfEachParameter: true
    ) { replay in
      replay.changeParameters { current, parameter in
        guard parameter.isWeight else { return nil }
        let (rows, columns) = (parameter.shape.axes[0], parameter.shape.axes[1])
        let offsets = (0..<rows * columns).map { $0 % columns * rows + $0 / columns }
        return current.tensor(parameter).gathering(offsets, shape: parameter.shape)
      }
    },
    Mistake(
      "weights-exchanged", with: "weight_ih and weight_hh exchanged",
      "PyTorch multiplies weight_ih with x, and weight_hh with h",
      needs: [.noProjection, squareInput]
    ) { replay in
      let hidden = replay.configuration.hiddenSize
      replay.changeParameters { current, parameter in
        guard parameter.isWeight,
          let input = current.stateDict[.weightIH, parameter.layer, parameter.direction],
          input.shape.axes[1] == hidden
        else { return nil }
        return parameter.role == .weightHH
          ? input : current.stateDict[.weightHH, parameter.layer, parameter.direction]
      }
    },
    interleaved(
      "gates-interleaved",
      with: "the gates' rows interleaved, unit by unit",
      "PyTorch's rows stand in one block for each gate"
    ) { place, gates, units in place % gates * units + place / gates },
    interleaved(
      "gates-deinterleaved",
      with: "the rows read as if the gates were interleaved, unit by unit",
      "PyTorch's rows stand in one block for each gate"
    ) { place, gates, units in place % units * gates + place / units },
  ]

  /// - Parameter source: which row stands at a place.
  private static func interleaved(
    _ name: String, with summary: String, _ advice: String,
    _ source: @escaping @Sendable (_ place: Int, _ gates: Int, _ units: Int) -> Int
  ) -> Mistake {
    Mistake(
      name, with: summary, advice, needs: [.lstmOrGRU, .severalUnits], isOfEachParameter: true
    ) { replay in
      let (gates, units) = (replay.gateCount, replay.configuration.hiddenSize)
      replay.changeParameters { current, parameter in
        parameter.hasGates
          ? current.tensor(parameter).takingBlocks(
            (0..<gates * units).map { source($0, gates, units) }) : nil
      }
    }
  }

  private static let squareInput = Requirement("input_size equal to hidden_size") { replay in
    let configuration = replay.configuration
    return (0..<configuration.numLayers).contains {
      configuration.inputSize(ofLayer: $0) == configuration.hiddenSize
    }
  }
}

extension ParameterSpecification {
  fileprivate var isWeight: Bool { role == .weightIH || role == .weightHH }
}

extension Replay {
  /// Transposes each block of rows of some parameters whose blocks are square.
  fileprivate mutating func transposeBlocks(of isChanged: (ParameterSpecification) -> Bool) {
    changeParameters { current, parameter in
      guard isChanged(parameter) else { return nil }
      let size = parameter.shape.axes[1]
      let offsets = (0..<parameter.shape.elementCount).map { offset in
        let (block, within) = offset.quotientAndRemainder(dividingBy: size * size)
        return block * size * size + within % size * size + within / size
      }
      return current.tensor(parameter).gathering(offsets, shape: parameter.shape)
    }
  }
}
