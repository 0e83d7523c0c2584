import ParityJudging
import RecurrentModel
import TensorCore

/// A bug that the audit plants into a case: a known mistake, or a number that is off.
struct Plant: Sendable {
  /// The row of the audit's table: a mistake's name, or the kind of number.
  let kind: String
  /// What exactly, within its kind; empty where the kind says it all.
  let detail: String
  let change: @Sendable (inout Replay) throws(NotApplicable) -> Void

  /// What the wrong implementation would give, as the case stores its outputs.
  func outputs(of call: RecurrentCall) throws(NotApplicable) -> RecurrentOutput {
    var replay = Replay(call)
    try change(&replay)
    return replay.outputs().stored(in: call.arithmetic)
  }

  static let mistakes = Mistake.all.map { mistake in
    Plant(kind: mistake.name, detail: "", change: mistake.change)
  }

  /// ±10% in the largest element of each parameter tensor.
  static func numbers(in call: RecurrentCall) -> [Plant] {
    call.configuration.parameters.flatMap { parameter in
      [1.1, 0.9].map { factor in
        let sign = factor > 1 ? "+10%" : "-10%"
        return Plant(
          kind: "largest \(parameter.role.rawValue) \(sign)", detail: parameter.name
        ) { replay throws(NotApplicable) in
          if parameter.role == .weightHH { try replay.requireHiddenStates() }
          let tensor = replay.tensor(parameter)
          guard let largest = tensor.largest else {
            throw NotApplicable("all of \(parameter.name) is 0", needs: "parameters other than 0")
          }
          replay.changeParameters {
            $0.name == parameter.name
              ? tensor.mapping { $0 == largest ? $1 * factor : $1 } : nil
          }
        }
      }
    }
  }

  /// Changes as small as rounding, which every case must let pass.
  static let controls: [Plant] = [
    Plant(kind: "control", detail: "doubles, rounded once") { _ throws(NotApplicable) in },
    Plant(kind: "control", detail: "the sums in another order") { replay throws(NotApplicable) in
      try replay.require(
        replay.configuration.inputSize > 1, "there is one input feature",
        needs: "several input features")
      replay.reverseFeatures()
    },
  ]
}

extension Tensor {
  /// The offset of the finite element that is largest in magnitude; nil where none is
  /// other than 0.
  fileprivate var largest: Int? {
    let magnitudes: [Double] = elements().map { abs($0) }
    let largest = magnitudes.indices.filter { magnitudes[$0].isFinite }
      .max { magnitudes[$0] < magnitudes[$1] }
    return largest.flatMap { magnitudes[$0] > 0 ? $0 : nil }
  }
}

extension RecurrentOutput {
  /// As a module of this arithmetic returns it.
  func stored(in arithmetic: Arithmetic) -> RecurrentOutput {
    func stored(_ tensor: Tensor) -> Tensor { tensor.rounded(to: arithmetic.storage) }
    return RecurrentOutput(output: output.map(stored), hN: stored(hN), cN: cN.map(stored))
  }
}

extension Replay {
  /// The input's features, and the first layer's columns for them, in reverse order.
  fileprivate mutating func reverseFeatures() {
    let current = self
    let size = configuration.inputSize
    func reversed(_ tensor: Tensor) -> Tensor {
      let offsets = (0..<tensor.count).map { $0 / size * size + size - 1 - $0 % size }
      return tensor.gathering(offsets, shape: tensor.shape)
    }
    changeParameters { parameter in
      parameter.role == .weightIH && parameter.layer == 0
        ? reversed(current.tensor(parameter)) : nil
    }
    setInput(
      reversed(current.input.input), h0: input.h0, c0: input.c0, packing: input.packing)
  }
}
