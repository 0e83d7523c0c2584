import TensorComparison
import TensorCore

extension CaseResult {
  /// Turns what was found into a status, with its reasons.
  mutating func decide() {
    var reasons: [String] = []
    let (name, verb) = subject == .engine ? ("the engine", "does") : ("the outputs", "do")
    switch (agree(.subjectAndReference), agree(.referenceAndOracle)) {
    case (true, true): break
    case (false, true) where differsByRounding:
      reasons.append(
        "\(name) \(subject == .engine ? "reproduces" : "reproduce") the reference as torch.testing "
          + "asks, but not as closely as this case's rule")
    case (false, true):
      reasons.append("the oracle reproduces the reference, \(name) \(verb) not")
    case (_, false) where isReferenceAtFault:
      reasons.append(
        "the reference does not follow from these weights and this configuration")
    case (true, false):
      reasons.append("\(subject.rawValue) and reference agree, and the oracle with neither")
    case (false, false):
      reasons.append("reference, \(subject.rawValue) and oracle all differ")
    }
    if layout.contains(where: { $0.side == .engine && !$0.holds }) {
      reasons.append(
        subject == .engine
          ? "the engine's output breaks the layout contract"
          : "the outputs break the layout contract")
    }
    for finding in properties where !finding.holds {
      reasons.append("the engine breaks a property: \(finding.property.statement)")
    }
    status = reasons.isEmpty ? .passed : .failed
    remarks = reasons
    if status == .passed, leastJudgedShare < Self.neededShare { callInconclusive() }
  }

  /// With fewer of a tensor's elements judged, a verdict says too little.
  private static let neededShare = 0.9

  /// Of the tensors that the subject is held to, the smallest share that can be
  /// judged.
  var leastJudgedShare: Double {
    comparisons.filter { $0.sides == .subjectAndReference }.map { finding in
      if case .noise(let noise) = finding.difference.limits { noise.judgedShare } else { 1 }
    }.min() ?? 1
  }

  private mutating func callInconclusive() {
    status = .inconclusive
    let share = "\(Int(leastJudgedShare * 100))%"
    let extent = agreeingSteps.map { "after \($0) steps" } ?? "in its last state"
    remarks = [
      "rounding is amplified so much that only \(share) of a tensor can be judged: a direction "
        + "agrees, and then is lost \(extent). Use smaller weights, fewer steps, or float64"
    ]
  }

  /// A failure becomes a skip, and a pass a failure; what can't be judged stays.
  mutating func expectFailure(_ reason: String) {
    switch status {
    case .failed:
      status = .skipped
      remarks = ["expected to fail: \(reason)"]
    case .passed:
      status = .failed
      remarks = ["passes, but is expected to fail: \(reason)"]
    case .invalid, .unreadable, .inconclusive, .skipped: break
    }
  }

  /// Whether engine and oracle agree, and the reference with neither.
  var isReferenceAtFault: Bool { !agree(.referenceAndOracle) && agree(.subjectAndOracle) }

  private func agree(_ sides: TensorFinding.Sides) -> Bool {
    comparisons.filter { $0.sides == sides }.allSatisfy(\.difference.agrees)
  }

  /// Whether the engine is within what torch allows for rounding, under a rule
  /// that allows less.
  private var differsByRounding: Bool {
    comparisons.filter { $0.sides == .subjectAndReference }.allSatisfy { finding in
      let difference = finding.difference
      guard finding.rule != .torch, difference.noise == nil,
        difference.mismatched.nonFiniteDisagreements == 0
      else {
        return difference.agrees
      }
      let torch = Limits.torch(finding.arithmetic)
      guard let largest = difference.measured.largestAbsolute else { return true }
      return largest.value <= torch.allowed(at: 0, offset: 0)
    }
  }
}
