import RecurrentKernels
import TensorCore
import TestSupport
import Testing

@testable import RecurrentEngine

/// Every instruction set of this machine, held to scalar arithmetic bit for bit.
@Suite struct KernelTests {
  /// Sizes around the vectors of every width, and numbers of rows around every tile.
  private static let sizes = [1, 3, 4, 5, 8, 15, 16, 17, 33, 64, 65, 130]

  private func numbers<Scalar: KernelScalar>(_ count: Int, seed: UInt64) -> [Scalar] {
    var generator = SplitMix64(seed: seed)
    return (0..<count).map { _ in Scalar(Double.random(in: -2...2, using: &generator)) }
  }

  @Test(arguments: InstructionSet.supported.map(\.name), [1, 3, 4])
  func sumsAddTheirTermsInOrder(set: String, gates: Int) throws {
    let set = try #require(InstructionSet.named(set))
    try check(Float.self, set, gates)
    try check(Double.self, set, gates)
  }

  private func check<Scalar: KernelScalar>(
    _: Scalar.Type, _ set: InstructionSet, _ gates: Int
  ) throws {
    let kernels = set.kernels(for: Scalar.self)
    let lanes = Int(kernels.lanes)
    for units in Self.sizes {
      for count in [1, 2, 3, 5, 6, 7, 8, 13, 20] {
        let terms = 1 + (units * 7 + count) % 11
        let weights: [Scalar] = numbers(gates * units * terms, seed: UInt64(units))
        let x: [Scalar] = numbers(count * terms, seed: UInt64(count))
        let bias: [[Scalar]] = (0..<gates).map { numbers(units, seed: UInt64($0 + 50)) }
        typealias Matrix = PackedMatrix<Scalar>
        let shape = Matrix.Shape(
          gates: gates == 1 ? nil : Array(0..<gates), units: units, lanes: lanes)
        let matrix = Matrix(
          Tensor(weights, shape: Shape([gates * units, terms])), shape, bias: bias, adding: 0)
        let rows = RowBuffer<Scalar>(rows: count, size: terms, lanes: lanes)
        for row in 0..<count {
          for term in 0..<terms { rows.row(row)[term] = x[row * terms + term] }
        }
        let sums = RowBuffer<Scalar>(rows: count, size: shape.sumsCount, lanes: lanes)
        let pointers = rows.pointers(count: count)
        withExtendedLifetime((rows, pointers)) {
          matrix.addProducts(
            with: UnsafePointer(pointers.start), count: count, to: sums.start, stride: sums.stride,
            kernels)
        }
        for row in 0..<count {
          for gate in 0..<gates {
            for unit in 0..<units {
              var expected = bias[gate][unit]
              for term in 0..<terms {
                expected.addProduct(
                  weights[(gate * units + unit) * terms + term], x[row * terms + term])
              }
              let vector = gates == 1 ? unit / lanes : unit / lanes * 4 + gate
              let sum = sums.row(row)[vector * lanes + unit % lanes]
              try #require(sum == expected, "\(set.name) \(units) units, row \(row) of \(count)")
            }
          }
        }
      }
    }
  }

  /// Units in the last place of the correctly rounded value, which the double's own
  /// function gives to within a hundred-millionth of one.
  private func error(_ y: Float, _ exact: Double) -> Double {
    let exponent = max(exact == 0 ? -126 : exact.exponent, -126)
    return abs(Double(y) - exact)
      / Double(sign: .plus, exponent: Int(exponent) - 23, significand: 1)
  }

  /// Over all floats: of each 4,099th, or with PARITY_EXHAUSTIVE set of every one.
  @Test(arguments: ["sigmoid", "tanh"])
  func activationsAreWithinTwoUnits(name: String) throws {
    let set = try #require(InstructionSet.supported.last)
    let kernels = set.kernels(for: Float.self)
    let step = TestEnvironment.isExhaustive ? 1 : 4099
    var x = [Float](repeating: 0, count: 4096)
    var y = x
    var (worst, at, count) = (0.0, Float(0), 0)
    var bits = 0
    while bits <= Int(UInt32.max) {
      for k in x.indices {
        x[k] = Float(bitPattern: UInt32(truncatingIfNeeded: bits))
        bits += step
      }
      (name == "tanh" ? kernels.tanh : kernels.sigmoid)(x, &y, Int64(x.count))
      for (x, y) in zip(x, y) {
        guard !x.isNaN else {
          try #require(y.isNaN)
          continue
        }
        let exact = name == "tanh" ? ScalarMath.tanh(Double(x)) : ScalarMath.sigmoid(Double(x))
        let error = error(y, exact)
        // Test for pass: an error that is NaN is none.
        if !(error <= worst) { (worst, at) = (error, x) }
        count += 1
      }
    }
    #expect(worst <= 2, "\(name)(\(at))")
    #expect(count > 1_000_000)
  }

  @Test(arguments: InstructionSet.supported.map(\.name))
  func activationsHaveTheirLimits(set: String) throws {
    let set = try #require(InstructionSet.named(set))
    try limits(Float.self, set)
    try limits(Double.self, set)
  }

  private func limits<Scalar: KernelScalar>(_: Scalar.Type, _ set: InstructionSet) throws {
    let kernels = set.kernels(for: Scalar.self)
    func apply(_ map: (UnsafeRawPointer, UnsafeMutableRawPointer, Int64) -> Void, _ x: Scalar)
      -> Scalar
    {
      var (from, to) = (x, Scalar.zero)
      map(&from, &to, 1)
      return to
    }
    let (infinity, tiny) = (Scalar.infinity, Scalar.leastNonzeroMagnitude)
    func tanh(_ x: Scalar) -> Scalar { apply({ kernels.tanh($0, $1, $2) }, x) }
    func sigmoid(_ x: Scalar) -> Scalar { apply({ kernels.sigmoid($0, $1, $2) }, x) }
    #expect(tanh(infinity) == 1 && tanh(-infinity) == -1)
    #expect(tanh(0) == 0 && tanh(0).sign == .plus && tanh(-0.0).sign == .minus)
    #expect(tanh(tiny) == tiny && tanh(-tiny) == -tiny)
    #expect(tanh(.greatestFiniteMagnitude) == 1 && tanh(.nan).isNaN && tanh(-.nan).isNaN)
    #expect(sigmoid(infinity) == 1 && sigmoid(-infinity) == 0)
    #expect(sigmoid(0) == 0.5 && sigmoid(-0.0) == 0.5 && sigmoid(.nan).isNaN)
    #expect(sigmoid(-.greatestFiniteMagnitude) == 0 && sigmoid(tiny) == 0.5)
    // e^-x of a subnormal size is not zero.
    let small: Scalar = MemoryLayout<Scalar>.size == 4 ? -95 : -720
    #expect(sigmoid(small) > 0 && sigmoid(small) < Scalar.leastNormalMagnitude)
  }
}
