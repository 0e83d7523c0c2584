package import TensorCore

/// How far two tensors may differ and still agree.
package enum ToleranceRule: Sendable, Equatable {
  /// `torch.testing.assert_close`'s defaults, by element type.
  case torch
  /// `|actual − expected| ≤ atol + rtol · |expected|`.
  case explicit(rtol: Double, atol: Double)
  /// The same bits; the payload of a NaN aside.
  case exact

  /// The limits under this rule for results that were made in `arithmetic`.
  ///
  /// `torch`'s figures are those of `torch.testing.assert_close`'s
  /// documentation, by element type; TF32's results are float32.
  package func limits(for arithmetic: Arithmetic) -> Limits {
    switch (self, arithmetic) {
    case (.torch, .float16): .bound(rtol: 1e-3, atol: 1e-5)
    case (.torch, .bfloat16): .bound(rtol: 1.6e-2, atol: 1e-5)
    case (.torch, .tf32), (.torch, .float32): .bound(rtol: 1.3e-6, atol: 1e-5)
    case (.torch, .float64): .bound(rtol: 1e-7, atol: 1e-7)
    case (.explicit(let rtol, let atol), _): .bound(rtol: rtol, atol: atol)
    case (.exact, _): .bits
    }
  }
}

/// What an element is held to.
package enum Limits: Sendable, Equatable {
  case bound(rtol: Double, atol: Double)
  case bits

  /// The largest `|actual − expected|` that passes at this `expected`.
  package func allowed(at expected: Double) -> Double {
    switch self {
    case .bound(let rtol, let atol): atol + rtol * abs(expected)
    case .bits: 0
    }
  }

  /// Limits that are no tighter than either.
  package func loosened(to other: Limits) -> Limits {
    switch (self, other) {
    case (.bound(let rtol, let atol), .bound(let otherRtol, let otherAtol)):
      .bound(rtol: max(rtol, otherRtol), atol: max(atol, otherAtol))
    case (.bits, let limits), (let limits, .bits):
      limits
    }
  }

  /// Whether an element passes. Asked so that a NaN difference can't pass:
  /// equal infinities do, and NaN where NaN is expected.
  func pass(_ actual: Double, _ expected: Double) -> Bool {
    if actual.isNaN && expected.isNaN { return true }
    return switch self {
    case .bits: actual.bitPattern == expected.bitPattern
    case .bound:
      actual == expected || abs(actual - expected) <= allowed(at: expected) && expected.isFinite
    }
  }
}
