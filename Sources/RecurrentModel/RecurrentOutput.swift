package import TensorCore

/// What a module's `forward` returns.
package struct RecurrentOutput: Sendable {
  /// (B, T, D·P), (T, B, D·P) or (T, D·P).
  package let output: Tensor
  /// (D·L, B, P) or (D·L, P).
  package let hN: Tensor
  /// (D·L, B, H) or (D·L, H); nil where the module has no cell state.
  package let cN: Tensor?

  package init(output: Tensor, hN: Tensor, cN: Tensor?) {
    self.output = output
    self.hN = hN
    self.cN = cN
  }

  /// The tensors by the names they have in a fixture, in PyTorch's order.
  package var named: [(name: String, tensor: Tensor)] {
    [("output", output), ("h_n", hN)] + (cN.map { [("c_n", $0)] } ?? [])
  }
}
