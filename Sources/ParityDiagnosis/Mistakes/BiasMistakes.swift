import RecurrentModel
import RoundingNoise
import TensorCore

/// Mistakes with the two biases that PyTorch has where other frameworks have one.
enum BiasMistakes {
  static let all: [Mistake] = [
    biases(
      "bias-hh-dropped", with: "bias_hh left out", "PyTorch adds bias_ih and bias_hh",
      by: ["implementations with one bias"]
    ) { $0 == .biasHH ? .zero : .own },
    biases(
      "bias-ih-dropped", with: "bias_ih left out", "PyTorch adds bias_ih and bias_hh"
    ) { $0 == .biasIH ? .zero : .own },
    biases("biases-dropped", with: "no bias", "PyTorch adds bias_ih and bias_hh") { _ in .zero },
    biases(
      "bias-ih-twice", with: "bias_ih in the place of bias_hh too", "load each into its own place"
    ) { _ in .input },
    biases(
      "bias-hh-twice", with: "bias_hh in the place of bias_ih too", "load each into its own place"
    ) { _ in .hidden },
    biases(
      "biases-doubled", with: "both biases counted twice",
      "add their sum once, not to the input's and to the hidden state's product",
      by: ["a folded bias that is added to both products"]
    ) { _ in .twice },
    // LSTM and RNN add both biases: either order gives the same.
    biases(
      "biases-swapped", with: "bias_ih and bias_hh exchanged",
      "n = tanh(W_in x + b_in + r ⊙ (W_hn h + b_hn)): only b_hn is multiplied by r", needs: [.gru]
    ) { $0 == .biasIH ? .hidden : .input },
    Mistake(
      "forget-bias-one", with: "1 added to the forget gate's sum",
      "PyTorch adds the biases alone",
      by: ["TensorFlow 1's BasicLSTMCell(forget_bias=1.0)", "Haiku"], needs: [.lstm]
    ) { $0.scan.step.addedToForget = 1 },
    Mistake(
      "forget-bias-minus-one", with: "1 subtracted from the forget gate's sum",
      "PyTorch adds the biases alone", by: ["a forget bias of 1 that was folded in and taken out"],
      needs: [.lstm]
    ) { $0.scan.step.addedToForget = -1 },
    interleaved(
      "biases-interleaved", with: "the two biases interleaved, as (2, G·H) read as (G·H, 2)"
    ) { place, count in (place % count * 2 + place / count) },
    interleaved(
      "biases-deinterleaved",
      with: "the two biases as if they were interleaved, (G·H, 2) read as (2, G·H)"
    ) { place, count in (place % 2 * count + place / 2) },
    Mistake(
      "b-in-inside-reset", with: "b_in inside the product with r",
      "n = tanh(W_in x + b_in + r ⊙ (W_hn h + b_hn)): b_in is not multiplied by r",
      by: ["implementations that add both biases to the hidden state's product"],
      needs: [.gru, .biases]
    ) { replay in
      replay.changeParameters { current, parameter in
        guard parameter.isBias else { return nil }
        let new = current.block(2, of: parameter)
        let other: [Double] =
          current.stateDict[.biasIH, parameter.layer, parameter.direction]?.elements() ?? []
        return current.tensor(parameter).mapping { offset, own in
          guard new ~= offset else { return own }
          return parameter.role == .biasIH ? 0 : own + other[offset]
        }
      }
    },
    hiddenBias(
      "b-hn-dropped", with: "b_hn left out",
      "PyTorch's GRU has two biases for n: tanh(W_in x + b_in + r ⊙ (W_hn h + b_hn))",
      by: ["Flax's and other GRUs with one bias for n"], issue: "google/flax#5594",
      without: [2]),
    hiddenBias(
      "b-hr-b-hz-dropped", with: "b_hr and b_hz left out",
      "PyTorch adds bias_hh to the sums of r and z too",
      by: ["GRUs that keep a second bias for n alone"], without: [0, 1]),
    Mistake(
      "b-hn-inside-and-outside", with: "b_hn inside the product with r and outside it too",
      "n = tanh(W_in x + b_in + r ⊙ (W_hn h + b_hn)): b_hn is added once",
      issue: "patrick-kidger/equinox#1003", needs: [.gru, .biases]
    ) { replay in
      replay.changeParameters { current, parameter in
        parameter.role == .biasIH ? current.addingHiddenBiasOfNew(parameter) : nil
      }
    },
    Mistake(
      "b-hn-outside-reset", with: "b_hn outside the product with r",
      "n = tanh(W_in x + b_in + r ⊙ (W_hn h + b_hn)): the reset gate multiplies b_hn too",
      by: ["implementations that add both biases to the input's product"],
      issue: "keras-team/keras#15915", needs: [.gru, .biases]
    ) { replay in
      replay.changeParameters { current, parameter in
        guard parameter.isBias else { return nil }
        if parameter.role == .biasIH { return current.addingHiddenBiasOfNew(parameter) }
        let new = current.block(2, of: parameter)
        return current.tensor(parameter).mapping { new ~= $0 ? 0 : $1 }
      }
    },
  ]

  /// A mistake that leaves the blocks of some gates out of a GRU's bias_hh.
  ///
  /// - Parameter dropped: the gates' places among r, z, n.
  private static func hiddenBias(
    _ name: String, with summary: String, _ advice: String, by origins: [String],
    issue: String? = nil, without dropped: [Int]
  ) -> Mistake {
    Mistake(name, with: summary, advice, by: origins, issue: issue, needs: [.gru, .biases]) {
      replay in
      replay.changeParameters { current, parameter in
        guard parameter.role == .biasHH else { return nil }
        let blocks = dropped.map { current.block($0, of: parameter) }
        return current.tensor(parameter).mapping { offset, own in
          blocks.contains { $0 ~= offset } ? 0 : own
        }
      }
    }
  }

  /// A mistake that mixes the elements of bias_ih and bias_hh.
  ///
  /// - Parameter source: which element, of those of bias_ih followed by those of bias_hh, stands at
  ///   a place among them.
  private static func interleaved(
    _ name: String, with summary: String,
    _ source: @escaping @Sendable (_ place: Int, _ count: Int) -> Int
  ) -> Mistake {
    Mistake(
      name, with: summary, "store bias_ih and bias_hh one behind the other, not transposed",
      issue: "majianjia/nnom#82", needs: [.biases]
    ) { replay in
      replay.changeParameters { current, parameter in
        guard parameter.isBias,
          let input = current.stateDict[.biasIH, parameter.layer, parameter.direction],
          let hidden = current.stateDict[.biasHH, parameter.layer, parameter.direction]
        else { return nil }
        let both = input.appending(hidden)
        let first = parameter.role == .biasIH ? 0 : input.count
        return both.gathering(
          (first..<first + input.count).map { source($0, input.count) }, shape: input.shape)
      }
    }
  }

  /// What stands in the place of a bias.
  private enum Source {
    case own
    case zero
    case input
    case hidden
    case twice
  }

  /// A mistake that puts something else in the place of each layer's biases.
  ///
  /// - Parameter source: what stands in the place of `bias_ih`, and in that of `bias_hh`.
  private static func biases(
    _ name: String, with summary: String, _ advice: String, by origins: [String] = [],
    needs: [Requirement] = [],
    _ source: @escaping @Sendable (ParameterSpecification.Role) -> Source
  ) -> Mistake {
    Mistake(name, with: summary, advice, by: origins, needs: [.biases] + needs) { replay in
      replay.changeParameters { current, parameter in
        guard parameter.isBias else { return nil }
        func other(_ role: ParameterSpecification.Role) -> Tensor? {
          current.stateDict[role, parameter.layer, parameter.direction]
        }
        return switch source(parameter.role) {
        case .own: nil
        case .zero: current.tensor(parameter).zeros
        case .input: other(.biasIH)
        case .hidden: other(.biasHH)
        case .twice: current.tensor(parameter).mapping { 2 * $1 }
        }
      }
    }
  }
}

extension Replay {
  /// A GRU's bias_ih with b_hn added to b_in.
  fileprivate func addingHiddenBiasOfNew(_ parameter: ParameterSpecification) -> Tensor {
    let new = block(2, of: parameter)
    let hidden: [Double] =
      stateDict[.biasHH, parameter.layer, parameter.direction]?.elements() ?? []
    return tensor(parameter).mapping { new ~= $0 ? $1 + hidden[$0] : $1 }
  }
}
