package import TensorCore

extension StateDict {
  /// The parameters with as much of the biases in `bias_ih` as can be there: another framework's
  /// single bias, and PyTorch's two that it was made of, come to the same. A module without biases
  /// has some of zeros then.
  ///
  /// PyTorch adds `bias_ih` and `bias_hh`, and does nothing else with them, but for b_hn of a GRU,
  /// which the reset gate multiplies: n = tanh(W_in x + b_in + r ⊙ (W_hn h + b_hn)). That stays in
  /// `bias_hh`, and zeros in the place of all others.
  ///
  /// - Returns: tensors by their names in `state_dict()`, those of biases float64.
  /// - Complexity: O(parameters).
  package func joiningBiases(of configuration: RecurrentConfiguration) -> [String: Tensor] {
    var joined = tensors
    let (hidden, recurrence) = (configuration.hiddenSize, configuration.module.recurrence)
    let rows = recurrence.gates.count * hidden
    for layer in 0..<configuration.numLayers {
      for direction in configuration.directions {
        func numbers(_ role: ParameterSpecification.Role) -> [Double] {
          self[role, layer, direction]?.elements() ?? Array(repeating: 0, count: rows)
        }
        var (input, state) = (numbers(.biasIH), numbers(.biasHH))
        for row in 0..<rows where recurrence != .gru || row < 2 * hidden {
          input[row] += state[row]
          state[row] = 0
        }
        for (role, numbers) in [(ParameterSpecification.Role.biasIH, input), (.biasHH, state)] {
          let name = ParameterSpecification.name(
            role, layer: layer, direction, isCell: configuration.module.isCell)
          joined[name] = Tensor(numbers, shape: [rows])
        }
      }
    }
    return joined
  }
}
