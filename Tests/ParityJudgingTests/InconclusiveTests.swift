import FixtureSupport
import ParityFixtures
import RecurrentEngine
import RecurrentModel
import RoundingNoise
import TensorCore
import TestSupport
import Testing

@testable import ParityJudging

/// What can't be judged is not called wrong, and what can is not let off.
@Suite struct InconclusiveTests {
  /// A module whose rounding errors grow by orders of magnitude.
  private func chaotic(steps: Int, scale: Double) throws -> ParityCase {
    let hidden = 24
    var generator = SplitMix64(seed: 9)
    func tensor(_ axes: [Int], _ scale: Double) -> Tensor {
      let shape = Shape(axes)
      return Tensor(
        (0..<shape.elementCount).map { _ in
          Float(Double.random(in: -scale...scale, using: &generator))
        }, shape: shape)
    }
    var tensors = [
      "inputs/input": tensor([steps, 2, 3], 1),
      "state_dict/weight_ih_l0": tensor([hidden, 3], scale),
      "state_dict/weight_hh_l0": tensor([hidden, hidden], scale),
      "state_dict/bias_ih_l0": tensor([hidden], scale),
      "state_dict/bias_hh_l0": tensor([hidden], scale),
    ]
    tensors["outputs/output"] = tensor([steps, 2, hidden], 0)
    tensors["outputs/h_n"] = tensor([1, 2, hidden], 0)
    let manifest = try Manifest(
      parsing: #"{"format": "pytorch-parity/1", "module": "RNN"}"#)
    let empty = try ParityCase(CaseLocation(name: "chaos", path: "chaos"), manifest, tensors)
    // What our engine gives stands in for PyTorch: only rounding lies between it
    // and the oracle.
    let call = try #require(empty.call)
    return empty.with(outputs: Engine.forwardPass(call).outputs(for: call.input))
  }

  @Test func amplifiedRoundingIsInconclusive() throws {
    let result = Judge().judge(try chaotic(steps: 60, scale: 3))
    #expect(result.status == .inconclusive)
    let steps = try #require(result.findings.agreeingSteps)
    #expect(steps > 2 && steps < 50)
    #expect(result.remarks.first?.contains("after \(steps) steps") == true)
    #expect(RunStatus(of: [.inconclusive]) == .failed)
  }

  @Test func aBugBeforeTheLossIsStillSeen() throws {
    let parityCase = try chaotic(steps: 60, scale: 3)
    let outputs = parityCase.outputs
    let changed = outputs.output?.changing { $0[0] += 0.01 }
    let result = Judge().judge(
      parityCase.with(outputs: RecurrentOutput(output: changed, hN: outputs.hN, cN: nil)))
    #expect(result.status == .failed)
  }

  @Test func tameModulesAreConclusive() throws {
    #expect(Judge().judge(try chaotic(steps: 60, scale: 0.2)).status == .passed)
  }

  /// Infinity saturates, and loses nothing.
  @Test func infinityIsNotLost() throws {
    for name in ["lstm-special-values", "gru-special-values", "rnn-relu-special-values"] {
      let chain = try #require(FixtureSuite.named(name).chain)
      let noise = try CaseNoise(ChainVariant(chain))
      #expect(noise.agreeingSteps == nil, "\(name)")
    }
  }
}
