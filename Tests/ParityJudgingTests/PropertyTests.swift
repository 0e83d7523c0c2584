import FixtureSupport
import ParityFixtures
import RecurrentEngine
import RecurrentModel
import RoundingNoise
import TensorComparison
import TensorCore
import Testing

@testable import ParityJudging

/// Each property holds for the engine, and catches a subject that breaks it.
@Suite struct PropertyTests {
  private func findings(
    _ name: String, subject: @escaping @Sendable (RecurrentCall) -> any ForwardPass
  ) throws
    -> [Property: PropertyFinding]
  {
    let parityCase = try FixtureSuite.named(name)
    let call = try #require(parityCase.call)
    let pass = subject(call)
    let check = PropertyCheck(
      ModuleRun(
        module: "", call: call, pass: pass, outputs: pass.outputs(for: call.input)),
      noise: try CaseNoise(ChainVariant(Chain(call))), isInputExact: true, makePass: subject)
    return Dictionary(uniqueKeysWithValues: check.findings.map { ($0.property, $0) })
  }

  private func violated(
    _ name: String, subject: @escaping @Sendable (RecurrentCall) -> any ForwardPass
  ) throws -> [Property] {
    try findings(name, subject: subject).values.filter { !$0.holds }.map(\.property)
      .sorted { $0.rawValue < $1.rawValue }
  }

  @Test(arguments: FixtureSuite.comparing.map(\.location.name))
  func holdForTheEngine(name: String) throws {
    let findings = try findings(name, subject: { Engine.forwardPass($0) })
    #expect(findings.count == Property.allCases.count)
    for finding in findings.values {
      #expect(finding.holds, "\(finding.property)")
    }
    #expect(findings[.absentStateIsZero]?.applies == true)
  }

  @Test func eachAppliesToSomeFixtureAndNotToAll() throws {
    let all = try FixtureSuite.comparing.map {
      try findings($0.location.name, subject: { Engine.forwardPass($0) })
    }
    for property in Property.allCases {
      let count = all.filter { $0[property]?.applies == true }.count
      #expect(count >= 4, "\(property)")
      if property != .absentStateIsZero { #expect(count < all.count, "\(property)") }
    }
  }

  @Test func aStateThatStartsElsewhereIsSeen() throws {
    let violated = try violated("gru") { call in
      MistakenPass(honest: Engine.forwardPass(call)) { input, outputs in
        guard input.h0 == nil else { return outputs }
        return RecurrentOutput(
          output: outputs.output?.changing { $0[0] += 1e-6 }, hN: outputs.hN, cN: outputs.cN)
      }
    }
    #expect(violated == [.absentStateIsZero])
  }

  @Test func aResultThatDependsOnTheBatchIsSeen() throws {
    let violated = try violated("lstm-packed") { call in
      MistakenPass(honest: Engine.forwardPass(call)) { input, outputs in
        guard input.layout.batch == 1 else { return outputs }
        return RecurrentOutput(
          output: outputs.output, hN: outputs.hN.changing { $0[0] = $0[0].nextUp + 1e-7 },
          cN: outputs.cN)
      }
    }
    #expect(violated == [.sequencesAreIndependent])
  }

  @Test func aStateThatIsNotHandedOnIsSeen() throws {
    let violated = try violated("lstm-two-layers") { call in
      MistakenPass(honest: Engine.forwardPass(call)) { _, outputs in
        RecurrentOutput(
          output: outputs.output, hN: outputs.hN, cN: outputs.cN?.changing { $0[0] += 1e-3 })
      }
    }
    #expect(violated.contains(.runsCanBeSplit))
  }

  @Test func anErrorInOneDirectionIsNoMirror() throws {
    let violated = try violated("lstm-unbatched") { call in
      MistakenPass(honest: Engine.forwardPass(call)) { _, outputs in
        RecurrentOutput(
          output: outputs.output?.changing { $0[0] += 0.001 }, hN: outputs.hN, cN: outputs.cN)
      }
    }
    #expect(violated == [.directionsMirror])
  }
}
