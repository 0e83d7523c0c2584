/// Which unit of the module an element of a result belongs to.
package struct ElementPlace: Sendable, Equatable {
  package let sequence: Int
  /// nil in a state.
  package let step: Int?
  /// nil in `output`, which is the last layer's, and in a cell.
  package let layer: Int?
  /// nil where there is only one.
  package let direction: Direction?
  package let unit: Int

  /// - Parameters:
  ///   - offset: row-major.
  ///   - isOutput: whether the tensor is `output`, and not a state.
  ///   - features: the last axis of that tensor.
  package init(of offset: Int, isOutput: Bool, features: Int, _ contract: LayoutContract) {
    let (row, feature) = offset.quotientAndRemainder(dividingBy: features)
    if isOutput {
      let position = contract.layout.position(ofRow: row)
      sequence = position.sequence
      step = position.step
      layer = nil
      direction = Self.direction(feature / contract.outputSize, contract)
      unit = feature % contract.outputSize
    } else {
      let (stateRow, sequence) = row.quotientAndRemainder(dividingBy: contract.layout.batch)
      self.sequence = sequence
      step = nil
      layer = contract.layout.isCell ? nil : stateRow / contract.directions
      direction = Self.direction(stateRow % contract.directions, contract)
      unit = feature
    }
  }

  private static func direction(_ number: Int, _ contract: LayoutContract) -> Direction? {
    contract.directions == 1 ? nil : Direction(rawValue: number)
  }
}

extension ElementPlace: CustomStringConvertible {
  package var description: String {
    var parts = ["sequence \(sequence)"]
    if let step { parts.append("step \(step)") }
    if let layer { parts.append("layer \(layer)") }
    if let direction { parts.append("\(direction)") }
    return (parts + ["unit \(unit)"]).joined(separator: ", ")
  }
}
