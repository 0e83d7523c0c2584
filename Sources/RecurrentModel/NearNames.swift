/// Which known name was meant by one that is not known.
///
/// ```swift
/// let slips = NearNames.slips(in: ["weights_ih_l0"], missing: ["weight_ih_l0", "weight_hh_l0"])
/// NearNames.question(slips)  // did you mean weight_ih_l0?
/// ```
package enum NearNames {
  /// A name that is not known, and the one that was meant.
  package typealias Slip = (found: String, meant: String)

  /// Longer names are no slips: to compare two takes time in proportion to both lengths.
  private static let longestName = 80
  /// How many slips a message lists.
  private static let listed = 4

  /// The unknown names that are near a missing one: at most a third of its letters are
  /// different, left out or too many. The nearest are paired first, and each name once.
  ///
  /// - Parameter missing: the known names that are not there.
  /// - Complexity: O(unknown · missing), whatever their lengths.
  package static func slips(in unknown: [String], missing: [String]) -> [Slip] {
    var pairs: [(slip: Slip, distance: Int)] = []
    for found in unknown.sorted() where found.utf8.count <= longestName {
      for meant in missing {
        // No distance is less than the difference of the lengths.
        let limit = meant.utf8.count / 3
        guard abs(found.utf8.count - meant.utf8.count) <= limit else { continue }
        let distance = distance(Array(found.utf8), Array(meant.utf8))
        if distance <= limit { pairs.append(((found, meant), distance)) }
      }
    }
    // Sorting keeps the order of what is equally near.
    var slips: [Slip] = []
    for (slip, _) in pairs.sorted(by: { $0.distance < $1.distance })
    where !slips.contains(where: { $0.found == slip.found || $0.meant == slip.meant }) {
      slips.append(slip)
    }
    return slips
  }

  /// The slips as a question: "did you mean h_n?", or "did you mean h_n (for hn) and c_n (for
  /// cn)?"; nil where there is none.
  package static func question(_ slips: [Slip]) -> String? {
    guard let first = slips.first else { return nil }
    guard slips.count > 1 else { return "did you mean \(first.meant)?" }
    var parts = slips.prefix(listed).map { "\($0.meant) (for \($0.found))" }
    if slips.count > listed { parts.append("\(slips.count - listed) more") }
    return "did you mean \(parts.dropLast().joined(separator: ", ")) and \(parts[parts.count - 1])?"
  }

  /// Levenshtein's distance: how many letters must be put in, taken out or exchanged to make
  /// one name of the other.
  private static func distance(_ a: [UInt8], _ b: [UInt8]) -> Int {
    var row = Array(0...b.count)
    for (line, own) in a.enumerated() {
      var diagonal = row[0]
      row[0] = line + 1
      for (column, other) in b.enumerated() {
        let changed = diagonal + (own == other ? 0 : 1)
        diagonal = row[column + 1]
        row[column + 1] = min(changed, diagonal + 1, row[column] + 1)
      }
    }
    return row[b.count]
  }
}
