package import TensorCore

/// The parameters of a module by their names in `state_dict()`. They are known to be all that the
/// module's configuration has and no others, to be of the right shapes, and to be of one
/// floating-point type.
///
/// ```swift
/// let stateDict = try StateDict(tensors, checkedAgainst: configuration)
/// let weight = stateDict[.weightIH, 0, .reverse]  // weight_ih_l0_reverse
/// ```
package struct StateDict: Sendable {
  package private(set) var tensors: [String: Tensor]
  package let elementType: ElementType
  private let isCell: Bool

  /// - Throws: `InvalidValue`, naming the parameter, where one is missing, is not the module's,
  ///   or has another shape or type.
  /// - Complexity: O(parameters), whatever their sizes.
  package init(
    _ tensors: [String: Tensor], checkedAgainst configuration: RecurrentConfiguration
  ) throws(InvalidValue) {
    let parameters = configuration.parameters
    let type = tensors[parameters[0].name]?.elementType ?? .float32
    for parameter in parameters {
      let name = "state_dict/" + parameter.name
      guard let tensor = tensors[parameter.name] else {
        throw InvalidValue(name, expected: "a tensor \(parameter.shape)", found: "none")
      }
      guard tensor.shape == parameter.shape else {
        throw InvalidValue(
          name, expected: "the shape \(parameter.shape)", found: "\(tensor.shape)")
      }
      guard tensor.elementType == type, type.isFloatingPoint else {
        let expected = type.isFloatingPoint ? "\(type), as \(parameters[0].name)" : "floats"
        throw InvalidValue(name, expected: expected, found: "\(tensor.elementType)")
      }
    }
    let known = Set(parameters.map(\.name))
    if let extra = tensors.keys.filter({ !known.contains($0) }).min() {
      throw InvalidValue(
        "state_dict/" + extra, expected: "no such parameter in this configuration",
        found: "a tensor \(tensors[extra]?.shape ?? [])")
    }
    self.tensors = tensors
    elementType = type
    isCell = configuration.module.isCell
  }

  /// The same parameters with other numbers, of the same types and shapes.
  package func mapping(_ change: (_ name: String, Tensor) -> Tensor) -> StateDict {
    var copy = self
    copy.tensors = Dictionary(uniqueKeysWithValues: tensors.map { ($0, change($0, $1)) })
    precondition(copy.tensors.allSatisfy { $1.shape == tensors[$0]?.shape })
    return copy
  }

  /// The parameter of a role, a layer and a direction; nil where the configuration has none, as
  /// without biases.
  package subscript(
    role: ParameterSpecification.Role, layer: Int, direction: Direction
  ) -> Tensor? {
    tensors[ParameterSpecification.name(role, layer: layer, direction, isCell: isCell)]
  }
}
