import FixtureSupport
import RecurrentEngine
import RecurrentModel
import TensorComparison
import TensorCore
import TestSupport
import Testing

@testable import ParityJudging

/// Where the right results come from in a module that is too large for the oracle.
@Suite struct TruthTests {
  /// An LSTM of two layers and two directions, 2.4·10⁸ multiplications in a forward pass.
  private func largeCall() throws -> RecurrentCall {
    let configuration = try RecurrentConfiguration(
      module: .lstm, inputSize: 32, hiddenSize: 64, numLayers: 2, batchFirst: true,
      bidirectional: true)
    var generator = SplitMix64(seed: 9)
    func tensor(_ axes: [Int]) -> Tensor {
      let shape = Shape(axes)
      return Tensor(
        (0..<shape.elementCount).map { _ in Float.random(in: -0.3...0.3, using: &generator) },
        shape: shape)
    }
    let parameters = configuration.parameters.map { ($0.name, tensor($0.shape.axes)) }
    return RecurrentCall(
      configuration,
      try StateDict(
        Dictionary(uniqueKeysWithValues: parameters), checkedAgainst: configuration),
      try RecurrentInput(
        input: tensor([3, 480, 32]), packing: Packing(lengths: [480, 350, 420]),
        for: configuration),
      in: .float32)
  }

  @Test func aSmallModuleIsTheOraclesAlone() throws {
    let call = try largeCall()
    let small = call.with(input: call.input.beginning(steps: 3))
    let truth = try Truth(Chain(small))
    #expect(truth.samples.isEmpty)
    #expect(truth.results["h_n"]?.elements() == small.oracleOutputs.hN.elements() as [Double])
  }

  @Test func ofALargeOneTheKernelsComputeWhatTheOracleWould() throws {
    let call = try largeCall()
    #expect(call.isLarge)
    let truth = try Truth(Chain(call))
    let sample = try #require(truth.samples.first)
    #expect(sample.sequences == 2 && sample.steps > 10 && sample.steps < 480)
    #expect(sample.agrees)
    let exact = Results(call.oracleOutputs)
    for (name, tensor) in truth.results.named {
      let expected = try #require(exact[name])
      let difference = TensorDifference(
        of: tensor, from: expected, within: .bound(rtol: 1e-12, atol: 1e-12))
      #expect(difference.agrees, "\(name)")
      #expect(tensor.elementType == .float64)
    }
  }

  /// As kernels would be that have a constant of a sigmoid in single precision.
  @Test func kernelsThatPartFromTheOracleAreSeen() throws {
    let call = try largeCall()
    let pass = MistakenPass(honest: Engine.forwardPass(call.with(arithmetic: .float64))) {
      _, outputs in
      RecurrentOutput(
        output: outputs.output?.changing { $0[7] *= 1 + 3e-8 }, hN: outputs.hN, cN: outputs.cN)
    }
    let sample = OracleSample("", call, beside: pass)
    #expect(!sample.agrees)
    var findings = Findings()
    findings.oracleSamples = [sample]
    let verdict = Verdict(findings, subject: .engine)
    #expect(verdict.status == .failed)
    #expect(verdict.remarks.contains { $0.contains("the oracle and our kernels") })
  }
}
