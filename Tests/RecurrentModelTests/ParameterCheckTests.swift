import TensorCore
import Testing

@testable import RecurrentModel

/// What is said of parameters that do not fit a module: its names first, then single weights, and
/// the module where all of them are another one's.
@Suite struct ParameterCheckTests {
  private static func floats(_ shape: Shape) -> Tensor {
    Tensor([Float](repeating: 0, count: shape.elementCount), shape: shape)
  }

  /// The parameters of a module with an input_size of 5 and a hidden_size of 6.
  private static func parameters(
    of module: RecurrentModule, numLayers: Int = 1, bias: Bool = true, bidirectional: Bool = false,
    projSize: Int = 0
  ) throws -> [String: Tensor] {
    let configuration = try RecurrentConfiguration(
      module: module, inputSize: 5, hiddenSize: 6, numLayers: numLayers, bias: bias,
      bidirectional: bidirectional, projSize: projSize)
    return Dictionary(
      uniqueKeysWithValues: configuration.parameters.map { ($0.name, floats($0.shape)) })
  }

  /// What is said of the parameters, with the sizes left to them and with the right ones stated:
  /// it must be the same.
  private static func error(
    _ tensors: [String: Tensor], as module: RecurrentModule
  ) throws -> String {
    let errors = [false, true].map { areStated in
      var arguments = ModuleArguments(module: module)
      if areStated { (arguments.inputSize, arguments.hiddenSize) = (5, 6) }
      do {
        _ = try arguments.checked(tensors, input: nil)
        return "none"
      } catch {
        return "\(error)"
      }
    }
    #expect(errors[0] == errors[1])
    return errors[0]
  }

  @Test(arguments: [
    ("weight_ih_l0", "weights_ih_l0"), ("weight_ih_l0", "weight_ih_10"),
    ("weight_ih_l0_reverse", "weight_ih_l0_rev"), ("weight_hh_l0_reverse", "weight_hh_l0_rev"),
    ("bias_ih_l0", "b_ih_l0"), ("weight_hh_l0", "weight_hh"),
  ])
  func aNameThatIsNearlyRightIsAskedAbout(right: String, wrong: String) throws {
    var tensors = try Self.parameters(of: .lstm, bidirectional: true)
    tensors[wrong] = tensors.removeValue(forKey: right)
    #expect(
      try Self.error(tensors, as: .lstm)
        == "state_dict/\(wrong): expected the name of a parameter of nn.LSTM, found another; "
        + "did you mean \(right)?")
  }

  @Test func allNamesThatAreNearlyRightAreListed() throws {
    let tensors = Dictionary(
      uniqueKeysWithValues: try Self.parameters(of: .gru, bias: false, bidirectional: true).map {
        ($0.key.replacing("_reverse", with: "_rev"), $0.value)
      })
    #expect(
      try Self.error(tensors, as: .gru).hasSuffix(
        "did you mean weight_hh_l0_reverse (for weight_hh_l0_rev) "
          + "and weight_ih_l0_reverse (for weight_ih_l0_rev)?"))
  }

  @Test func aMissingParameterIsNamedBesideNamesThatAreFarFromIt() throws {
    let tensors = ["kernel": Self.floats([5, 24]), "recurrent_kernel": Self.floats([6, 24])]
    #expect(
      try Self.error(tensors, as: .lstm)
        == "state_dict/weight_ih_l0: expected a tensor, found none; "
        + "state_dict has kernel and 1 more of other names")
    #expect(
      try Self.error([:], as: .lstmCell) == "state_dict/weight_ih: expected a tensor, found none")
  }

  @Test func aCellsParametersAreNotMisspelt() throws {
    let cell = try Self.parameters(of: .lstmCell)
    #expect(
      try Self.error(cell, as: .lstm)
        == "module: expected LSTMCell, as state_dict/weight_hh (24, 6) tells, found LSTM")
  }

  /// The others decide which one is wrong, whatever is inferred from it.
  @Test(arguments: [
    ("weight_ih_l0", 0), ("weight_hh_l0", 0), ("weight_hh_l0_reverse", 0),
    ("weight_ih_l1_reverse", 0), ("weight_hr_l0", 3), ("weight_hh_l1", 3),
  ])
  func oneTransposedWeightIsNamed(name: String, projSize: Int) throws {
    var tensors = try Self.parameters(
      of: .lstm, numLayers: 2, bidirectional: true, projSize: projSize)
    let right = try #require(tensors[name]?.shape)
    let wrong = Shape(right.axes.reversed())
    tensors[name] = Self.floats(wrong)
    #expect(
      try Self.error(tensors, as: .lstm)
        == "state_dict/\(name): expected the shape \(right), found \(wrong); "
        + "\(name) looks transposed: all other parameters fit; save weight.T")
  }

  @Test(arguments: [RecurrentModule.lstm, .gru, .gruCell], [true, false])
  func allTransposedWeightsAreToldInOne(module: RecurrentModule, bias: Bool) throws {
    let tensors = try Self.parameters(of: module, bias: bias).mapValues {
      Self.floats(Shape($0.shape.axes.reversed()))
    }
    let error = try Self.error(tensors, as: module)
    let rows = module.recurrence.gates.count * 6
    #expect(error.contains("expected the shape (\(rows), 5), found (5, \(rows)); all weights"))
    #expect(error.contains("all weights look transposed: "))
  }

  @Test func aSquareWeightDoesNotShowThatItIsTransposed() throws {
    var tensors = try Self.parameters(of: .rnn)
    tensors["weight_ih_l0"] = Self.floats([5, 6])
    #expect(
      try Self.error(tensors, as: .rnn).contains(
        "weight_ih_l0 looks transposed, and the square weight_hh_l0 may be too"))
  }

  @Test func oneParameterOfAnotherSizeIsNamed() throws {
    var tensors = try Self.parameters(of: .lstm)
    tensors["weight_hh_l0"] = Self.floats([24, 7])
    #expect(
      try Self.error(tensors, as: .lstm)
        == "state_dict/weight_hh_l0: expected the shape (24, 6), as most parameters tell, "
        + "found (24, 7)")
  }

  @Test(arguments: [
    (RecurrentModule.lstm, RecurrentModule.gru, "a GRU's", "3·6 rows, where LSTM has 4·6"),
    (.gru, .lstm, "an LSTM's", "4·6 rows, where GRU has 3·6"),
    (.lstm, .rnn, "an RNN's", "1·6 rows, where LSTM has 4·6"),
    (.rnnCell, .gruCell, "a GRUCell's", "3·6 rows, where RNNCell has 1·6"),
  ])
  func theParametersOfAnotherModuleAreTold(
    module: RecurrentModule, other: RecurrentModule, whose: String, rows: String
  ) throws {
    #expect(
      try Self.error(Self.parameters(of: other), as: module)
        == "module: expected \(other.rawValue), found \(module.rawValue); "
        + "these are \(whose) weights: every parameter fits one with \(rows); "
        + "say \"module\": \"\(other.rawValue)\"")
  }

  /// One parameter that does not fit the other module speaks against it.
  @Test func anotherModuleHasAllOrNothing() throws {
    var tensors = try Self.parameters(of: .gru)
    tensors["bias_hh_l0"] = Self.floats([24])
    #expect(try !Self.error(tensors, as: .lstm).contains("these are"))
  }

  @Test func aProjectionTellsAnLSTM() throws {
    let tensors = try Self.parameters(of: .lstm, projSize: 3)
    #expect(try Self.error(tensors, as: .gru).contains("these are an LSTM's weights"))
  }

  @Test(arguments: [
    (RecurrentModule.gru, "weight_hr_l0", "nn.GRU"), (.rnn, "weight_hr_l0_reverse", "nn.RNN"),
    (.lstmCell, "weight_hr", "nn.LSTMCell"), (.gruCell, "weight_hr_l0", "nn.GRUCell"),
  ])
  func aProjectionIsAnLSTMs(module: RecurrentModule, name: String, whose: String) throws {
    var tensors = try Self.parameters(of: module)
    tensors[name] = Self.floats([3, 6])
    #expect(
      try Self.error(tensors, as: module)
        == "state_dict/\(name): expected no such parameter, found a tensor (3, 6); "
        + "\(whose) has no projection: proj_size and weight_hr are nn.LSTM's")
  }

  /// A GRU that somebody has given a projection of 3: no other parameter is to blame.
  @Test func aProjectedGRUIsNoOtherModule() throws {
    var tensors = try Self.parameters(of: .gru)
    tensors["weight_hr_l0"] = Self.floats([3, 6])
    tensors["weight_hh_l0"] = Self.floats([18, 3])
    #expect(try Self.error(tensors, as: .gru).contains("nn.GRU has no projection"))
  }

  @Test(arguments: [
    "weight_ci", "weight_cf_l0", "weight_co_l0_reverse", "w_ci", "W_cf", "Wco", "w_i_diag",
    "peephole_i", "weight_peephole", "W_cell_to_ingate", "W_cell_to_forgetgate", "weight_pi_l0",
  ])
  func peepholesAreTold(name: String) throws {
    for module in [RecurrentModule.lstm, .gru, .lstmCell] {
      var tensors = try Self.parameters(of: module)
      tensors[name] = Self.floats([6])
      #expect(
        try Self.error(tensors, as: module)
          == "state_dict/\(name): expected no such parameter, found a tensor (6,); "
          + "these are peephole connections; nn.\(module.rawValue) has none")
    }
  }

  @Test(arguments: ["weight_ic_l0x", "w_c", "cell_i", "weight_cii"])
  func notEveryStrangerIsAPeephole(name: String) throws {
    var tensors = try Self.parameters(of: .lstm)
    tensors[name] = Self.floats([6])
    #expect(try !Self.error(tensors, as: .lstm).contains("peephole"))
  }

  @Test func slipsAreShortAndOneForEachName() {
    let slips = NearNames.slips(in: ["hn", "x", "h_m"], missing: ["h_n", "c_n"])
    #expect(slips.map(\.found) == ["h_m"] && slips.map(\.meant) == ["h_n"])
    #expect(NearNames.question([]) == nil)
    let long = String(repeating: "weight_ih_l0", count: 1000)
    #expect(NearNames.slips(in: [long], missing: [long + "_"]).isEmpty)
  }
}
