/// Which kinds of planted bugs a set of cases sees: the audit's table.
///
/// ```swift
/// let audit = SetAudit(locations.map { CaseAudit($0) })
/// audit.score                 // 1 where every kind that can show is seen by some case
/// audit.survived.map(\.kind)  // what no case would notice
/// ```
package struct SetAudit: Sendable {
  /// One kind of bug, over all cases.
  package struct Row: Sendable {
    package let kind: String
    /// In how many cases it was planted and could show.
    package internal(set) var planted = 0
    /// How many of these cases saw every plant of the kind.
    package internal(set) var killed = 0
    /// What a case would need for the bug to show, as the first case that cannot show it says.
    package internal(set) var need: String?

    /// The rare numbers that a case must hold for the bug to show, where it needs such; nil for
    /// most bugs.
    package var numbers: String? { Mistake.ranks[kind].flatMap { Mistake.all[$0].numbers } }

    /// Whether it can show in some case.
    package var isApplicable: Bool { planted > 0 }
    /// Whether some case sees it.
    package var isKilled: Bool { killed > 0 }
  }

  package let cases: [CaseAudit]
  /// One for each kind of bug, in the order of `Mistake.all`, and behind these the numbers that
  /// were changed, by name.
  package let rows: [Row]

  /// Whether bugs count that show in rare numbers only.
  private let countsRare: Bool

  /// - Parameter countsRare: whether bugs that show in rare numbers only, such as subnormal ones,
  ///   count where no case sees them.
  package init(_ cases: [CaseAudit], countingRare countsRare: Bool = false) {
    self.cases = cases
    self.countsRare = countsRare
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

  /// The kinds that can show in some case. Those that show in rare numbers only are among them
  /// where some case has such numbers, or where they were asked for.
  package var applicable: [Row] {
    rows.filter { $0.isApplicable && ($0.isKilled || $0.numbers == nil || countsRare) }
  }
  /// The kinds that show in rare numbers only, where no case has such; none where they count.
  package var rare: [Row] {
    countsRare ? [] : rows.filter { $0.isApplicable && !$0.isKilled && $0.numbers != nil }
  }
  /// The kinds that no case sees, though they can show in some.
  package var survived: [Row] { applicable.filter { !$0.isKilled } }
  /// The kinds that cannot show in any of the cases.
  package var unseen: [Row] { rows.filter { !$0.isApplicable } }
  /// The share of the kinds that can show in some case which some case sees; 1 where there are
  /// none.
  package var score: Double {
    applicable.isEmpty ? 1 : Double(applicable.count - survived.count) / Double(applicable.count)
  }
  /// The cases into which bugs were planted, which are those that pass as they are.
  package var audited: [CaseAudit] { cases.filter { $0.obstacle == nil } }
  /// The controls that a case did not let pass, though it should.
  package var killedControls: [(audit: CaseAudit, control: CaseAudit.Finding)] {
    cases.flatMap { audit in
      audit.controls.filter { $0.outcome == .killed }.map { (audit, $0) }
    }
  }
}
