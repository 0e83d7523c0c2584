/// Which planted bugs a set of cases sees.
package struct SetAudit: Sendable {
  /// One kind of bug over all cases.
  package struct Row: Sendable {
    package let kind: String
    /// In how many cases it was planted.
    package internal(set) var planted = 0
    /// In how many of them every plant of the kind was seen.
    package internal(set) var killed = 0
    /// What a case that can see it needs; of the first that can't.
    package internal(set) var need: String?

    /// Whether it can be seen in some case at all.
    package var isApplicable: Bool { planted > 0 }
    package var isKilled: Bool { killed > 0 }
  }

  package let cases: [CaseAudit]
  package let rows: [Row]

  package init(_ cases: [CaseAudit]) {
    self.cases = cases
    var rows: [Row] = []
    var places: [String: Int] = [:]
    for audit in cases {
      for (kind, findings) in Dictionary(grouping: audit.plants, by: \.kind).sorted(by: {
        $0.key < $1.key
      }) {
        let place = places[kind] ?? rows.count
        if place == rows.count {
          places[kind] = place
          rows.append(Row(kind: kind))
        }
        let outcomes = findings.map(\.outcome)
        if outcomes.contains(where: { $0 == .killed || $0 == .survived }) {
          rows[place].planted += 1
          if !outcomes.contains(.survived) { rows[place].killed += 1 }
        } else if case .notApplicable(let reason) = outcomes[0], rows[place].need == nil {
          rows[place].need = reason.need
        }
      }
    }
    func order(_ row: Row) -> (Int, String) { (Mistake.ranks[row.kind] ?? .max, row.kind) }
    self.rows = rows.sorted { order($0) < order($1) }
  }

  package var applicable: [Row] { rows.filter(\.isApplicable) }
  /// Seen by no case, though some could.
  package var survived: [Row] { applicable.filter { !$0.isKilled } }
  /// That no case could see.
  package var unseen: [Row] { rows.filter { !$0.isApplicable } }
  /// The share of the kinds that apply to some case and are seen by one; 1 of none.
  package var score: Double {
    applicable.isEmpty ? 1 : Double(applicable.count - survived.count) / Double(applicable.count)
  }
  /// Cases into which nothing could be planted since they do not pass.
  package var audited: [CaseAudit] { cases.filter { $0.obstacle == nil } }
  /// Controls that a case did not let pass.
  package var killedControls: [(audit: CaseAudit, control: CaseAudit.Finding)] {
    cases.flatMap { audit in
      audit.controls.filter { $0.outcome == .killed }.map { (audit, $0) }
    }
  }
}
