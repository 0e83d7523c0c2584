package import ArchiveComparison
import TensorArchives
import TensorComparison
import TensorCore

/// The text of `parity-check compare`: lines for each tensor, and a summary.
///
/// ```swift
/// let results = pair.results()
/// let text = ComparisonText(style, isVerbose: false, names: results.map(\.name))
/// for (name, result) in results { print(text.lines(name, result)) }
/// ```
package struct ComparisonText {
  private let style: Style
  private let isVerbose: Bool
  private let nameWidth: Int

  /// - Parameters:
  ///   - isVerbose: whether to show the differences of tensors that agree, too.
  ///   - names: the names of all tensors, for the width of their column.
  package init(_ style: Style, isVerbose: Bool, names: [String]) {
    self.style = style
    self.isVerbose = isVerbose
    nameWidth = Style.width(of: names)
  }

  /// One line for a tensor, and indented lines below it where it differs.
  package func lines(_ name: String, _ result: TensorResult) -> [String] {
    let (verdict, remark) = Self.remark(result)
    let color: Style.Color = result.passes ? .green : verdict == "unreadable" ? .magenta : .red
    let shown = [
      style.colored(Style.padded(verdict, to: 10), color),
      Style.padded(Style.printable(name), to: nameWidth), Style.printable(remark),
    ].joined(separator: "  ")
    return [shown] + block(result).map { "    " + $0 }
  }

  /// The last line.
  package func summary(_ results: [TensorResult], seconds: Double) -> String {
    var counts: [(verdict: String, passes: Bool, count: Int)] = []
    for result in results {
      let verdict = Self.remark(result).verdict
      if let position = counts.firstIndex(where: { $0.verdict == verdict }) {
        counts[position].count += 1
      } else {
        counts.append((verdict, result.passes, 1))
      }
    }
    let parts = counts.map { verdict, passes, count in
      let word = count == 1 ? verdict : Self.plural[verdict] ?? verdict
      return style.colored("\(count) \(word)", passes ? .green : .red)
    }
    return "\(NumberText.count(results.count, "tensor")): \(parts.joined(separator: ", "))"
      + style.faint(" in \(NumberText.seconds(seconds))")
  }

  private static let plural = ["agrees": "agree", "differs": "differ"]

  private static func remark(_ result: TensorResult) -> (verdict: String, remark: String) {
    switch result {
    case .compared(let tensor):
      return (tensor.agrees ? "agrees" : "differs", remark(tensor))
    case .shapesDiffer(let actual, let expected, _):
      return ("differs", "shape: expected \(expected.shape), found \(actual.shape)")
    case .missing(let header):
      return ("missing", "expected \(text(header)), found nothing of this name")
    case .extra(let header, let isAllowed):
      return (
        "extra",
        "expected nothing of this name, found \(text(header))"
          + (isAllowed ? "; ignored" : "")
      )
    case .unreadable(let error):
      return ("unreadable", "\(error)")
    }
  }

  private static func remark(_ tensor: ComparedTensor) -> String {
    let count = tensor.shape.elementCount
    var parts: [String] = []
    if tensor.isOfAnotherType {
      parts.append(
        "element type: expected \(tensor.expected.elementType), found \(tensor.actual.elementType)")
    }
    if count == 0 {
      parts.append("no elements")
    } else if tensor.tally.mismatches > 0 {
      parts.append(
        "\(tensor.tally.mismatches) of \(NumberText.count(count, "element")) differ "
          + "(\(NumberText.percent(Double(tensor.tally.mismatches) / Double(count))))")
    } else if tensor.isVacuous {
      parts.append("nothing compared: no element is finite")
    } else if let largest = tensor.largestAbsolute {
      parts.append(
        "largest |Δ| \(largest.integerDifference ?? NumberText.scientific(largest.value)), \(tensor.limits.text)"
      )
    } else {
      parts.append("equal")
    }
    let type = tensor.isOfAnotherType ? "" : "\(tensor.expected.elementType) "
    return "\(type)\(tensor.shape): \(parts.joined(separator: "; "))"
  }

  private static func text(_ header: TensorHeader) -> String {
    "\(header.elementType) \(header.shape)"
  }

  private func block(_ result: TensorResult) -> [String] {
    switch result {
    case .compared(let tensor):
      tensor.agrees && !isVerbose
        ? [] : DifferenceText(tensor: tensor).lines + Self.hint(tensor.rearrangement)
    case .shapesDiffer(_, _, let rearrangement): Self.hint(rearrangement)
    case .missing, .extra, .unreadable: []
    }
  }

  private static func hint(_ rearrangement: Rearrangement?) -> [String] {
    rearrangement.map { ["\($0)"] } ?? []
  }
}
