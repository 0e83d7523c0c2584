import Dispatch
import RecurrentEngine
import RecurrentKernels
import TensorCore

/// What the machine can do at most, measured.
struct MachineLimits {
  private let kernels: rk_kernels
  private let elementBytes: Int

  init(_ instructionSet: InstructionSet, _ arithmetic: Arithmetic) {
    kernels = instructionSet.kernels(for: arithmetic)
    elementBytes = arithmetic.computation.byteCount
  }

  /// Fused multiply-adds on independent registers, as two operations each, on so many
  /// cores at a time. Some 10 ms.
  func peakGigaflops(cores: Int) -> Double {
    let rounds = 1_000_000
    let operations = 2 * Double(Int(kernels.chains * kernels.lanes) * rounds * cores)
    let seconds = medianSeconds(cores: cores, bytes: 0) { kernels, _, sink in
      kernels.multiply(Int64(rounds), sink)
    }
    return operations / seconds / 1e9
  }

  /// Reading a buffer of `bytes` over and over, a buffer for each core.
  func gigabytesPerSecond(reading bytes: Int, cores: Int) -> Double {
    let repeats = max(1, 4_000_000 / max(bytes, 1))
    let count = Int64(bytes / elementBytes)
    let seconds = medianSeconds(cores: cores, bytes: bytes) { kernels, buffer, sink in
      for _ in 0..<repeats { kernels.read(buffer, count, sink) }
    }
    return Double(bytes * repeats * cores) / seconds / 1e9
  }

  /// The median of five runs of `work`, each of them on all cores at a time, with a
  /// zeroed buffer of `bytes` and another of 64 bytes for results for each core.
  private func medianSeconds(
    cores: Int, bytes: Int,
    _ work: @Sendable (rk_kernels, UnsafeRawPointer, UnsafeMutableRawPointer) -> Void
  ) -> Double {
    let buffers = (0..<cores).map { _ in ScratchBytes(count: max(bytes, 64)) }
    let results = (0..<cores).map { _ in ScratchBytes(count: 64) }
    let clock = ContinuousClock()
    let times = (0..<5).map { _ in
      clock.measure {
        DispatchQueue.concurrentPerform(iterations: cores) { [kernels] core in
          work(kernels, UnsafeRawPointer(buffers[core].start), results[core].start)
        }
      } / .seconds(1)
    }
    return times.sorted()[times.count / 2]
  }
}

/// Zeroed memory that one thread uses at a time.
private final class ScratchBytes: @unchecked Sendable {
  let start: UnsafeMutableRawPointer

  init(count: Int) {
    start = .allocate(byteCount: count, alignment: 64)
    start.initializeMemory(as: UInt8.self, repeating: 0, count: count)
  }

  deinit { start.deallocate() }
}
