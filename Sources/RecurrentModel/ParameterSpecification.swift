package import TensorCore

/// A parameter that a module has, under its name in `state_dict()`.
package struct ParameterSpecification: Sendable, Equatable {
  package enum Role: String, Sendable, CaseIterable {
    case weightIH = "weight_ih"
    case weightHH = "weight_hh"
    case biasIH = "bias_ih"
    case biasHH = "bias_hh"
    case weightHR = "weight_hr"
  }

  package let role: Role
  package let layer: Int
  package let direction: Direction
  package let shape: Shape
  /// As in `weight_ih_l0_reverse`; `weight_ih` in a cell.
  package let name: String

  package static func name(
    _ role: Role, layer: Int, _ direction: Direction, isCell: Bool
  ) -> String {
    isCell
      ? role.rawValue : "\(role.rawValue)_l\(layer)" + (direction == .reverse ? "_reverse" : "")
  }
}

extension RecurrentConfiguration {
  /// All parameters of the module, in the order of its `state_dict()`.
  ///
  /// With G gates: `weight_ih` (G·H, I), `weight_hh` (G·H, P), the biases (G·H),
  /// `weight_hr` (P, H); I is D·P in layers after the first.
  /// Source: PyTorch's documentation of each module, "Variables".
  package var parameters: [ParameterSpecification] {
    let rows = module.recurrence.gates.count * hiddenSize
    var all: [ParameterSpecification] = []
    for layer in 0..<numLayers {
      for direction in directions {
        func add(_ role: ParameterSpecification.Role, _ shape: Shape) {
          let name = ParameterSpecification.name(
            role, layer: layer, direction, isCell: module.isCell)
          all.append(
            .init(role: role, layer: layer, direction: direction, shape: shape, name: name))
        }
        add(.weightIH, [rows, inputSize(ofLayer: layer)])
        add(.weightHH, [rows, outputSize])
        if bias {
          add(.biasIH, [rows])
          add(.biasHH, [rows])
        }
        if projSize > 0 { add(.weightHR, [outputSize, hiddenSize]) }
      }
    }
    return all
  }
}
