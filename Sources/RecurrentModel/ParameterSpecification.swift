package import TensorCore

/// A parameter that a module with some configuration has: its name in `state_dict()` and its
/// shape. It holds no numbers; these are in a `StateDict`.
package struct ParameterSpecification: Sendable, Equatable {
  /// The kind of parameter, which every layer and direction has one of; its raw value is the name
  /// without layer and direction.
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
  /// The name in `state_dict()`: `weight_ih_l0_reverse`, or `weight_ih` in a cell.
  package let name: String

  /// The name that the parameter of a role, a layer and a direction has in `state_dict()`.
  package static func name(
    _ role: Role, layer: Int, _ direction: Direction, isCell: Bool
  ) -> String {
    isCell
      ? role.rawValue : "\(role.rawValue)_l\(layer)" + (direction == .reverse ? "_reverse" : "")
  }
}

extension RecurrentConfiguration {
  /// All parameters that the module has, in the order of its `state_dict()`.
  ///
  /// With G gates the shapes are: `weight_ih` (G·H, I), `weight_hh` (G·H, P), both biases (G·H),
  /// and `weight_hr` (P, H) where there is a projection. In the layers after the first, I is D·P.
  ///
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
