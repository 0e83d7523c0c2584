import TensorCore

/// Perturbations for the replicas, the same in every run: each is the sum of two
/// uniform draws, one fresh at every step and one frozen over all of them.
///
/// The frozen one is there because a constant input, a bias or a gate near 1 makes
/// the same error at every step, which fresh draws alone would average away. A
/// counter-based hash gives both (SplitMix64's mixing function), so that no draw
/// depends on what was drawn before.
struct NoiseDraws {
  private let key: UInt64
  /// By operation, then unit.
  private let frozen: [[Replicas]]

  /// - Parameters:
  ///   - module: its place in the chain.
  ///   - units: how many each operation has at most.
  init(module: Int = 0, layer: Int, direction: Int, sequence: Int, group: Int, units: Int) {
    let key = Self.key(
      module: module, layer: layer, direction: direction, sequence: sequence, group: group)
    self.key = key
    frozen = Operation.allCases.map { operation in
      (0..<units).map { unit in
        var draws = Replicas.zero
        NoiseKernels.current.perturb(
          &draws, .zero, seed: Self.place(key, operation, unit), by: 1)
        return draws
      }
    }
  }

  /// Of mean 0 and variance 1, different for every operation, unit and step.
  func draw(_ operation: Operation, unit: Int, step: Int) -> Replicas {
    var draw = Replicas.zero
    perturb(&draw, by: 1, operation, unit: unit, step: step, .current)
    return draw
  }

  /// Adds `deviation` times a draw.
  func perturb(
    _ replicas: inout Replicas, by deviation: Double, _ operation: Operation, unit: Int,
    step: Int, _ kernels: NoiseKernels
  ) {
    let place = Self.place(key, operation, unit)
    kernels.perturb(
      &replicas, frozen[Int(operation.rawValue)][unit],
      seed: SplitMix64.mix(place &+ UInt64(step) &+ 1), by: deviation)
  }

  /// Layers are below 2¹⁶, directions below 2⁸ and sequences below 2⁴⁰. Groups and modules
  /// have no room beside them, and are mixed in by themselves.
  private static func key(
    module: Int, layer: Int, direction: Int, sequence: Int, group: Int
  ) -> UInt64 {
    let own = SplitMix64.mix(
      UInt64(layer) << 48 ^ UInt64(direction) << 40 ^ UInt64(sequence) &+ 0x5DEE_CE66D)
    let others = UInt64(group) << 32 | UInt64(module)
    return others == 0 ? own : SplitMix64.mix(own ^ others)
  }

  private static func place(_ key: UInt64, _ operation: Operation, _ unit: Int) -> UInt64 {
    SplitMix64.mix(key ^ UInt64(operation.rawValue) << 56 ^ UInt64(unit) << 8)
  }

  /// The operations of a step, so that each has draws of its own.
  enum Operation: UInt8, CaseIterable {
    case inputProduct
    case hiddenProduct
    case gateSum
    case gate
    case forgotten
    case admitted
    case cellSum
    case cellActivation
    case hidden
    case projection
    case resetProduct
    case candidate
    case complement
    case kept
    case renewed
  }
}
