package import ParityFixtures
package import ParityJudging
import RecurrentModel
import TensorCore

/// Which planted bugs a case sees.
package struct CaseAudit: Sendable {
  package enum Outcome: Sendable, Equatable {
    case killed
    case survived
    /// Nobody could see it in this case.
    case notApplicable(NotApplicable)
  }

  package struct Finding: Sendable {
    /// A mistake's name, or a kind of number.
    package let kind: String
    /// What exactly; empty where the kind says it all.
    package let detail: String
    package let outcome: Outcome
  }

  package let location: CaseLocation
  /// Why nothing was planted; nil where something was.
  package private(set) var obstacle: String?
  /// What the judge says of the case as it is.
  package private(set) var status = CaseStatus.passed
  package private(set) var plants: [Finding] = []
  /// Changes as small as rounding; each should survive.
  package private(set) var controls: [Finding] = []

  /// Loads the case and plants every bug into it. Never throws: what can't be audited says
  /// why. O(plants forward passes).
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

  package init(_ parityCase: ParityCase) {
    self.init(location: parityCase.location)
    plant(into: parityCase)
  }

  private init(location: CaseLocation) { self.location = location }

  /// Whether the case passes as it is: nothing else can be audited.
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

  package var killed: Int { plants.count { $0.outcome == .killed } }
  package var survived: [Finding] { plants.filter { $0.outcome == .survived } }
  package var applicable: Int { killed + survived.count }
}
