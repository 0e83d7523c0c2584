import RecurrentModel
import TensorCore
import TestSupport
import Testing

@testable import RecurrentEngine

@Suite struct EngineTests {
  /// The oracle is the specification; the engine sums in another order. Each
  /// instruction set has its share of the modules.
  @Test(arguments: 0..<300 as Range<UInt64>)
  func agreesWithTheOracle(seed: UInt64) throws {
    for (arithmetic, limit) in [(Arithmetic.float64, 1e-13), (.float32, 2e-5)] {
      let type = arithmetic.storage
      let random = try RandomModule(seed: seed, in: type, isLarge: seed % 10 == 0)
      let oracle = random.call.oracleOutputs
      let sets = InstructionSet.supported
      let engine = Engine.forwardPass(
        random.call, instructionSet: sets[Int(seed) % sets.count]
      ).outputs(for: random.input)
      #expect(engine.named.map(\.name) == oracle.named.map(\.name))
      for (ours, exact) in zip(engine.named, oracle.named) {
        #expect(ours.tensor.shape == exact.tensor.shape, "\(random) \(ours.name)")
        #expect(ours.tensor.elementType == type)
        let difference = zip(
          ours.tensor.elements(as: Double.self), exact.tensor.elements(as: Double.self)
        ).map { abs($0 - $1) / max(1, abs($1)) }  // ReLU is not bounded by 1
        #expect(
          difference.allSatisfy { $0 <= limit },
          "\(random) \(ours.name) differs by \(difference.max() ?? .nan)")
        #expect(difference.contains { _ in true }, "nothing was compared")
      }
    }
  }

  /// The random modules above reach every option that they are meant to reach.
  @Test func randomModulesCoverTheOptions() throws {
    let modules = try (0..<300 as Range<UInt64>).map { try RandomModule(seed: $0) }
    let features: [(String, (RandomModule) -> Bool)] = [
      ("LSTM", { $0.configuration.module == .lstm }),
      ("GRU", { $0.configuration.module == .gru }),
      ("RNN, tanh", { $0.configuration.module == .rnn && $0.configuration.nonlinearity == .tanh }),
      ("ReLU", { $0.configuration.nonlinearity == .relu }),
      ("LSTMCell", { $0.configuration.module == .lstmCell }),
      ("GRUCell", { $0.configuration.module == .gruCell }),
      ("RNNCell", { $0.configuration.module == .rnnCell }),
      ("projection", { $0.configuration.projSize > 0 }),
      (
        "stacked and bidirectional",
        {
          $0.configuration.numLayers > 1 && $0.configuration.bidirectional
        }
      ),
      ("no bias", { !$0.configuration.bias }),
      ("ragged", { Set($0.input.packing?.lengths ?? []).count > 1 }),
      ("total_length", { $0.input.packing?.totalLength != nil }),
      ("unbatched", { !$0.input.layout.isBatched }),
      ("one step", { $0.input.layout.steps == 1 }),
      ("no state", { $0.input.h0 == nil }),
    ]
    for (name, has) in features {
      #expect(modules.filter(has).count >= 10, "\(name)")
      #expect(modules.contains { !has($0) }, "\(name) everywhere")
    }
  }

  @Test func saturatesWithoutNaN() throws {
    let configuration = try RecurrentConfiguration(module: .lstm, inputSize: 1, hiddenSize: 2)
    var parameters: [String: Tensor] = [:]
    for parameter in configuration.parameters {
      let count = parameter.shape.elementCount
      parameters[parameter.name] = Tensor(
        (0..<count).map { $0 % 2 == 0 ? Float(1e4) : -1e4 }, shape: parameter.shape)
    }
    let stateDict = try StateDict(parameters, checkedAgainst: configuration)
    let input = try RecurrentInput(
      input: Tensor([1e4, -1e4, 1] as [Float], shape: [3, 1]), for: configuration)
    let outputs = Engine.forwardPass(
      RecurrentCall(configuration, stateDict, input, in: .float32)
    ).outputs(for: input)
    let output = try #require(outputs.output)
    #expect(output.elements(as: Float.self).allSatisfy { abs($0) <= 1 })
  }
}
