package import ParityFixtures
package import ParityJudging
import RecurrentModel
import TensorCore

/// Which of all planted bugs a case sees, by its own tolerance.
///
/// ```swift
/// let audit = CaseAudit(location)
/// print("\(audit.killed) of \(audit.applicable)")
/// print(audit.survived.map(\.kind))  // what could be wrong without this case noticing
/// ```
package struct CaseAudit: Sendable {
  /// What became of a bug that was planted.
  package enum Outcome: Sendable, Equatable {
    /// The case sees it: with the bug, it would not pass.
    case killed
    /// The case does not see it: it would pass with the bug.
    case survived
    /// The bug cannot show in this case, which lacks something that it needs.
    case notApplicable(NotApplicable)
  }

  /// One bug that was planted, and what became of it.
  package struct Finding: Sendable {
    /// The name of a mistake, or the kind of number that was changed.
    package let kind: String
    /// Where exactly; empty where the kind says it all.
    package let detail: String
    package let outcome: Outcome
  }

  package let location: CaseLocation
  /// Why nothing was planted; nil where something was.
  package private(set) var obstacle: String?
  /// How the case ends as it is, without a bug.
  package private(set) var status = CaseStatus.passed
  /// The bugs that were planted.
  package private(set) var plants: [Finding] = []
  /// Changes as small as rounding, which were planted too: each should survive.
  package private(set) var controls: [Finding] = []

  /// Loads the case and plants every bug into it. It never throws: where a case cannot be
  /// audited, `obstacle` says why.
  ///
  /// - Complexity: O(plants) forward passes.
  package init(_ location: CaseLocation) {
    self.init(location: location)
    do throws(CaseError) {
      plant(into: try ParityCase.load(location))
    } catch {
      obstacle = "\(error)"
      status =
        switch error {
        case .unreadable: .unreadable
        case .invalid: .invalid
        }
    }
  }

  /// Plants every bug into a case that is loaded.
  ///
  /// - Complexity: O(plants) forward passes.
  package init(_ parityCase: ParityCase) {
    self.init(location: parityCase.location)
    plant(into: parityCase)
  }

  private init(location: CaseLocation) { self.location = location }

  /// Whether the case passes as it is. Only such a case can be audited.
  private mutating func passes(_ result: CaseResult) -> Bool {
    status = result.status
    guard result.status == .passed else {
      obstacle = ([result.status.rawValue] + result.remarks.prefix(1)).joined(separator: ": ")
      return false
    }
    return true
  }

  private mutating func plant(into parityCase: ParityCase) {
    let result = Judge().judge(parityCase)
    guard passes(result) else { return }
    guard let chain = parityCase.chain, let judge = OutputsJudge(parityCase),
      parityCase.reference.named.contains(where: { $0.tensor.count > 0 })
    else {
      obstacle = result.remarks.first ?? "nothing to run"
      return
    }
    func findings(_ plants: [Plant]) -> [Finding] {
      plants.map { plant in
        Finding(
          kind: plant.kind, detail: plant.detail, outcome: Self.outcome(plant, chain, judge))
      }
    }
    plants = findings(Plant.all(in: chain))
    controls = findings(Plant.controls(of: chain))
  }

  private static func outcome(
    _ plant: Plant, _ chain: Chain, _ judge: OutputsJudge
  ) -> Outcome {
    do throws(NotApplicable) {
      guard let results = try plant.results(of: chain) else { return .killed }
      return judge.accepts(results) ? .survived : .killed
    } catch {
      return .notApplicable(error)
    }
  }

  /// How many bugs the case sees.
  package var killed: Int { plants.count { $0.outcome == .killed } }
  /// The bugs that the case could see and does not.
  package var survived: [Finding] { plants.filter { $0.outcome == .survived } }
  /// How many bugs can show in the case.
  package var applicable: Int { killed + survived.count }
}
