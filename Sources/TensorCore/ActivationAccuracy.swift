/// What the errors of an implementation's sigmoid and tanh are small beside.
package enum ActivationAccuracy: String, Sendable, CaseIterable {
  /// Beside the result: some units in its last place, however small it is. Of a sigmoid of 10⁻⁵,
  /// 10⁻¹². PyTorch's and most others are such.
  case relative
  /// Beside 1: some 10⁻⁷ of any result. ONNX Runtime's sigmoid is such, a rational function; so is
  /// a tanh that is computed as 2σ(2x) − 1, or a sigmoid as ½ + ½ tanh(x/2).
  case absolute
}
