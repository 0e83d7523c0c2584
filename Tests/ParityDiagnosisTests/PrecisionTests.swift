import FixtureSupport
import ParityFixtures
import ParityJudging
import RecurrentEngine
import RecurrentModel
import RoundingNoise
import TensorComparison
import TensorCore
import TestSupport
import Testing

@testable import ParityDiagnosis

/// A reference that was computed more coarsely than its tensors say.
@Suite struct PrecisionTests {
  /// A factor on the weights explains what it makes, and not what rounding makes.
  @Test func aFactorIsToldFromRounding() throws {
    let call = try #require(FixtureSuite.named("lstm-stacked-bidirectional").call)
    let (chain, exact) = (Chain(call), Results(call.oracleOutputs))
    let noise = try NoiseEstimate.measure(ChainVariant(chain), RoundingModel(.float32))
    func share(_ outputs: RecurrentOutput) -> Double {
      SystematicErrors(chain).best(explaining: Results(outputs), exact: exact) {
        noise[$0]?.limits.sigma
      }?.share ?? 0
    }
    let scaled = call.stateDict.tensors.mapValues { $0 }.reduce(into: [String: Tensor]()) {
      let factor = $1.key.hasPrefix("weight_hh") ? 1 + 3e-6 : 1
      $0[$1.key] = $1.value.mapping { $1 * factor }
    }
    let other = call.with(
      stateDict: try StateDict(scaled, checkedAgainst: call.configuration), arithmetic: .float64)
    #expect(share(other.oracleOutputs) > 0.95)
    #expect(share(Engine.forwardPass(call).outputs(for: call.input)) < 0.3)
  }

  /// Errors as small as bfloat16's rounding, but of a factor on the cell state, are no rounding.
  @Test func aFactorOnTheCellStateIsNamed() throws {
    let call = try #require(FixtureSuite.named("lstm-stacked-bidirectional").call)
    let (chain, exact) = (Chain(call), Results(call.oracleOutputs))
    var variant = ChainVariant(chain)
    variant.modules[0].scan.step.offsets.cell = -1e-3
    let outputs = try variant.exactResults().stored(in: .float32)
    let found = try #require(SystematicErrors(chain).best(explaining: outputs, exact: exact))
    #expect(found.text == "c times 0.999 at every step")
    #expect(found.share > 0.99)
    let doubt = CoarseRounding(chain, .bfloat16).doubt(outputs, exact: exact, [])
    #expect(doubt == "c times 0.999 at every step explains 99% of it")
    // What bfloat16's rounding of the weights gives is not doubted.
    let rounded = try ChainVariant(
      chain, emulation: Emulation(weights: .bfloat16, biases: .bfloat16)
    )
    .exactResults().stored(in: .float32)
    #expect(CoarseRounding(chain, .bfloat16).doubt(rounded, exact: exact, []) == nil)
  }

  /// The case with the results of parameters and inputs rounded to `bits` of
  /// significand, as an accelerator's products round them.
  private func rounded(_ name: String, bits: Int) throws -> ParityCase {
    let parityCase = try FixtureSuite.named(name)
    let call = try #require(parityCase.call)
    func rounded(_ tensor: Tensor) -> Tensor {
      tensor.changing { elements in
        for k in elements.indices where elements[k] != 0 {
          let scale = Double(sign: .plus, exponent: bits - 1 - elements[k].exponent, significand: 1)
          elements[k] = (elements[k] * scale).rounded(.toNearestOrEven) / scale
        }
      }
    }
    let coarse = RecurrentCall(
      call.configuration,
      try StateDict(
        call.stateDict.tensors.mapValues(rounded), checkedAgainst: call.configuration),
      try RecurrentInput(
        input: rounded(call.input.input), h0: call.input.h0.map(rounded),
        c0: call.input.c0, packing: call.input.packing, for: call.configuration),
      in: .float32)
    return parityCase.with(outputs: Engine.forwardPass(coarse).outputs(for: coarse.input))
  }

  private func hint(_ parityCase: ParityCase) -> String? {
    let judge = Judge(diagnostician: PrecisionAlone())
    let result = judge.judge(parityCase)
    #expect(result.status == .failed)
    #expect(result.findings.isReferenceAtFault)
    return result.diagnosis?.explanations.first?.sentence ?? result.diagnosis?.suspicion
  }

  @Test(arguments: ["lstm-two-layers", "gru-bidirectional", "rnn-relu", "lstm-cell"])
  func operandsOfElevenAndOfEightBitsAreTold(name: String) throws {
    // Of the operands only x and the weights are rounded here, and of h nothing.
    #expect(try hint(rounded(name, bits: 11))?.contains("tf32") == true)
    let eight = try #require(try hint(rounded(name, bits: 8)))
    // Of either 16-bit type: where h is small, float16's rounding is as large.
    #expect(eight.contains("float16"), "\(eight)")
  }

  /// No rounding explains what is wrong altogether.
  @Test func aSwapIsNoRounding() throws {
    let parityCase = try FixtureSuite.named("lstm-bidirectional")
    let call = try #require(parityCase.call)
    var swapped: [String: Tensor] = [:]
    for parameter in call.configuration.parameters {
      let other: Direction = parameter.direction == .forward ? .reverse : .forward
      swapped[parameter.name] = call.stateDict[parameter.role, parameter.layer, other]
    }
    #expect(hint(try parityCase.with(parameters: swapped)) == nil)
  }

  /// Small enough for 16 bits, but in one direction alone.
  @Test func oneWrongWeightIsNoRounding() throws {
    let parityCase = try FixtureSuite.named("lstm-bidirectional-batch-first")
    var tensors = try #require(parityCase.call).stateDict.tensors
    tensors["weight_hh_l0_reverse"] = tensors["weight_hh_l0_reverse"]?.changing { $0[0] *= 1.1 }
    #expect(hint(try parityCase.with(parameters: tensors)) == nil)
  }
}

/// Looks for coarser arithmetic and nothing else.
private struct PrecisionAlone: Diagnosing {
  func diagnose(_ failure: Failure) -> Diagnosis? {
    let detection = PrecisionDetection(Evidence(failure))
    return detection.explanation
      ?? Diagnosis(explanations: [], suspicion: detection.suspicion?.sentence)
  }
}
