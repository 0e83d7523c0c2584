package import TensorCore

/// The parameters of a module by their names in `state_dict()`, known to be
/// all that its configuration has and no other, of one floating-point type.
package struct StateDict: Sendable {
  package let tensors: [String: Tensor]
  package let elementType: ElementType
  private let isCell: Bool

  /// - Throws: `InvalidValue`, naming the parameter, where one is missing, is not
  ///   the module's, or has another shape or type.
  package init(
    _ tensors: [String: Tensor], checkedAgainst configuration: RecurrentConfiguration
  ) throws(InvalidValue) {
    let parameters = configuration.parameters
    let type = tensors[parameters[0].name]?.elementType ?? .float32
    for parameter in parameters {
      let subject = "state_dict/" + parameter.name
      guard let tensor = tensors[parameter.name] else {
        throw InvalidValue(subject, expected: "a tensor \(parameter.shape)", found: "none")
      }
      guard tensor.shape == parameter.shape else {
        throw InvalidValue(
          subject, expected: "the shape \(parameter.shape)", found: "\(tensor.shape)")
      }
      guard tensor.elementType == type, type.isFloatingPoint else {
        let expected = type.isFloatingPoint ? "\(type), as \(parameters[0].name)" : "floats"
        throw InvalidValue(subject, expected: expected, found: "\(tensor.elementType)")
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

  /// - Returns: nil where the configuration has no such parameter.
  package subscript(
    role: ParameterSpecification.Role, layer: Int, direction: Direction
  ) -> Tensor? {
    tensors[ParameterSpecification.name(role, layer: layer, direction, isCell: isCell)]
  }
}
