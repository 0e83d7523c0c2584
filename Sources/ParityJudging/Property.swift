package import TensorComparison

/// What holds of any right forward pass, whatever the weights are, and so can be checked without
/// a reference.
package enum Property: String, Sendable, CaseIterable {
  /// Without initial states, a module starts from zeros.
  case absentStateIsZero
  /// No sequence depends on the others of its batch.
  case sequencesAreIndependent
  /// A run that stops at a step and goes on from its state gives what one run gives. It applies
  /// to one direction only.
  case runsCanBeSplit
  /// The two directions do the same, from opposite ends. It applies to two directions only.
  case directionsMirror

  /// The property as a sentence, for reports.
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

/// A property, checked on one recurrent module of a case.
package struct PropertyFinding: Sendable {
  package let property: Property
  /// The module's name in the chain; empty for a recurrent module by itself.
  package let module: String
  /// How the tensors differ that the property says are the same, by their names; empty where the
  /// property does not apply to the case.
  package let differences: [(name: String, difference: TensorDifference)]

  package var statement: String {
    module.isEmpty ? property.statement : "\(module): \(property.statement)"
  }

  package var applies: Bool { !differences.isEmpty }
  package var holds: Bool { differences.allSatisfy(\.difference.agrees) }
}
