import TensorCore

/// The random errors of the replicas, for one direction of one layer on one sequence.
///
/// ```swift
/// let draws = NoiseDraws(layer: 0, direction: 0, sequence: 0, group: 0, units: 6)
/// let errors = draws.draw(.cellSum, unit: 3, step: 12)  // one for each of sixteen replicas
/// ```
///
/// Each draw has mean 0 and variance 1, and is the sum of a fresh one, which is another at every
/// step, and a frozen one, which is the same at all of them. The frozen one is there because a
/// constant input, a bias or a gate near 1 makes the same error at every step, which fresh draws
/// alone would average away. A fifth of its variance changes its sign at every step: a state that
/// goes to and fro between two values, however small the distance, makes such errors.
///
/// It is no stream of random numbers: a draw depends on where its operation stands and on nothing
/// that was drawn before, so that every run, on any number of threads, makes the same draws. They
/// come from a counter-based hash (SplitMix64's mixing function).
struct NoiseDraws {
  private let key: UInt64
  /// The frozen draws of even steps and of odd ones: `frozen[step & 1][operation.rawValue][unit]`.
  private let frozen: [[[Replicas]]]

  /// How much of a frozen draw's variance changes its sign from step to step.
  private static let alternating = 0.2

  /// - Parameters:
  ///   - module: the module's place in the chain.
  ///   - group: which group of sixteen replicas these are.
  ///   - units: the largest number of units that an operation has.
  /// - Complexity: O(operations · units).
  init(module: Int = 0, layer: Int, direction: Int, sequence: Int, group: Int, units: Int) {
    let key = Self.key(
      module: module, layer: layer, direction: direction, sequence: sequence, group: group)
    self.key = key
    func draws(_ operation: Operation, _ unit: Int, _ more: UInt64) -> Replicas {
      var draws = Replicas.zero
      NoiseKernels.current.perturb(
        &draws, .zero, seed: Self.place(key, operation, unit) &+ more, by: 1)
      return draws
    }
    let (own, alternating) = ((1 - Self.alternating).squareRoot(), Self.alternating.squareRoot())
    let both = Operation.allCases.map { operation in
      (0..<units).map { unit in
        let constant = own * draws(operation, unit, 0)
        let other = alternating * draws(operation, unit, 0x5851_F42D_4C95_7F2D)
        return (constant + other, constant - other)
      }
    }
    frozen = [both.map { $0.map(\.0) }, both.map { $0.map(\.1) }]
  }

  /// The draw of an operation for a unit at a step, of mean 0 and variance 1.
  func draw(_ operation: Operation, unit: Int, step: Int) -> Replicas {
    var draw = Replicas.zero
    perturb(&draw, by: 1, operation, unit: unit, step: step, .current)
    return draw
  }

  /// Adds `deviation` times the draw of an operation to each of the replicas.
  func perturb(
    _ replicas: inout Replicas, by deviation: Double, _ operation: Operation, unit: Int,
    step: Int, _ kernels: NoiseKernels
  ) {
    let place = Self.place(key, operation, unit)
    kernels.perturb(
      &replicas, frozen[step & 1][Int(operation.rawValue)][unit],
      seed: SplitMix64.mix(place &+ UInt64(step) &+ 1), by: deviation)
  }

  /// A number for each direction, layer, sequence, group and module. Layers are below 2¹⁶,
  /// directions below 2⁸ and sequences below 2⁴⁰, which fill 64 bits; so groups and modules are
  /// mixed in afterwards.
  private static func key(
    module: Int, layer: Int, direction: Int, sequence: Int, group: Int
  ) -> UInt64 {
    let own = SplitMix64.mix(
      UInt64(layer) << 48 ^ UInt64(direction) << 40 ^ UInt64(sequence) &+ 0x5DEE_CE66D)
    let others = UInt64(group) << 32 | UInt64(module)
    return others == 0 ? own : SplitMix64.mix(own ^ others)
  }

  /// A number for each operation and unit under a key.
  private static func place(_ key: UInt64, _ operation: Operation, _ unit: Int) -> UInt64 {
    SplitMix64.mix(key ^ UInt64(operation.rawValue) << 56 ^ UInt64(unit) << 8)
  }

  /// The operations of a step. Each has draws of its own, so that the errors of two operations
  /// are independent.
  ///
  /// The names are those of the formulas of LSTM and GRU. What stands around a recurrent module
  /// uses the same names for its own operations: a linear layer has one `inputProduct`, a softmax
  /// takes `gateSum` for its differences.
  enum Operation: UInt8, CaseIterable {
    /// W_ih x + b_ih
    case inputProduct
    /// W_hh h + b_hh
    case hiddenProduct
    /// The sum of the two products.
    case gateSum
    /// σ or tanh of that sum.
    case gate
    /// LSTM's f ⊙ c
    case forgotten
    /// LSTM's i ⊙ g
    case admitted
    /// LSTM's c' = f ⊙ c + i ⊙ g
    case cellSum
    /// LSTM's tanh(c')
    case cellActivation
    /// The last operation that makes h': LSTM's product with o, GRU's sum.
    case hidden
    /// LSTM's product with W_hr.
    case projection
    /// GRU's r ⊙ (W_hn h + b_hn)
    case resetProduct
    /// GRU's n, the tanh.
    case candidate
    /// GRU's 1 − z
    case complement
    /// GRU's z ⊙ h
    case kept
    /// GRU's (1 − z) ⊙ n
    case renewed
  }
}
