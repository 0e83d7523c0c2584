import TensorCore

extension Chain {
  /// The largest magnitude that an element of a result can have, whatever rounding does to it.
  ///
  /// Each step of a tanh RNN gives numbers in [−1, 1]; a GRU's h is a weighted mean of such a
  /// number and the h before it; an LSTM's h is at most 1, or with a projection the sum of the
  /// magnitudes of a row of weight_hr, and its c grows by at most 1 in each step.
  ///
  /// ```swift
  /// chain.largestMagnitude(of: "bilstm.h_n")  // 1
  /// ```
  ///
  /// - Parameter name: the result's, as in a fixture.
  /// - Returns: the bound, with room for the rounding of any type; infinity for the result of a
  ///   module that is not recurrent, which is finite and no more; nil where it may overflow: a
  ///   ReLU computes it or what it is computed from, or what bounds it is itself not finite.
  /// - Complexity: O(elements of weight_hr, h_0 and c_0).
  package func largestMagnitude(of name: String) -> Double? {
    for (index, module) in modules.enumerated() {
      guard case .recurrent(let configuration, let stateDict, _) = module.layer else {
        if name == module.qualified("output") { break }
        continue
      }
      if configuration.module.recurrence == .rnn, configuration.nonlinearity == .relu {
        return nil
      }
      let states = index == firstRecurrent ? input : ChainInput(input.tensor)
      let bound: Double? =
        switch name {
        case module.qualified("output"), module.qualified("h_n"):
          configuration.largestHidden(stateDict, h0: states.h0)
        case module.qualified("c_n"):
          largest(states.c0) + Double(shapes.stages[index].layout?.steps ?? 0)
        default: nil
        }
      if let bound { return bound.isFinite ? bound * 1.01 : nil }
    }
    return .infinity
  }
}

extension RecurrentConfiguration {
  fileprivate func largestHidden(_ stateDict: StateDict, h0: Tensor?) -> Double {
    switch module.recurrence {
    case .rnn: 1
    case .gru: max(1, largest(h0))
    case .lstm:
      stateDict.tensors.filter { $0.key.hasPrefix("weight_hr") }.map { largestRowSum($0.value) }
        .max() ?? 1
    }
  }

  private func largestRowSum(_ weight: Tensor) -> Double {
    let columns = weight.shape.axes.last ?? 1
    return weight.withElements(as: Double.self) { weights in
      stride(from: 0, to: weights.count, by: columns).map { start in
        weights[start..<start + columns].reduce(0) { $0 + abs($1) }
      }.max() ?? 0
    }
  }
}

/// The largest magnitude in a tensor; 0 of none, and infinity where one is NaN.
private func largest(_ tensor: Tensor?) -> Double {
  tensor?.withElements(as: Double.self) { elements in
    elements.reduce(0) { $1.isNaN ? .infinity : max($0, abs($1)) }
  } ?? 0
}
