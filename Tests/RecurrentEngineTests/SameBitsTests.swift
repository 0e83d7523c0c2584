import RecurrentModel
import TensorCore
import TestSupport
import Testing

@testable import RecurrentEngine

/// The same bits from every instruction set, any number of threads, and in any company.
@Suite struct SameBitsTests {
  /// FNV-1a over the bits of all outputs; of a NaN only that it is one.
  private func digest(threads: Int, _ set: InstructionSet) throws -> UInt64 {
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    func add(_ bits: UInt64) {
      for byte in 0..<8 {
        hash = (hash ^ (bits >> (8 * UInt64(byte)) & 0xFF)) &* 0x100_0000_01B3
      }
    }
    for seed in 0..<300 as Range<UInt64> {
      let arithmetic: Arithmetic = seed % 3 == 0 ? .float64 : .float32
      let random = try RandomModule(
        seed: seed, in: arithmetic.storage, isLarge: seed % 2 == 0)
      let outputs = Engine.forwardPass(
        random.call, threads: threads, instructionSet: set
      ).outputs(for: random.input)
      for (_, tensor) in outputs.named {
        for element in tensor.elements(as: Double.self) {
          add(element.isNaN ? 1 : element.bitPattern)
        }
      }
    }
    return hash
  }

  /// Made on x86-64; other machines are held to it.
  private static let pinned: UInt64 = 0xB9AB_6BCF_BAF3_2150

  @Test(arguments: InstructionSet.supported.map(\.name), [1, 2, 5])
  func ofEveryInstructionSetAndNumberOfThreads(set: String, threads: Int) throws {
    let set = try #require(InstructionSet.named(set))
    let found = try digest(threads: threads, set)
    #expect(found == Self.pinned, "\(String(found, radix: 16))")
  }

  @Test(arguments: 0..<60 as Range<UInt64>)
  func ofEachSequenceAlone(seed: UInt64) throws {
    let random = try RandomModule(seed: seed, in: .float32, isLarge: true)
    let layout = random.input.layout
    guard layout.isBatched else { return }
    let pass = Engine.forwardPass(random.call)
    let whole = pass.outputs(for: random.input)
    for sequence in 0..<layout.batch {
      let rows = random.configuration.stateRows
      func state(_ tensor: Tensor?, _ size: Int) -> Tensor? {
        tensor?.gathering(
          blocksOf: size, at: (0..<rows).map { ($0 * layout.batch + sequence) * size },
          shape: Shape(layout.with(steps: 1, batch: 1).stateAxes(rows: rows, features: size)))
      }
      let alone = layout.with(steps: layout.steps, batch: 1)
      let size = random.configuration.inputSize
      let input = try RecurrentInput(
        input: random.input.input.gathering(
          blocksOf: size,
          at: (0..<layout.steps).map { layout.row(sequence: sequence, step: $0) * size },
          shape: Shape(alone.axes(features: size))),
        h0: state(random.input.h0, random.configuration.outputSize),
        c0: state(random.input.c0, random.configuration.hiddenSize),
        packing: random.input.packing.map { Packing(lengths: [$0.lengths[sequence]]) },
        for: random.configuration)
      let own = pass.outputs(for: input).hN
      let expected = state(whole.hN, random.configuration.outputSize)
      #expect(own.elements(as: Float.self) == expected?.elements(as: Float.self), "\(random)")
    }
  }
}
