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

/// What the name of a parameter tells: `weight_hh_l1_reverse` is the `weight_hh` of layer 1's
/// reverse direction.
struct ParameterName {
  let role: ParameterSpecification.Role
  let layer: Int
  let direction: Direction

  /// - Returns: nil for a name that no module has, of the two kinds that `isCell` tells apart.
  init?(_ name: String, isCell: Bool) {
    let isReverse = name.hasSuffix("_reverse")
    let forward = isReverse ? name.dropLast("_reverse".count) : name[...]
    let role = ParameterSpecification.Role.allCases.first { forward.hasPrefix($0.rawValue) }
    guard let role else { return nil }
    // No module has a layer of a larger number; the bound keeps the count from overflowing.
    let layer = isCell ? 0 : Int(forward.dropFirst(role.rawValue.count + "_l".count)) ?? -1
    guard 0..<(1 << 32) ~= layer else { return nil }
    (self.role, self.layer, direction) = (role, layer, isReverse ? .reverse : .forward)
    guard self.name(isCell: isCell) == name else { return nil }
  }

  private func name(isCell: Bool) -> String {
    ParameterSpecification.name(role, layer: layer, direction, isCell: isCell)
  }
}

extension RecurrentModule {
  /// The names of the parameters that every module of this class has, whatever its arguments.
  package var neededParameters: [String] {
    [.weightIH, .weightHH].map {
      ParameterSpecification.name($0, layer: 0, .forward, isCell: isCell)
    }
  }

  /// The name of a parameter at the end of a longer name, behind a dot or a slash:
  /// `weight_ih_l0` of `encoder.lstm.weight_ih_l0`; nil where the name ends in no recurrent
  /// module's parameter.
  package static func parameterName(endOf name: String) -> String? {
    let end = name.split(whereSeparator: { "./".contains($0) }).last.map(String.init) ?? name
    let isKnown = [false, true].contains { ParameterName(end, isCell: $0) != nil }
    return isKnown ? end : nil
  }
}

extension RecurrentConfiguration {
  /// The shape of a parameter. With G gates it is (G·H, I) of `weight_ih`, (G·H, P) of
  /// `weight_hh`, (G·H) of both biases, and (P, H) of `weight_hr`. In the layers after the first,
  /// I is D·P.
  ///
  /// Source: PyTorch's documentation of each module, "Variables".
  func shape(of role: ParameterSpecification.Role, layer: Int) -> Shape {
    let rows = module.recurrence.gates.count * hiddenSize
    return switch role {
    case .weightIH: [rows, inputSize(ofLayer: layer)]
    case .weightHH: [rows, outputSize]
    case .biasIH, .biasHH: [rows]
    case .weightHR: [outputSize, hiddenSize]
    }
  }

  /// All parameters that the module has, in the order of its `state_dict()`. There is a
  /// `weight_hr` where there is a projection.
  package var parameters: [ParameterSpecification] {
    var all: [ParameterSpecification] = []
    for layer in 0..<numLayers {
      for direction in directions {
        func add(_ role: ParameterSpecification.Role) {
          let shape = shape(of: role, layer: layer)
          let name = ParameterSpecification.name(
            role, layer: layer, direction, isCell: module.isCell)
          all.append(
            .init(role: role, layer: layer, direction: direction, shape: shape, name: name))
        }
        add(.weightIH)
        add(.weightHH)
        if bias {
          add(.biasIH)
          add(.biasHH)
        }
        if projSize > 0 { add(.weightHR) }
      }
    }
    return all
  }
}
