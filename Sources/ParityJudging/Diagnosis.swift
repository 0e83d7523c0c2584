package import RecurrentModel
import TensorCore

/// A case that failed, as a `Diagnosing` is given it: what was to be computed, and which side
/// says something else.
package struct Failure: Sendable {
  package let chain: Chain
  /// The side that differs from what the chain computes: the reference, or the subject.
  package let side: Side
  /// The results of that side. Their shapes may be other than the chain's, and of a chain's
  /// intermediate results some may be missing.
  package let outputs: Results
  /// The right results: what the chain computes, in doubles.
  package let oracle: Results
  /// What is stated of how that side was computed, beside what the case says.
  package let stated: StatedComputation
  /// The place in the chain of the first module whose own results differ; nil in a case of one
  /// module, and where the results do not tell.
  package let firstDiffering: Int?

  package init(
    chain: Chain, side: Side, outputs: Results, oracle: Results,
    stated: StatedComputation = StatedComputation(),
    firstDiffering: Int? = nil
  ) {
    self.chain = chain
    self.side = side
    self.outputs = outputs
    self.oracle = oracle
    self.stated = stated
    self.firstDiffering = firstDiffering
  }

  /// The same failure of somebody who runs all steps of a stream at once.
  package var atOnce: Failure {
    Failure(
      chain: chain.withoutChunks, side: side, outputs: outputs, oracle: oracle, stated: stated,
      firstDiffering: firstDiffering)
  }

  /// Whether all outputs have the shapes that they should have.
  package var hasShapes: Bool {
    outputs.named.allSatisfy { $0.tensor.shape == oracle[$0.name]?.shape }
  }
}

/// Something that can say why a case failed. The judge knows no more of it than this;
/// `Diagnostician`, in `ParityDiagnosis`, is the one that knows the mistakes.
package protocol Diagnosing: Sendable {
  /// - Returns: nil where there is nothing to say.
  func diagnose(_ failure: Failure) -> Diagnosis?
}

/// Why a case failed, as far as that can be told: either mistakes that explain it, or where the
/// difference starts.
package struct Diagnosis: Sendable {
  /// One or more mistakes that, made together, give the failing outputs.
  package struct Explanation: Sendable {
    /// The names of the mistakes, such as `gates-iofg`.
    package let names: [String]
    /// One sentence that a user can act on.
    package let sentence: String

    package init(names: [String], sentence: String) {
      self.names = names
      self.sentence = sentence
    }
  }

  /// The explanations that are found, the likeliest first. There are several where they explain
  /// the failure equally well, and none where nothing does.
  package let explanations: [Explanation]
  /// Where the difference starts; only where there is no explanation.
  package let start: FaultPlace?
  /// What is right of the results where there is no explanation, and what that tells; each a
  /// clause.
  package let observations: [String]
  /// The pairs of mistakes that were not tried because the effort did not allow it; nil where the
  /// whole search was made.
  package let untried: UntriedPairs?
  /// What else there is to say where there is no explanation, as a sentence.
  package let suspicion: String?
  /// How the outputs seem to have been computed, where the case does not say so. Once the case,
  /// or the user, states it, the case may pass.
  package let undeclared: StatedComputation?

  package init(
    explanations: [Explanation], start: FaultPlace? = nil, observations: [String] = [],
    untried: UntriedPairs? = nil, suspicion: String? = nil,
    undeclared: StatedComputation? = nil
  ) {
    self.explanations = explanations
    self.start = start
    self.observations = observations
    self.untried = untried
    self.suspicion = suspicion
    self.undeclared = undeclared
  }
}

/// How much of a search for two mistakes that were made together was left out.
package struct UntriedPairs: Sendable, Equatable {
  /// The pairs that were tried, the likeliest ones.
  package let tried: Int
  /// All pairs that there are.
  package let all: Int
  /// Whether a larger effort would try more of them.
  package let isExtensible: Bool

  package init(tried: Int, all: Int, isExtensible: Bool) {
    self.tried = tried
    self.all = all
    self.isExtensible = isExtensible
  }
}

/// Where a difference starts. What the outputs do not tell is nil. Printed, it is "sequence 2,
/// step 4, layer 0, reverse, unit 0".
package struct FaultPlace: Sendable, Equatable {
  /// The name and the class of the module of a chain: `bilstm (LSTM)`.
  package var module: String?
  package var sequence: Int?
  package var step: Int?
  package var layer: Int?
  package var direction: Direction?
  package var unit: Int?
  package var gate: String?
  /// What else the outputs tell, as a sentence or less.
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
