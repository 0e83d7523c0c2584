package import TensorCore

/// How far two tensors may differ and still agree.
package enum ToleranceRule: Sendable, Equatable {
  /// What the rounding errors of the arithmetic can make: `largestZ` times their
  /// standard deviation, which `replicas` runs measure.
  case noise(largestZ: Double, replicas: Int)
  /// `torch.testing.assert_close`'s defaults, by element type.
  case torch
  /// `|actual − expected| ≤ atol + rtol · |expected|`.
  case explicit(rtol: Double, atol: Double)
  /// The same bits; the payload of a NaN aside.
  case exact

  /// Replicas run sixteen at a time.
  package static let replicaCounts = stride(from: 16, through: 1024, by: 16)

  package static let standardNoise = ToleranceRule.noise(
    largestZ: NoiseLimits.standardZ, replicas: 16)

  /// The limits under this rule for results that were made in `arithmetic`; nil
  /// for `noise`, whose limits are measured element by element.
  ///
  /// `torch`'s figures are those of `torch.testing.assert_close`'s
  /// documentation, by element type; TF32's results are float32.
  package func limits(for arithmetic: Arithmetic) -> Limits? {
    switch (self, arithmetic) {
    case (.noise, _): nil
    case (.torch, .float16): .bound(rtol: 1e-3, atol: 1e-5)
    case (.torch, .bfloat16): .bound(rtol: 1.6e-2, atol: 1e-5)
    case (.torch, .tf32), (.torch, .float32): .bound(rtol: 1.3e-6, atol: 1e-5)
    case (.torch, .float64): .bound(rtol: 1e-7, atol: 1e-7)
    case (.explicit(let rtol, let atol), _): .bound(rtol: rtol, atol: atol)
    case (.exact, _): .bits
    }
  }
}
