import Foundation

/// One layer of an LSTM in two directions.
public struct BiLSTM {
  private let forward: LSTMDirection
  private let reverse: LSTMDirection

  public init(forward: LSTMDirection, reverse: LSTMDirection) {
    self.forward = forward
    self.reverse = reverse
  }

  public typealias Sequence = [[Float]]
  public typealias State = (h: [Float], c: [Float])

  /// The two directions' h side by side at each step, and the state that each ends in.
  public func callAsFunction(
    _ sequence: Sequence, from states: (State, State)
  ) -> (output: Sequence, final: (State, State)) {
    let ahead = forward.run(sequence, from: states.0)
    let back = reverse.run(sequence.reversed(), from: states.1)
    let output = zip(ahead.steps, back.steps.reversed()).map { $0 + $1 }
    return (output, (ahead.final, back.final))
  }
}

/// One direction's parameters, the gates' blocks in PyTorch's order.
public struct LSTMDirection {
  public let hiddenSize: Int
  private let weightIH, weightHH, bias: [Float]

  /// - Parameters:
  ///   - weightIH: (4·H, I), row-major; weightHH (4·H, H); both biases (4·H).
  public init(
    hiddenSize: Int, weightIH: [Float], weightHH: [Float], biasIH: [Float], biasHH: [Float]
  ) {
    self.hiddenSize = hiddenSize
    self.weightIH = weightIH
    self.weightHH = weightHH
    bias = zip(biasIH, biasHH).map { $0 + $1 }
  }

  func run(
    _ sequence: [[Float]], from state: BiLSTM.State
  ) -> (steps: [[Float]], final: BiLSTM.State) {
    var state = state
    let steps = sequence.map { x in
      state = step(x, state)
      return state.h
    }
    return (steps, state)
  }

  private func step(_ x: [Float], _ state: BiLSTM.State) -> BiLSTM.State {
    let sums = bias.indices.map { row in
      bias[row] + dot(weightIH, row, x) + dot(weightHH, row, state.h)
    }
    func gate(_ number: Int) -> ArraySlice<Float> {
      sums[number * hiddenSize..<(number + 1) * hiddenSize]
    }
    let (input, forget, candidate, output) = (gate(0), gate(1), gate(2), gate(3))
    let kept = zip(forget, state.c).map { sigmoid($0) * $1 }
    let added = zip(input, candidate).map { sigmoid($0) * tanh($1) }
    let c = zip(kept, added).map { $0 + $1 }
    return (zip(output, c).map { sigmoid($0) * tanh($1) }, c)
  }

  private func dot(_ matrix: [Float], _ row: Int, _ x: [Float]) -> Float {
    var sum: Float = 0
    for (column, value) in x.enumerated() { sum += matrix[row * x.count + column] * value }
    return sum
  }

  private func sigmoid(_ x: Float) -> Float {
    let e = exp(-abs(x))
    return x < 0 ? e / (1 + e) : 1 / (1 + e)
  }
}
