package import RecurrentModel
package import TensorCore

/// A case that failed, for whoever can say why.
package struct Failure: Sendable {
  package let chain: Chain
  /// Which of the sides differs from what the chain computes.
  package let side: Side
  /// What that side says; perhaps of other shapes than the chain's, and of a chain perhaps not
  /// all that its modules give.
  package let outputs: Results
  /// What the chain computes, in doubles.
  package let oracle: Results
  /// What that side was computed in, where that is known and not what the case asks for.
  package let arithmetic: Arithmetic?
  /// Of a chain, the first module whose own results differ, where that side gives them.
  package let firstDiffering: Int?

  package init(
    chain: Chain, side: Side, outputs: Results, oracle: Results, arithmetic: Arithmetic? = nil,
    firstDiffering: Int? = nil
  ) {
    self.chain = chain
    self.side = side
    self.outputs = outputs
    self.oracle = oracle
    self.arithmetic = arithmetic
    self.firstDiffering = firstDiffering
  }

  /// Whether the outputs have the shapes that the chain's have.
  package var hasShapes: Bool {
    outputs.named.allSatisfy { $0.tensor.shape == oracle[$0.name]?.shape }
  }
}

/// Whoever can say why a case failed.
package protocol Diagnosing: Sendable {
  /// - Returns: nil where there is nothing to say.
  func diagnose(_ failure: Failure) -> Diagnosis?
}

/// Why a case failed, as far as that can be told.
package struct Diagnosis: Sendable {
  /// Something under which the failing side is reproduced.
  package struct Explanation: Sendable {
    /// Of the mistakes that make it up.
    package let names: [String]
    /// One sentence that a user can act on.
    package let sentence: String

    package init(names: [String], sentence: String) {
      self.names = names
      self.sentence = sentence
    }
  }

  /// The likeliest first; several where they explain equally.
  package let explanations: [Explanation]
  /// Where the difference starts; only where nothing explains it.
  package let start: FaultPlace?
  /// What else there is to say where nothing explains it.
  package let suspicion: String?
  /// Coarser arithmetic which, once it is declared, would settle it.
  package let undeclared: Arithmetic?

  package init(
    explanations: [Explanation], start: FaultPlace? = nil, suspicion: String? = nil,
    undeclared: Arithmetic? = nil
  ) {
    self.explanations = explanations
    self.start = start
    self.suspicion = suspicion
    self.undeclared = undeclared
  }
}

/// Where a difference starts, as far as the outputs show it.
package struct FaultPlace: Sendable, Equatable {
  /// Of a chain, with its class: `bilstm (LSTM)`.
  package var module: String?
  package var sequence: Int?
  package var step: Int?
  package var layer: Int?
  package var direction: Direction?
  package var unit: Int?
  package var gate: String?
  /// What else the outputs tell.
  package var remark: String?

  package init() {}
}

extension FaultPlace: CustomStringConvertible {
  package var description: String {
    let parts: [String?] = [
      module, sequence.map { "sequence \($0)" }, step.map { "step \($0)" },
      layer.map { "layer \($0)" }, direction.map { "\($0)" }, unit.map { "unit \($0)" },
      gate.map { "gate \($0)" },
    ]
    let place = parts.compactMap(\.self).joined(separator: ", ")
    return [place, remark].compactMap(\.self).filter { !$0.isEmpty }.joined(separator: ": ")
  }
}
