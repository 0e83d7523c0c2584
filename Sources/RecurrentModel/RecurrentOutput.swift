package import TensorCore

/// What the `forward` of one recurrent module returns. What a whole chain gives is `Results`.
package struct RecurrentOutput: Sendable {
  /// (B, T, D·P), (T, B, D·P) or (T, D·P); nil for a cell.
  package let output: Tensor?
  /// (D·L, B, P) or (D·L, P), for a cell (B, H) or (H).
  package let hN: Tensor
  /// (D·L, B, H) or (D·L, H), for a cell (B, H) or (H); nil where the module has no cell state.
  package let cN: Tensor?

  package init(output: Tensor?, hN: Tensor, cN: Tensor?) {
    self.output = output
    self.hN = hN
    self.cN = cN
  }

  /// The same states with another `output`.
  package func with(output: Tensor?) -> RecurrentOutput {
    RecurrentOutput(output: output, hN: hN, cN: cN)
  }

  /// The tensors that are there, by the names that they have in a fixture, in PyTorch's order.
  package var named: [(name: String, tensor: Tensor)] {
    [("output", output), ("h_n", hN), ("c_n", cN)].compactMap { name, tensor in
      tensor.map { (name, $0) }
    }
  }
}
