import TensorCore
import TestSupport
import Testing

@testable import RecurrentModel

@Suite struct InferredArgumentsTests {
  /// A module's own parameters tell all that has no default, for every random module.
  @Test(arguments: 0..<100 as Range<UInt64>)
  func aStateDictTellsItsModule(seed: UInt64) throws {
    let random = try RandomModule(seed: seed)
    let configuration = random.configuration
    var arguments = ModuleArguments(module: configuration.module)
    arguments.batchFirst = configuration.batchFirst
    arguments.nonlinearity = configuration.nonlinearity
    let inferred = InferredArguments(
      parameters: random.stateDict.tensors.mapValues(\.shape), input: nil, outputs: [:])
    #expect(inferred.module?.value == configuration.module)
    #expect(try arguments.configuration(with: inferred) == configuration)
  }

  @Test func whatContradictsAShapeNamesBoth() throws {
    let shapes: [String: Shape] = ["weight_ih_l0": [24, 5], "weight_hh_l0": [24, 6]]
    let inferred = InferredArguments(parameters: shapes, input: nil, outputs: [:])
    var arguments = ModuleArguments(module: .lstm)
    arguments.hiddenSize = 8
    let error = #expect(throws: InvalidValue.self) { try arguments.configuration(with: inferred) }
    #expect(
      error?.description
        == "arguments.hidden_size: expected 6, as state_dict/weight_hh_l0 (24, 6) tells, found 8")
    let gru = #expect(throws: InvalidValue.self) {
      try ModuleArguments(module: .gru).configuration(with: inferred)
    }
    #expect(
      gru?.description
        == "module: expected LSTM, as state_dict/weight_hh_l0 (24, 6) tells, found GRU")
    let cell = #expect(throws: InvalidValue.self) {
      try ModuleArguments(module: .lstmCell).configuration(with: inferred)
    }
    #expect(cell?.expected.hasPrefix("LSTM,") == true)
  }

  @Test func outputsTellWithoutParameters() throws {
    let outputs: [String: Shape] = ["output": [3, 4, 10], "h_n": [6, 3, 5], "c_n": [6, 3, 7]]
    let inferred = InferredArguments(parameters: [:], input: [3, 4, 2], outputs: outputs)
    let configuration = try ModuleArguments(module: .lstm).configuration(with: inferred)
    #expect(
      try configuration
        == RecurrentConfiguration(
          module: .lstm, inputSize: 2, hiddenSize: 7, numLayers: 3, bidirectional: true,
          projSize: 5))
  }

  @Test func nothingTellsWhatIsNotThere() {
    let inferred = InferredArguments(parameters: [:], input: nil, outputs: [:])
    let error = #expect(throws: InvalidValue.self) {
      try ModuleArguments(module: .gru).configuration(with: inferred)
    }
    #expect(error?.name == "arguments.input_size")
  }

  @Test func aNameThatIsNoParameterCountsNoLayer() {
    let shapes: [String: Shape] = [
      "weight_ih_l0": [3, 1], "weight_hh_l0": [3, 1], "hell5": [1], "decoder.weight_ih_l7": [1],
    ]
    #expect(InferredArguments(parameters: shapes, input: nil, outputs: [:]).numLayers == 1)
  }

  /// Shapes and names that no module has tell nothing, and never trap.
  @Test func nonsenseTellsNothing() {
    let max = Int.max
    for shapes: [String: Shape] in [
      ["weight_hh_l0": []], ["weight_hh_l0": [0, 0]], ["weight_hh": [7, 2]],
      ["weight_ih_l\(max)": [1]], ["weight_ih_l99999999999999999999": [1]], ["l": []],
      ["_reverse": []], ["weight_hh_l0": [0, max]], ["weight_hr_l0": [max, 0]],
    ] {
      let inferred = InferredArguments(parameters: shapes, input: [], outputs: [:])
      #expect(inferred.module == nil, "\(shapes)")
      for module in RecurrentModule.allCases {
        _ = try? ModuleArguments(module: module).configuration(with: inferred)
      }
    }
  }
}
