import TensorCore
import Testing

@testable import RecurrentModel

@Suite struct ConfigurationTests {
  @Test func derivesTheSizesOfPyTorchsDocumentation() throws {
    let configuration = try RecurrentConfiguration(
      module: .lstm, inputSize: 5, hiddenSize: 6, numLayers: 3, bidirectional: true, projSize: 4)
    #expect(configuration.outputSize == 4)
    #expect(configuration.outputFeatures == 8)
    #expect(configuration.stateRows == 6)
    #expect(configuration.stateRow(layer: 1, .reverse) == 3)
    #expect(configuration.inputSize(ofLayer: 0) == 5)
    #expect(configuration.inputSize(ofLayer: 2) == 8)
  }

  @Test func namesParametersAsStateDictDoes() throws {
    let configuration = try RecurrentConfiguration(
      module: .lstm, inputSize: 5, hiddenSize: 6, numLayers: 2, bidirectional: true, projSize: 4)
    let parameters = configuration.parameters
    #expect(parameters.count == 20)
    #expect(
      parameters.prefix(5).map(\.name) == [
        "weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0", "weight_hr_l0",
      ])
    #expect(parameters.last?.name == "weight_hr_l1_reverse")
    #expect(parameters[0].shape == [24, 5])
    #expect(parameters[1].shape == [24, 4])
    #expect(parameters[4].shape == [4, 6])
    #expect(parameters[10].shape == [24, 8])
  }

  @Test func biasAndProjectionAreLeftOutWhereThereAreNone() throws {
    let configuration = try RecurrentConfiguration(
      module: .gru, inputSize: 2, hiddenSize: 3, bias: false)
    #expect(configuration.parameters.map(\.name) == ["weight_ih_l0", "weight_hh_l0"])
    #expect(configuration.parameters[0].shape == [9, 2])
  }

  @Test(arguments: [
    ("input_size", 0, 3, 1, 0), ("hidden_size", 2, 0, 1, 0), ("hidden_size", 2, -3, 1, 0),
    ("num_layers", 2, 3, 0, 0), ("proj_size", 2, 3, 1, -1), ("proj_size", 2, 3, 1, 3),
    ("input_size", .max, 3, 1, 0), ("num_layers", 2, 3, .max, 0),
  ])
  func refusesWhatTheConstructorRefuses(
    argument: String, input: Int, hidden: Int, layers: Int, projection: Int
  ) {
    let error = #expect(throws: InvalidValue.self) {
      try RecurrentConfiguration(
        module: .lstm, inputSize: input, hiddenSize: hidden, numLayers: layers,
        projSize: projection)
    }
    #expect(error?.name == "arguments." + argument)
  }

  @Test func onlyLSTMHasProjections() {
    #expect(throws: InvalidValue.self) {
      try RecurrentConfiguration(module: .gru, inputSize: 2, hiddenSize: 3, projSize: 1)
    }
  }
}
