import ParityFixtures
import RecurrentModel
import TensorCore
import Testing

@testable import ParityJudging

@Suite struct FixtureTests {
  @Test func allLoad() {
    #expect(FixtureSuite.locations.count >= 16)
    #expect(FixtureSuite.cases.count == FixtureSuite.locations.count)
    #expect(FixtureSuite.runnable.count >= 16)
  }

  @Test(arguments: FixtureSuite.locations)
  func passOrAreSkippedWithAReason(location: CaseLocation) {
    let result = Judge().judge(location)
    #expect(result.status == .passed || result.status == .skipped, "\(result.remarks)")
    if result.status == .skipped { #expect(!result.remarks.isEmpty) }
  }

  @Test func theArticleIsTold() throws {
    func result(_ name: String) throws -> CaseResult {
      Judge().judge(try FixtureSuite.named(name))
    }
    #expect(try result("article-printed").remarks == ["layout only: no state_dict"])
    #expect(try result("article-reconstructed").status == .passed)
    #expect(try result("article-reconstructed-full").status == .passed)
    #expect(try result("article-printed-input").status == .skipped)
  }
}

/// Planted bugs: what a fixture is for is to see them.
@Suite struct PlantedBugTests {
  @Test(arguments: FixtureSuite.runnable.map(\.location.name))
  func theLargestElementOfAnyParameterOffByATenth(name: String) throws {
    let parityCase = try FixtureSuite.named(name)
    let tensors = try #require(parityCase.model).stateDict.tensors
    for (parameter, tensor) in tensors {
      var changed = tensors
      changed[parameter] = tensor.changing { elements in
        let largest = elements.indices.max { abs(elements[$0]) < abs(elements[$1]) }
        elements[largest ?? 0] *= 1.1
      }
      let result = Judge().judge(try parityCase.with(parameters: changed))
      #expect(result.status == .failed, "\(parameter)")
      #expect(
        result.remarks == [
          "the reference does not follow from these weights and this configuration"
        ])
    }
  }

  @Test(arguments: FixtureSuite.runnable.map(\.location.name))
  func twoGatesSwapped(name: String) throws {
    let parityCase = try FixtureSuite.named(name)
    let model = try #require(parityCase.model)
    let gates = model.configuration.module.gates.count
    for first in 0..<gates {
      for second in first + 1..<gates {
        let swapped = model.stateDict.tensors.mapValues { tensor in
          guard tensor.shape.axes[0] == gates * model.configuration.hiddenSize else {
            return tensor  // weight_hr has no gates
          }
          let block = tensor.count / gates
          return tensor.changing { elements in
            for k in 0..<block { elements.swapAt(first * block + k, second * block + k) }
          }
        }
        let result = Judge().judge(try parityCase.with(parameters: swapped))
        #expect(result.status == .failed, "gates \(first) and \(second)")
      }
    }
  }

  @Test(
    arguments: FixtureSuite.runnable.filter { $0.model?.configuration.bidirectional == true }
      .map(\.location.name))
  func directionsSwapped(name: String) throws {
    let parityCase = try FixtureSuite.named(name)
    let model = try #require(parityCase.model)
    var swapped: [String: Tensor] = [:]
    for parameter in model.configuration.parameters {
      let other: Direction = parameter.direction == .forward ? .reverse : .forward
      swapped[parameter.name] = model.stateDict[parameter.role, parameter.layer, other]
    }
    #expect(Judge().judge(try parityCase.with(parameters: swapped)).status == .failed)
  }

  @Test(arguments: FixtureSuite.runnable.map(\.location.name))
  func oneElementOfAReferenceOff(name: String) throws {
    let parityCase = try FixtureSuite.named(name)
    for (index, (tensor, reference)) in parityCase.reference.named.enumerated() {
      // A state of the first layer alone, and of no direction's identity.
      guard tensor != "h_n" || parityCase.contract.layers > 1 else { continue }
      let changed = reference.changing { $0[0] += 0.001 }
      let outputs = parityCase.reference
      let result = Judge().judge(
        parityCase.with(
          reference: RecurrentOutput(
            output: index == 0 ? changed : outputs.output, hN: index == 1 ? changed : outputs.hN,
            cN: index == 2 ? changed : outputs.cN)))
      // In output it can be the layout contract that sees it first.
      #expect(
        result.status == .failed || index == 0 && result.status == .invalid, "\(tensor)")
    }
  }
}
