import BiLSTM
import Foundation
import ParityTesting

/// Makes the layer of a case's parameters and runs it over the case's batch.
struct BiLSTMImplementation: FixtureImplementation {
  private let module: Fixture.Module
  private let layer: BiLSTM

  /// What this package can compute, of all that PyTorch can.
  static func supports(_ fixture: Fixture) -> Bool {
    guard let module = fixture.module, fixture.arithmetic == .float32 else { return false }
    return module.name == .lstm && module.bidirectional && module.numLayers == 1
      && module.projSize == 0 && module.bias && module.isBatched && !module.isPacked
  }

  static let fixtures =
    ProcessInfo.processInfo.environment["FIXTURES"]
    ?? URL(filePath: #filePath).deletingLastPathComponent()
    .appending(path: "../../../../Fixtures").standardizedFileURL.path

  init(_ fixture: Fixture) throws {
    guard let module = fixture.module else { throw Unsupported(fixture: fixture.name) }
    func parameter(_ name: String) throws -> [Float] {
      guard let tensor = fixture.stateDict[name] else { throw Unsupported(fixture: name) }
      return tensor.floats
    }
    func direction(_ ending: String) throws -> LSTMDirection {
      LSTMDirection(
        hiddenSize: module.hiddenSize,
        weightIH: try parameter("weight_ih_l0" + ending),
        weightHH: try parameter("weight_hh_l0" + ending),
        biasIH: try parameter("bias_ih_l0" + ending),
        biasHH: try parameter("bias_hh_l0" + ending))
    }
    self.module = module
    layer = BiLSTM(forward: try direction(""), reverse: try direction("_reverse"))
  }

  func outputs(for fixture: Fixture) throws -> [String: FixtureTensor] {
    guard let input = fixture.input else { throw Unsupported(fixture: fixture.name) }
    let (size, hidden) = (module.inputSize, module.hiddenSize)
    let batch = input.shape[module.batchFirst ? 0 : 1]
    let steps = input.shape[module.batchFirst ? 1 : 0]
    func row(_ sequence: Int, _ step: Int) -> Int {
      module.batchFirst ? sequence * steps + step : step * batch + sequence
    }
    let numbers = input.floats
    var output = [Float](repeating: 0, count: batch * steps * 2 * hidden)
    var states = (h: [Float](), c: [Float]())
    states.h = fixture.h0?.floats ?? Array(repeating: 0, count: 2 * batch * hidden)
    states.c = fixture.c0?.floats ?? states.h.map { _ in 0 }
    for sequence in 0..<batch {
      func place(_ direction: Int) -> Range<Int> {
        let start = (direction * batch + sequence) * hidden
        return start..<start + hidden
      }
      func state(_ direction: Int) -> BiLSTM.State {
        (Array(states.h[place(direction)]), Array(states.c[place(direction)]))
      }
      let vectors = (0..<steps).map { step in
        Array(numbers[row(sequence, step) * size..<(row(sequence, step) + 1) * size])
      }
      let result = layer(vectors, from: (state(0), state(1)))
      for (step, vector) in result.output.enumerated() {
        let start = row(sequence, step) * 2 * hidden
        output.replaceSubrange(start..<start + 2 * hidden, with: vector)
      }
      for (direction, final) in [result.final.0, result.final.1].enumerated() {
        states.h.replaceSubrange(place(direction), with: final.h)
        states.c.replaceSubrange(place(direction), with: final.c)
      }
    }
    let stateShape = [2, batch, hidden]
    return [
      "output": try FixtureTensor(output, shape: Array(input.shape.dropLast()) + [2 * hidden]),
      "h_n": try FixtureTensor(states.h, shape: stateShape),
      "c_n": try FixtureTensor(states.c, shape: stateShape),
    ]
  }

  struct Unsupported: Error {
    let fixture: String
  }
}
