import Dispatch
import RecurrentEngine
import RecurrentKernels
import TensorCore

/// Measures what the machine can do at most.
struct MachineLimits {
  private let kernels: rk_kernels
  private let elementBytes: Int

  init(_ instructionSet: InstructionSet, _ arithmetic: Arithmetic) {
    kernels = instructionSet.kernels(for: arithmetic)
    elementBytes = arithmetic.computation.byteCount
  }

  /// How many multiplications and additions so many cores can do, in 10⁹ a second: fused
  /// ones on registers that do not depend on each other. This takes some 10 ms.
  func peakGigaflops(cores: Int) -> Double {
    let rounds = 1_000_000
    let operations = 2 * Double(Int(kernels.chains * kernels.lanes) * rounds * cores)
    let seconds = medianSeconds(cores: cores, bytes: 0) { kernels, _, sink in
      kernels.multiply(Int64(rounds), sink)
    }
    return operations / seconds / 1e9
  }

  /// How many bytes so many cores can read, in 10⁹ a second, where each reads a buffer of
  /// `bytes` of its own over and over.
  func gigabytesPerSecond(reading bytes: Int, cores: Int) -> Double {
    let repeats = max(1, 4_000_000 / max(bytes, 1))
    let count = Int64(bytes / elementBytes)
    let seconds = medianSeconds(cores: cores, bytes: bytes) { kernels, buffer, sink in
      for _ in 0..<repeats { kernels.read(buffer, count, sink) }
    }
    return Double(bytes * repeats * cores) / seconds / 1e9
  }

  /// The median of the times of five runs of `work`. In a run, every core does `work` at the
  /// same time, with a zeroed buffer of `bytes` to read and another of 64 bytes to write.
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

/// Zeroed memory, which one thread uses at a time.
private final class ScratchBytes: @unchecked Sendable {
  let start: UnsafeMutableRawPointer

  init(count: Int) {
    start = .allocate(byteCount: count, alignment: 64)
    start.initializeMemory(as: UInt8.self, repeating: 0, count: count)
  }

  deinit { start.deallocate() }
}
