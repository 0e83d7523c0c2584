import FixtureSupport
import ParityFixtures
import RecurrentModel
import TensorComparison
import TensorCore
import Testing

@testable import ParityJudging

/// A reference whose output and h_n differ in their last bits is told from one that is wrong.
@Suite struct LayoutRoundingTests {
  /// The case with other states in the reference.
  private func result(
    _ name: String = "lstm-bidirectional-batch-first", _ judge: Judge = Judge(),
    states: (Float) -> Float
  ) throws -> CaseResult {
    let parityCase = try FixtureSuite.named(name)
    let outputs = parityCase.outputs
    let hN = Tensor(outputs.hN.elements(as: Float.self).map(states), shape: outputs.hN.shape)
    return judge.judge(
      parityCase.with(
        outputs: RecurrentOutput(output: outputs.output, hN: hN, cN: outputs.cN)))
  }

  @Test(arguments: [1, 3])
  func aFewUnitsAreRounding(units: Int) throws {
    let result = try result { (0..<units).reduce($0) { value, _ in value.nextUp } }
    #expect(result.status == .invalid)
    #expect(result.remarks == ["the reference's output and h_n are equal but for rounding"])
    // No mistake is looked for, since one as small as rounding would be found.
    #expect(result.diagnosis == nil)
    let rounding = try #require(result.findings.layoutRounding)
    #expect(rounding.largestULP == Double(units))
    #expect(rounding.largestAbsolute > 0 && rounding.largestAbsolute < 2e-7 * Double(units))
    #expect(rounding.tolerance?.rtol == 1.3e-6 && rounding.tolerance?.atol == 1e-5)
  }

  /// What the message proposes does accept the reference, with its numbers compared.
  @Test func theToleranceAcceptsIt() throws {
    let judge = Judge(override: .explicit(rtol: 1.3e-6, atol: 1e-5))
    let result = try result("lstm-bidirectional-batch-first", judge, states: \.nextUp)
    #expect(result.status == .passed)
    #expect(result.findings.layoutRounding == nil)
  }

  /// Beside small states, a difference is small beside the largest.
  @Test func unitsAreThoseOfTheLargestState() throws {
    let absolute = try result { $0 + 1e-7 }
    #expect(absolute.findings.layoutRounding?.largestULP ?? 0 > 4)
  }

  @Test(arguments: [Float(1e-5), 1, .nan, .infinity])
  func moreIsNoRounding(error: Float) throws {
    let result = try result { $0 + error }
    #expect(result.status == .invalid)
    #expect(result.remarks == ["the reference breaks the layout contract"])
    #expect(result.findings.layoutRounding == nil)
  }

  /// States that are all as small as rounding, and some of them wrong.
  @Test func smallStatesAreHeldToTheirOwnUnits() throws {
    let parityCase = try FixtureSuite.named("lstm-bidirectional-batch-first")
    func small(_ tensor: Tensor, _ error: Double) -> Tensor {
      Tensor(
        tensor.elements(as: Double.self).map { Float($0 * 1e-7 * (1 + error)) }, shape: tensor.shape
      )
    }
    let outputs = parityCase.outputs
    let result = Judge().judge(
      parityCase.with(
        outputs: RecurrentOutput(
          output: outputs.output.map { small($0, 0) }, hN: small(outputs.hN, 0.01),
          cN: outputs.cN)))
    #expect(result.findings.layoutRounding == nil)
  }

  @Test func whatAMistakeExplainsIsNoRounding() throws {
    let parityCase = try FixtureSuite.named("article-printed")
    let outputs = parityCase.outputs
    let hN = outputs.hN.takingBlocks([1, 0])
    let result = Judge(override: .exact).judge(
      parityCase.with(outputs: RecurrentOutput(output: outputs.output, hN: hN, cN: outputs.cN)))
    #expect(result.findings.layoutRounding == nil)
    #expect(result.findings.layout.contains { $0.mistake != nil })
  }
}
