/// Which sequence, step, layer, direction and unit an element of `output`, `h_n` or `c_n` belongs
/// to. Printed, it is "sequence 2, step 4, reverse, unit 0".
package struct ElementPlace: Sendable, Equatable {
  package let sequence: Int
  /// The step of an element of `output`; nil for an element of a state, which has no axis of
  /// steps.
  package let step: Int?
  /// The layer of an element of a state; nil for an element of `output`, which is always the last
  /// layer's, and in a cell, which has one layer.
  package let layer: Int?
  /// The direction; nil where the module has only one.
  package let direction: Direction?
  /// The element's number in the vector of its direction, counted from 0.
  package let unit: Int

  /// - Parameters:
  ///   - offset: the element's offset in its tensor, row-major.
  ///   - isOutput: whether the tensor is `output`; otherwise it is a state.
  ///   - features: the size of that tensor's last axis.
  ///   - contract: the layout that the tensor has.
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
