import RecurrentEngine
import RecurrentKernels
import TensorCore

/// The kernels in C that work on sixteen replicas at a time, for one instruction set: those for
/// noise alone, and the engine's sigmoid and tanh in doubles.
struct NoiseKernels: Sendable {
  let noise: rk_noise_kernels
  private let doubles: rk_kernels

  static let current = NoiseKernels(InstructionSet.current)

  init(_ set: InstructionSet) {
    noise = set.noiseKernels
    doubles = set.kernels(for: .float64)
  }

  func sigmoid(_ replicas: Replicas) -> Replicas { map(replicas, doubles.sigmoid) }

  func tanh(_ replicas: Replicas) -> Replicas { map(replicas, doubles.tanh) }

  @inline(__always)
  private func map(
    _ replicas: Replicas,
    _ function: (UnsafeRawPointer?, UnsafeMutableRawPointer?, Int64) -> Void
  ) -> Replicas {
    var replicas = replicas
    withUnsafeMutableBytes(of: &replicas) { bytes in
      function(bytes.baseAddress, bytes.baseAddress, Int64(Replicas.scalarCount))
    }
    return replicas
  }

  /// Adds to each replica `deviation` times the sum of its frozen draw and a fresh one, made from
  /// `seed`.
  func perturb(
    _ replicas: inout Replicas, _ frozen: Replicas, seed: UInt64, by deviation: Double
  ) {
    withUnsafeMutableBytes(of: &replicas) { replicas in
      withUnsafeBytes(of: frozen) { frozen in
        noise.perturb(
          replicas.assumingMemoryBound(to: Double.self).baseAddress,
          frozen.assumingMemoryBound(to: Double.self).baseAddress, seed, deviation)
      }
    }
  }
}
