package import ParityJudging
import RecurrentModel
import TensorCore

/// Says why a case failed: it replays the case under each known mistake, alone and in pairs,
/// and names those under which the failing side is reproduced.
package struct Diagnostician: Diagnosing {
  /// How long to look.
  package enum Effort: String, Sendable, CaseIterable {
    case off
    /// Some seconds.
    case fast
    /// A minute or so.
    case full

    /// In multiplications of doubles.
    var budget: Double {
      switch self {
      case .off: 0
      case .fast: 1e9
      case .full: 5e10
      }
    }
  }

  let effort: Effort

  package init(_ effort: Effort) { self.effort = effort }

  package func diagnose(_ failure: Failure) -> Diagnosis? {
    guard effort != .off, failure.oracle.named.contains(where: { $0.tensor.count > 0 }) else {
      return nil
    }
    let whole = Evidence(failure)
    let sample = failure.hasShapes ? whole.sample(work: effort.budget / 1000) : whole
    let precision = failure.hasShapes ? PrecisionDetection(whole) : nil
    if let storage = precision?.storage { return storage }
    let text = ExplanationText(failure)
    let search = MistakeSearch(
      screening: failure.hasShapes ? whole.sample(work: 0) : whole, sample: sample, whole: whole,
      budget: effort.budget)
    let own = failure.ofFirstDiffering
    let singles = search.singles(
      PlacedMistake.all(in: failure.chain, suspects: failure.suspects).filter {
        own == nil || !$0.isOfOneRecurrentModule
      })
    let matches = search.verified(singles)
    guard matches.isEmpty else { return text.diagnosis(matches) }
    if let remark = blank(failure) { return Diagnosis(explanations: [], suspicion: remark) }
    // Of a chain, what is wrong within the first module that differs.
    if let (module, own) = own { return diagnose(own)?.within(module) }
    if let explanation = precision?.explanation { return explanation }
    let pairs = search.pairs(of: singles)
    guard pairs.isEmpty else { return text.diagnosis(pairs) }
    switch search.nearest(of: singles) {
    case .together(let matches): return text.diagnosis(matches)
    case .alone(let mistake, let residual):
      return text.diagnosis(mistake, residual: residual)
    case nil: break
    }
    let isPlaced = failure.hasShapes && failure.chain.isSingleModule
    return Diagnosis(
      explanations: [], start: isPlaced ? FaultSearch(sample)?.place() : nil,
      suspicion: precision?.suspicion?.sentence,
      undeclared: precision?.suspicion?.arithmetic)
  }

  /// What is to be said of outputs that hold one value everywhere; nil of any other.
  private func blank(_ failure: Failure) -> String? {
    func areAll(_ holds: (Double) -> Bool) -> Bool {
      failure.outputs.named.allSatisfy { _, tensor in
        tensor.withElements(as: Double.self) { $0.allSatisfy(holds) }
      }
    }
    func told(_ value: String) -> String {
      "every element of the \(failure.side.rawValue) is \(value): was anything written?"
    }
    if areAll({ $0 == 0 }) { return told("0") }
    return areAll(\.isNaN) ? told("NaN") : nil
  }
}
