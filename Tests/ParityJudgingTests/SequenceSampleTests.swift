import FixtureSupport
import ParityFixtures
import RecurrentEngine
import RecurrentModel
import RoundingNoise
import TensorComparison
import TensorCore
import TestSupport
import Testing

@testable import ParityJudging

/// Rounding noise that is measured on a part of a batch.
@Suite struct SequenceSampleTests {
  private static let batch = 40

  /// A batch whose reference is our engine's own result.
  ///
  /// - Parameters:
  ///   - loud: a sequence whose input is a thousand times as large.
  ///   - isPositive: whether all numbers are, so that no ReLU is off.
  private func parityCase(
    _ nonlinearity: Nonlinearity = .tanh, loud: Int? = nil, isPositive: Bool = false
  ) throws -> ParityCase {
    var generator = SplitMix64(seed: 5)
    func tensor(_ axes: [Int]) -> Tensor {
      let shape = Shape(axes)
      return Tensor(
        (0..<shape.elementCount).map { _ in
          Float.random(in: (isPositive ? 0 : -1)...1, using: &generator)
        },
        shape: shape)
    }
    let configuration = try RecurrentConfiguration(
      module: .rnn, inputSize: 3, hiddenSize: 8, batchFirst: true, bidirectional: true,
      nonlinearity: nonlinearity)
    let stateDict = try StateDict(
      Dictionary(
        uniqueKeysWithValues: configuration.parameters.map { ($0.name, tensor($0.shape.axes)) }),
      checkedAgainst: configuration)
    let x = tensor([Self.batch, 4, 3]).changing { elements in
      if let loud { for k in loud * 12..<(loud + 1) * 12 { elements[k] *= 1000 } }
    }
    let call = RecurrentCall(
      configuration, stateDict, try RecurrentInput(input: x, for: configuration), in: .float32)
    let named = try FixtureSuite.named("rnn-relu")
    return ParityCase(
      call, named: "rnn-relu", named.manifest, Engine.forwardPass(call).outputs(for: call.input))
  }

  @Test func aSmallBatchIsMeasuredWhole() throws {
    let result = Judge().judge(try parityCase())
    #expect(result.status == .passed && result.findings.measuredSequences == nil)
  }

  @Test func aVerdictOnASampleSaysSo() throws {
    let result = Judge(noiseWork: 1).judge(try parityCase())
    #expect(result.status == .passed && result.findings.measuredSequences == 4)
  }

  /// Of three measured sequences the median, relative to each vector's size.
  @Test func whatIsBorrowedIsTheMedian() throws {
    let call = try #require(try parityCase().call)
    let oracle = call.oracleOutputs
    let variant = ChainVariant(Chain(call))
    func sigma(_ sequences: [Int]?) throws -> [Double] {
      let noise = try NoiseEstimate.measure(
        variant, RoundingModel(.float32),
        sample: sequences.map { .init($0, others: .borrowing(oracle: Results(oracle))) })
      return try #require(noise["output"]).limits.sigma
    }
    let measured = [0, 13, 26]
    let (whole, sampled) = (try sigma(nil), try sigma(measured))
    let exact = try #require(oracle.output).elements(as: Double.self)
    let size = call.configuration.outputFeatures
    let each = whole.count / Self.batch
    func rms(_ start: Int) -> Double {
      (exact[start..<start + size].reduce(0) { $0 + $1 * $1 } / Double(size)).squareRoot()
    }
    for sequence in 0..<Self.batch {
      for place in 0..<each {
        func row(_ sequence: Int) -> Int { sequence * each + place / size * size }
        let shares = measured.map { whole[$0 * each + place] / rms(row($0)) }.sorted()
        let own = whole[sequence * each + place]
        let expected = measured.contains(sequence) ? own : shares[1] * rms(row(sequence))
        #expect(abs(sampled[sequence * each + place] / expected - 1) < 1e-12)
      }
    }
  }

  /// Sequence 0 is of the sample, and a thousand times as large as what is wrong.
  @Test func aLoudSequenceOfTheSampleLendsNoNoise() throws {
    let right = try parityCase(.relu, loud: 0, isPositive: true)
    let features = 16 * 4
    func wrong(_ tensor: Tensor) -> Tensor {
      tensor.changing { elements in
        // The forward direction's first step, which no state repeats.
        for k in 3 * features..<3 * features + 8 { elements[k] *= 1.00001 }
      }
    }
    let wrongCase = right.with(
      outputs: RecurrentOutput(
        output: right.outputs.output.map(wrong), hN: right.outputs.hN, cN: nil))
    let result = Judge(noiseWork: 1).judge(wrongCase)
    #expect(result.status == .failed && result.findings.layout.allSatisfy(\.holds))
    #expect(Judge(noiseWork: 1).judge(right).status == .passed)
  }

  /// Sequence 3 is none of the sample: what it borrows is far too small for it.
  @Test func whatTheSampleFailsIsMeasuredWhole() throws {
    let right = try parityCase(.relu, loud: 3)
    let nudged = right.with(
      outputs: RecurrentOutput(
        output: right.outputs.output?.changing { elements in
          // One unit in the last place, throughout.
          for k in elements.indices { elements[k] *= 1 + 0x1p-23 }
        },
        hN: right.outputs.hN.changing { elements in
          for k in elements.indices { elements[k] *= 1 + 0x1p-23 }
        }, cN: nil))
    let result = Judge(noiseWork: 1).judge(nudged)
    #expect(result.status == .passed && result.findings.measuredSequences == nil)
  }

  @Test func anErrorOutsideTheSampleIsSeen() throws {
    let right = try parityCase()
    let features = 16 * 4
    func wrong(_ tensor: Tensor) -> Tensor { tensor.changing { $0[3 * features] += 1e-4 } }
    let wrongCase = right.with(
      outputs: RecurrentOutput(
        output: right.outputs.output.map(wrong), hN: right.outputs.hN, cN: nil))
    let result = Judge(noiseWork: 1).judge(wrongCase)
    #expect(result.status == .failed && result.findings.measuredSequences == nil)
  }
}
