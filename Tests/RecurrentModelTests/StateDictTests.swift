import TensorCore
import Testing

@testable import RecurrentModel

@Suite struct StateDictTests {
  private let configuration: RecurrentConfiguration
  private let complete: [String: Tensor]

  init() throws {
    configuration = try RecurrentConfiguration(
      module: .gru, inputSize: 2, hiddenSize: 3, bidirectional: true)
    var tensors: [String: Tensor] = [:]
    for parameter in configuration.parameters {
      let zeros = [Float](repeating: 0, count: parameter.shape.elementCount)
      tensors[parameter.name] = Tensor(zeros, shape: parameter.shape)
    }
    complete = tensors
  }

  private func error(_ change: (inout [String: Tensor]) -> Void) -> InvalidValue? {
    var tensors = complete
    change(&tensors)
    do {
      _ = try StateDict(tensors, checkedAgainst: configuration)
      return nil
    } catch {
      return error
    }
  }

  @Test func acceptsExactlyTheModulesParameters() {
    #expect(error { _ in } == nil)
  }

  @Test func namesAMissingParameter() {
    let error = error { $0["bias_hh_l0_reverse"] = nil }
    #expect(error?.name == "state_dict/bias_hh_l0_reverse")
    #expect(error?.expected == "a tensor (9,)")
    #expect(error?.found == "none")
  }

  @Test func namesAnExtraParameter() {
    let error = error { $0["weight_ih_l1"] = $0["weight_ih_l0"] }
    #expect(error?.name == "state_dict/weight_ih_l1")
  }

  @Test func namesBothShapes() {
    let error = error { $0["weight_hh_l0"] = Tensor([0] as [Float], shape: [1, 1]) }
    #expect(
      error?.description
        == "state_dict/weight_hh_l0: expected the shape (9, 3), found (1, 1)")
  }

  @Test func refusesMixedElementTypes() {
    let error = error { $0["weight_hh_l0"] = $0["weight_hh_l0"]?.rounded(to: .float64) }
    #expect(error?.found == "float64")
  }

  @Test func refusesIntegers() {
    let error = error { tensors in
      tensors = tensors.mapValues {
        Tensor([Int64](repeating: 0, count: $0.count), shape: $0.shape)
      }
    }
    #expect(error?.expected == "floats")
  }
}
