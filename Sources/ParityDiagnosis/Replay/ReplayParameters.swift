import RecurrentModel
import TensorCore

extension Replay {
  /// Puts other tensors of the same shapes in the place of the module's parameters.
  ///
  /// - Parameter change: makes the tensor for one parameter. It is given the replay as it was
  ///   before; it returns nil for a parameter that stays as it is.
  mutating func changeParameters(_ change: (Replay, ParameterSpecification) -> Tensor?) {
    let current = self
    guard case .recurrent(let configuration, let stateDict, let select) = layer else { return }
    var tensors = stateDict.tensors
    for parameter in configuration.parameters {
      guard let changed = change(current, parameter) else { continue }
      if scope.includes(parameter) {
        narrowing.changes = true
        tensors[parameter.name] = changed.rounded(to: stateDict.elementType)
      } else {
        narrowing.keeps = true
      }
    }
    do {
      let changed = try StateDict(tensors, checkedAgainst: configuration)
      try setLayer(.recurrent(configuration, changed, select: select))
    } catch {
      preconditionFailure("a mistake built parameters that do not fit the module: \(error)")
    }
  }

  /// The tensor of one of the module's parameters.
  func tensor(_ parameter: ParameterSpecification) -> Tensor {
    guard let tensor = stateDict.tensors[parameter.name] else {
      preconditionFailure("a checked state_dict holds every parameter")
    }
    return tensor
  }

  /// The same parameter of another layer or direction; nil where there is none.
  func tensor(
    like parameter: ParameterSpecification, layer: Int? = nil, _ direction: Direction? = nil
  ) -> Tensor? {
    stateDict[parameter.role, layer ?? parameter.layer, direction ?? parameter.direction]
  }

  /// G, the number of gates.
  var gateCount: Int { recurrence.gates.count }

  /// The offsets of a gate's rows within a parameter.
  func block(_ gate: Int, of parameter: ParameterSpecification) -> Range<Int> {
    let size = parameter.shape.elementCount / gateCount
    return gate * size..<(gate + 1) * size
  }
}

extension ParameterSpecification {
  /// Whether its rows belong to gates.
  var hasGates: Bool { role != .weightHR }

  var isBias: Bool { role == .biasIH || role == .biasHH }
}

extension Tensor {
  /// The tensor of what `change` returns for each element, in float64.
  ///
  /// - Complexity: O(elements).
  func mapping(_ change: (_ offset: Int, Double) -> Double) -> Tensor {
    let elements: [Double] = elements()
    return Tensor(elements.indices.map { change($0, elements[$0]) }, shape: shape)
  }

  var zeros: Tensor { mapping { _, _ in 0 } }
}
