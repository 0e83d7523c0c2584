package import TensorComparison

/// What holds of any forward pass, whatever the reference says.
package enum Property: String, Sendable, CaseIterable {
  case absentStateIsZero
  case sequencesAreIndependent
  case runsCanBeSplit
  case directionsMirror

  package var statement: String {
    switch self {
    case .absentStateIsZero:
      "no initial state gives the same bits as zero initial states"
    case .sequencesAreIndependent:
      "each sequence gives the same bits alone as in the batch"
    case .runsCanBeSplit:
      "running the first steps, then the rest from the state reached, gives the same bits"
    case .directionsMirror:
      "mirrored parameters and sequences give the mirrored output"
    }
  }
}

/// A property, checked on a recurrent module of a case.
package struct PropertyFinding: Sendable {
  package let property: Property
  /// Its name in the chain; empty for a recurrent module by itself.
  package let module: String
  /// The tensors that were compared, by name; empty where the property does not
  /// apply to the case.
  package let differences: [(name: String, difference: TensorDifference)]

  package var statement: String {
    module.isEmpty ? property.statement : "\(module): \(property.statement)"
  }

  package var applies: Bool { !differences.isEmpty }
  package var holds: Bool { differences.allSatisfy(\.difference.agrees) }
}
