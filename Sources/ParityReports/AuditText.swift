package import ParityDiagnosis
import ParityFixtures

/// The text of `parity-check audit`: how many of the planted bugs each case detects, by how many
/// cases each kind of bug is detected, and which kinds no case detects.
///
/// ```swift
/// let text = AuditText(Style(isColored: false))
/// let lines = text.lines(audit) + text.summary(audit, seconds: 2.5)
/// ```
package struct AuditText: Sendable {
  private let style: Style
  private let isVerbose: Bool

  /// - Parameter isVerbose: whether to list for each case the bugs that it can't detect, and why.
  package init(_ style: Style, isVerbose: Bool = false) {
    self.style = style
    self.isVerbose = isVerbose
  }

  /// The lines of the report, without the last ones.
  package func lines(_ audit: SetAudit) -> [String] {
    ["case: planted bugs that it sees"] + caseLines(audit) + ["", "bug: cases that see it"]
      + bugLines(audit) + gapLines(audit) + controlLines(audit)
  }

  private func caseLines(_ audit: SetAudit) -> [String] {
    let width = Style.width(of: audit.cases.map(\.location.name))
    return audit.cases.flatMap { audit in
      [caseLine(audit, width)] + (isVerbose ? reasons(audit) : [])
    }
  }

  /// The bugs that could not be planted into a case, by what it lacks.
  private func reasons(_ audit: CaseAudit) -> [String] {
    var plants: [String: [String]] = [:]
    for plant in audit.plants {
      guard case .notApplicable(let why) = plant.outcome else { continue }
      plants["needs " + why.need, default: []].append(plant.text)
    }
    return plants.sorted { $0.key < $1.key }.map { need, plants in
      "    " + style.faint("\(need): \(abridged(plants))")
    }
  }

  private func caseLine(_ audit: CaseAudit, _ width: Int) -> String {
    let name = Style.padded(Style.printable(audit.location.name), to: width)
    if let obstacle = audit.obstacle {
      return "  \(name)  " + style.faint("not audited: \(Style.printable(obstacle))")
    }
    let counts = Style.padded("\(audit.killed) of \(audit.applicable)", to: 10)
    let survived = audit.survived.map(\.text)
    return "  \(name)  \(counts)"
      + (survived.isEmpty ? "" : "  " + style.faint("survived: " + abridged(survived)))
  }

  /// The first three names, and how many more there are.
  private func abridged(_ names: [String]) -> String {
    let shown = 3
    return names.prefix(shown).joined(separator: ", ")
      + (names.count > shown ? " and \(names.count - shown) more" : "")
  }

  private func bugLines(_ audit: SetAudit) -> [String] {
    let rows = bugRows(audit)
    let width = Style.width(of: rows.map(\.name))
    return rows.map { name, row in
      let counts = "\(row.killed) of \(row.planted)"
      return "  \(Style.padded(name, to: width))  "
        + (row.isKilled ? counts : style.colored(counts + "  survived", .red))
    }
  }

  /// One row for each kind of bug. There are many orders of the gates: neighbouring ones with the
  /// same counts share a row.
  private func bugRows(_ audit: SetAudit) -> [(name: String, row: SetAudit.Row)] {
    let prefix = "gates-"
    var rows: [(names: [String], row: SetAudit.Row)] = []
    for row in audit.applicable {
      if let last = rows.last, row.kind.hasPrefix(prefix), last.names[0].hasPrefix(prefix),
        row.kind.count == last.names[0].count, row.killed == last.row.killed,
        row.planted == last.row.planted
      {
        rows[rows.count - 1].names.append(row.kind)
      } else {
        rows.append(([row.kind], row))
      }
    }
    return rows.map { names, row in
      (names.count == 1 ? names[0] : "\(names[0]) and \(names.count - 1) other orders", row)
    }
  }

  private func gapLines(_ audit: SetAudit) -> [String] {
    var lines: [String] = []
    if !audit.survived.isEmpty {
      lines += ["", "seen by no case, though it was planted:"]
      lines += audit.survived.map {
        "  \($0.kind)  its effect is lost in these cases' numbers: "
          + ($0.numbers.map { "give one \($0)" } ?? Self.honestNumbers)
      }
    }
    if !audit.rare.isEmpty {
      lines += ["", "no more than rounding in these cases' numbers, and not counted (see --rare):"]
      lines += audit.rare.map { "  \($0.kind)  shows in \($0.numbers ?? "")" }
    }
    let unseen = Dictionary(grouping: audit.unseen) { $0.need ?? "" }
    if !unseen.isEmpty {
      lines += ["", "no case in the set can see, for want of"]
      lines += unseen.sorted { $0.key < $1.key }.map { need, rows in
        "  \(need): \(rows.map(\.kind).joined(separator: ", "))"
      }
    }
    return lines
  }

  /// What a case needs for most mistakes to show.
  private static let honestNumbers =
    "give one PyTorch's own random weights and biases, inputs and initial states of about 1, "
    + "hidden_size 4 or more, and 3 sequences of 5 steps or more"

  private func controlLines(_ audit: SetAudit) -> [String] {
    audit.killedControls.map { audit, control in
      style.colored(
        "control: \(Style.printable(audit.location.name)) fails by a change as small as rounding "
          + "(\(control.detail)): its tolerance is too tight", .red)
    }
  }

  /// The last lines: the share of the kinds of bug that some case detects, and the counts.
  package func summary(_ audit: SetAudit, seconds: Double) -> [String] {
    let audited = audit.audited
    let killed = audited.reduce(0) { $0 + $1.killed }
    let planted = audited.reduce(0) { $0 + $1.applicable }
    let controls = audited.flatMap(\.controls).count { $0.outcome == .survived }
    let seen = audit.applicable.count - audit.survived.count
    let score =
      "\(seen) of \(audit.applicable.count) kinds of bug are seen by some case "
      + "(\(NumberText.percent(audit.score)))"
    return [
      "",
      style.colored(score, audit.survived.isEmpty ? .green : .red)
        + "; \(killed) of \(planted) planted bugs killed, "
        + "\(NumberText.count(controls, "control")) of rounding survived"
        + style.faint(" in \(NumberText.seconds(seconds))"),
    ]
  }
}

extension CaseAudit.Finding {
  /// What was planted, and where: `layers-shared`, `largest weight +10% in weight_ih_l0`.
  fileprivate var text: String { detail.isEmpty ? kind : "\(kind) in \(detail)" }
}
