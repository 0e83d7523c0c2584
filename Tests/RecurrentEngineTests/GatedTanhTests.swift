import RecurrentKernels
import TensorCore
import TestSupport
import Testing

@testable import RecurrentEngine

/// What LSTM adds to its cell, sigmoid(i)·tanh(g), and what it gives, sigmoid(o)·tanh(c),
/// each made with one division.
@Suite struct GatedTanhTests {
  private static let units = 4096
  private static let special: [Float] = [
    0, -0.0, .leastNonzeroMagnitude, -.leastNonzeroMagnitude, 1e-30, -1e-6, 0.25, -0.5, 1, -9,
    11, -86, -88, 88, -95, -104, -200, .greatestFiniteMagnitude, -.greatestFiniteMagnitude,
    .infinity, -.infinity, .nan,
  ]

  /// One row of units, with f = 0 and c = 0 before.
  private func lstm<Scalar: KernelScalar>(
    _ set: InstructionSet, i: [Scalar], g: [Scalar], o: [Scalar]
  ) -> (c: [Scalar], h: [Scalar]) {
    let kernels = set.kernels(for: Scalar.self)
    let lanes = Int(kernels.lanes)
    let units = i.count
    precondition(units % lanes == 0)
    var sums = [Scalar](repeating: 0, count: 4 * units)
    for unit in 0..<units {
      for (slot, gate) in [(0, i), (2, g), (3, o)] {
        sums[(unit / lanes * 4 + slot) * lanes + unit % lanes] = gate[unit]
      }
    }
    var (c, h) = ([Scalar](repeating: 0, count: units), [Scalar](repeating: 0, count: units))
    sums.withUnsafeMutableBytes { sums in
      c.withUnsafeMutableBytes { c in
        h.withUnsafeMutableBytes { h in
          var gates = rk_gates(
            units: Int64(units), row_count: 1, sums: sums.baseAddress,
            sums_stride: Int64(4 * units), cell: c.baseAddress, cell_stride: Int64(units),
            hidden: h.baseAddress, hidden_stride: Int64(units), results: nil)
          kernels.lstm(&gates)
        }
      }
    }
    return (c, h)
  }

  private func exact(_ x: Float, _ y: Float) -> Double {
    ScalarMath.sigmoid(Double(x)) * ScalarMath.tanh(Double(y))
  }

  /// Units in the last place of the correctly rounded value.
  private func error(_ y: Float, _ exact: Double) -> Double {
    if y.isNaN && exact.isNaN || Double(y) == exact { return 0 }
    let exponent = max(exact == 0 ? -126 : exact.exponent, -126)
    return abs(Double(y) - exact)
      / Double(sign: .plus, exponent: Int(exponent) - 23, significand: 1)
  }

  /// No more than the two factors' own limits, of two units each.
  @Test func productsAreWithinFourUnits() throws {
    let set = try #require(InstructionSet.supported.last)
    var generator = SplitMix64(seed: 3)
    var (worst, at) = (0.0, "")
    for round in 0..<100 {
      func numbers() -> [Float] {
        (0..<Self.units).map { unit in
          unit % 16 == 0
            ? Self.special.randomElement(using: &generator) ?? 0
            : Float.random(in: -1...1, using: &generator) * [0.01, 1, 12, 110][round % 4]
        }
      }
      let (i, g, o) = (numbers(), numbers(), numbers())
      let (c, h) = lstm(set, i: i, g: g, o: o)
      for unit in 0..<Self.units {
        for (found, x, y) in [(c[unit], i[unit], g[unit]), (h[unit], o[unit], c[unit])] {
          let error = error(found, exact(x, y))
          if !(error <= worst) { (worst, at) = (error, "sigmoid(\(x))·tanh(\(y))") }
        }
      }
    }
    #expect(worst <= 4, "\(at)")
  }

  @Test(arguments: InstructionSet.supported.map(\.name))
  func limits(set: String) throws {
    let set = try #require(InstructionSet.named(set))
    try limits(Float.self, set)
    try limits(Double.self, set)
  }

  private func limits<Scalar: KernelScalar>(_: Scalar.Type, _ set: InstructionSet) throws {
    func product(_ x: Scalar, _ y: Scalar) -> Scalar {
      let units = 16
      return lstm(
        set, i: Array(repeating: x, count: units), g: Array(repeating: y, count: units),
        o: Array(repeating: 0, count: units)
      ).c[0]
    }
    let (infinity, tiny) = (Scalar.infinity, Scalar.leastNonzeroMagnitude)
    #expect(product(infinity, infinity) == 1 && product(infinity, -infinity) == -1)
    #expect(product(-infinity, infinity) == 0 && product(0, infinity) == 0.5)
    #expect(product(infinity, tiny) == tiny && product(infinity, -tiny) == -tiny)
    #expect(product(.greatestFiniteMagnitude, .greatestFiniteMagnitude) == 1)
    #expect(product(.nan, 1).isNaN && product(1, .nan).isNaN && product(-infinity, .nan).isNaN)
    let small: Scalar = MemoryLayout<Scalar>.size == 4 ? -95 : -720
    let product = product(small, infinity)
    #expect(product > 0 && product < Scalar.leastNormalMagnitude)
  }
}
