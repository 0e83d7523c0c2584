import RealModule
import RecurrentModel
import TensorCore

/// One direction of one layer, its weights packed.
struct PackedCell<Scalar: FloatingElement & Real>: Sendable {
  private let recurrence: Recurrence
  private let nonlinearity: Nonlinearity
  private let weightIH: PackedMatrix<Scalar>
  private let weightHH: PackedMatrix<Scalar>
  private let biasIH: [Scalar]
  private let biasHH: [Scalar]
  private let weightHR: PackedMatrix<Scalar>?

  init(
    _ configuration: RecurrentConfiguration, _ stateDict: StateDict, layer: Int,
    _ direction: Direction
  ) {
    guard let weightIH = stateDict[.weightIH, layer, direction],
      let weightHH = stateDict[.weightHH, layer, direction]
    else { preconditionFailure("a checked state_dict holds every weight") }
    func bias(_ role: ParameterSpecification.Role) -> [Scalar] {
      stateDict[role, layer, direction]?.elements()
        ?? Array(repeating: 0, count: weightIH.shape.axes[0])
    }
    recurrence = configuration.module.recurrence
    nonlinearity = configuration.nonlinearity
    self.weightIH = PackedMatrix(weightIH)
    self.weightHH = PackedMatrix(weightHH)
    biasIH = bias(.biasIH)
    biasHH = bias(.biasHH)
    weightHR = stateDict[.weightHR, layer, direction].map { PackedMatrix($0) }
  }

  private var hiddenSize: Int { weightIH.rows / recurrence.gates.count }
  private var outputSize: Int { weightHH.columns }

  /// Runs over the whole batch, each sequence over its own length, and writes
  /// this direction's part of every vector of `output`.
  ///
  /// - Parameter state: at first the initial one, at last the final one.
  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  func run(
    over input: TimeMajor<Scalar>, lengths: [Int], _ direction: Direction,
    into output: inout TimeMajor<Scalar>, state: inout EngineState<Scalar>
  ) {
    var workspace = Workspace(rows: weightIH.rows, hidden: hiddenSize)
    let half = direction.rawValue * outputSize
    for position in 0..<input.steps {
      let step = direction == .forward ? position : input.steps - 1 - position
      for sequence in 0..<input.batch where step < lengths[sequence] {
        advance(
          input, start: input.start(step: step, sequence: sequence), sequence: sequence,
          state: &state, &workspace)
        let start = output.start(step: step, sequence: sequence) + half
        let h = sequence * outputSize
        for unit in 0..<outputSize { output.elements[start + unit] = state.h[h + unit] }
      }
    }
  }

  /// One step of one sequence.
  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  private func advance(
    _ input: TimeMajor<Scalar>, start: Int, sequence: Int, state: inout EngineState<Scalar>,
    _ workspace: inout Workspace
  ) {
    let (hidden, size) = (hiddenSize, outputSize)
    for row in 0..<weightIH.rows {
      workspace.fromInput[row] = biasIH[row]
      workspace.fromHidden[row] = biasHH[row]
    }
    input.elements.withUnsafeBufferPointer { x in
      state.h.withUnsafeMutableBufferPointer { h in
        state.c.withUnsafeMutableBufferPointer { c in
          workspace.withBuffers { fromInput, fromHidden, unprojected in
            guard let x = x.baseAddress, let h = h.baseAddress else { return }
            let ownH = h + sequence * size
            weightIH.addProduct(with: x + start, to: fromInput)
            weightHH.addProduct(with: ownH, to: fromHidden)
            switch recurrence {
            case .lstm:
              guard let c = c.baseAddress else { return }
              let target = weightHR == nil ? ownH : unprojected
              lstm(fromInput, fromHidden, c + sequence * hidden, target)
              if let weightHR {
                for unit in 0..<size { ownH[unit] = 0 }
                weightHR.addProduct(with: unprojected, to: ownH)
              }
            case .gru: gru(fromInput, fromHidden, ownH)
            case .rnn: rnn(fromInput, fromHidden, ownH)
            }
          }
        }
      }
    }
  }

  /// `c` and `h` of the step, out of the gates' two sums.
  @inline(__always)
  private func lstm(
    _ fromInput: UnsafeMutablePointer<Scalar>, _ fromHidden: UnsafeMutablePointer<Scalar>,
    _ c: UnsafeMutablePointer<Scalar>, _ h: UnsafeMutablePointer<Scalar>
  ) {
    let count = hiddenSize
    for unit in 0..<count {
      let i = sigmoid(fromInput[unit] + fromHidden[unit])
      let f = sigmoid(fromInput[count + unit] + fromHidden[count + unit])
      let g = Scalar.tanh(fromInput[2 * count + unit] + fromHidden[2 * count + unit])
      let o = sigmoid(fromInput[3 * count + unit] + fromHidden[3 * count + unit])
      c[unit] = f * c[unit] + i * g
      h[unit] = o * Scalar.tanh(c[unit])
    }
  }

  @inline(__always)
  private func gru(
    _ fromInput: UnsafeMutablePointer<Scalar>, _ fromHidden: UnsafeMutablePointer<Scalar>,
    _ h: UnsafeMutablePointer<Scalar>
  ) {
    let count = hiddenSize
    for unit in 0..<count {
      let r = sigmoid(fromInput[unit] + fromHidden[unit])
      let z = sigmoid(fromInput[count + unit] + fromHidden[count + unit])
      let n = Scalar.tanh(fromInput[2 * count + unit] + r * fromHidden[2 * count + unit])
      h[unit] = (1 - z) * n + z * h[unit]
    }
  }

  @inline(__always)
  private func rnn(
    _ fromInput: UnsafeMutablePointer<Scalar>, _ fromHidden: UnsafeMutablePointer<Scalar>,
    _ h: UnsafeMutablePointer<Scalar>
  ) {
    switch nonlinearity {
    case .tanh:
      for unit in 0..<hiddenSize { h[unit] = .tanh(fromInput[unit] + fromHidden[unit]) }
    case .relu:
      for unit in 0..<hiddenSize {
        let sum = fromInput[unit] + fromHidden[unit]
        h[unit] = sum < 0 ? 0 : sum  // NaN is not below 0, and stays
      }
    }
  }

  @inline(__always)
  private func sigmoid(_ x: Scalar) -> Scalar { 1 / (1 + .exp(-x)) }
}

extension PackedCell {
  /// What a step needs and no later step reads.
  private struct Workspace {
    var fromInput: [Scalar]  // (G·H): W_ih x + b_ih
    var fromHidden: [Scalar]  // (G·H): W_hh h + b_hh
    var unprojected: [Scalar]  // (H): o ⊙ tanh(c), before a projection

    init(rows: Int, hidden: Int) {
      fromInput = Array(repeating: 0, count: rows)
      fromHidden = Array(repeating: 0, count: rows)
      unprojected = Array(repeating: 0, count: hidden)
    }

    mutating func withBuffers(
      _ body: (
        UnsafeMutablePointer<Scalar>, UnsafeMutablePointer<Scalar>, UnsafeMutablePointer<Scalar>
      ) -> Void
    ) {
      fromInput.withUnsafeMutableBufferPointer { a in
        fromHidden.withUnsafeMutableBufferPointer { b in
          unprojected.withUnsafeMutableBufferPointer { c in
            guard let a = a.baseAddress, let b = b.baseAddress, let c = c.baseAddress else {
              return
            }
            body(a, b, c)
          }
        }
      }
    }
  }
}
