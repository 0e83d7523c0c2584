package import ParityJudging
import RecurrentModel
import TensorCore

/// Says why a case failed: it replays the case with each known mistake made in it, alone and then
/// in pairs, and names those that give the failing outputs.
///
/// ```swift
/// let judge = Judge(diagnostician: Diagnostician(.fast))
/// let result = await judge.judge(location)
/// result.diagnosis?.explanations.first?.sentence
/// // the engine is reproduced to 1.5σ with bias_hh left out …
/// ```
///
/// It does not decide whether a case fails, nor change how it ends.
package struct Diagnostician: Diagnosing {
  /// How much may be computed to find the mistake. What is found depends on the case and on this
  /// alone, not on how fast the machine is.
  package enum Effort: String, Sendable, CaseIterable {
    /// Look for nothing.
    case off
    /// Try all single mistakes, and as many pairs as 10⁹ multiplications allow: some seconds for
    /// a large case, and milliseconds for most.
    case fast
    /// Try all single mistakes, and as many pairs as 5·10¹⁰ multiplications allow: up to a minute
    /// or so.
    case full

    /// What the pairs may cost, in multiplications. Single mistakes may cost a hundred times as
    /// much.
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

  /// Looks for the mistake.
  ///
  /// - Returns: nil where the effort is `.off`, and where there is no number to go by.
  /// - Complexity: O(known mistakes) forward passes on a few sequences, then O(pairs) of them
  ///   within the budget, and O(17 forward passes) for each candidate that is verified.
  package func diagnose(_ failure: Failure) -> Diagnosis? {
    let diagnosis = search(failure)
    guard failure.chain.input.chunks != nil, diagnosis?.explanations.isEmpty != false else {
      return diagnosis
    }
    // Of a stream, results may have been computed at once, with a mistake in all steps at once.
    let atOnce = search(failure.atOnce)
    return atOnce?.explanations.isEmpty == false ? atOnce : diagnosis
  }

  private func search(_ failure: Failure) -> Diagnosis? {
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
    // A tanh made from a sigmoid errs like any that is absolutely accurate.
    let isOnlyAccuracy = matches.allSatisfy { $0.mistakes.allSatisfy(\.isOfAccuracy) }
    if isOnlyAccuracy, let accuracy = precision?.absoluteActivations {
      return Diagnosis(
        explanations: accuracy.explanations + text.diagnosis(matches).explanations,
        undeclared: accuracy.undeclared)
    }
    guard matches.isEmpty else { return text.diagnosis(matches) }
    if failure.hasShapes, let dropout = Dropout(whole) {
      return dropout.diagnosis(of: failure.side)
    }
    if let remark = blank(failure) { return Diagnosis(explanations: [], suspicion: remark) }
    // In a chain, something is wrong within the first module that differs: it is diagnosed as a
    // case of its own.
    if let (module, own) = own { return diagnose(own)?.within(module) }
    if let explanation = precision?.explanation { return explanation }
    let faults = failure.hasShapes && failure.chain.isSingleModule ? FaultSearch(sample) : nil
    let clues = faults.map { Clues(sample, $0) } ?? Clues()
    let measured = search.singles(PlacedMistake.measured(in: failure.chain, clues))
    if let faults {
      let scoped = search.singles(
        PlacedMistake.scoped(in: failure.chain, wrong: faults.firstWrongStates))
      let particular = MistakeSearch.widest(
        search.verified(MistakeSearch.ordered(measured + scoped)))
      guard particular.isEmpty else { return text.diagnosis(particular) }
    }
    // Beside another mistake, nobody knows where this one shows first.
    let everywhere = search.singles(PlacedMistake.inPlaces(of: failure.chain))
    let pairs = search.pairs(of: singles, beside: MistakeSearch.ordered(measured + everywhere))
    guard pairs.matches.isEmpty else { return text.diagnosis(pairs.matches) }
    switch search.nearest(of: singles) {
    case .together(let matches): return text.diagnosis(matches)
    case .alone(let mistake, let residual):
      return text.diagnosis(mistake, residual: residual)
    case nil: break
    }
    let parts = faults.map(RightParts.init)
    return Diagnosis(
      explanations: [], start: faults?.place(), observations: parts?.clauses ?? [],
      untried: parts?.isOneElement == true ? nil : pairs.untried,
      suspicion: precision?.suspicion?.sentence ?? parts?.dropoutBetweenLayers
        ?? parts?.resemblance,
      undeclared: (precision?.suspicion?.arithmetic).map { StatedComputation(arithmetic: $0) })
  }

  /// What there is to say of outputs that hold nothing but 0, or nothing but NaN; nil for any
  /// others.
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
