package import ParityJudging
import RecurrentModel
import TensorComparison
package import TensorCore

/// The text of `parity-check layout`: the identities of the layout contract, each with its
/// verdict.
///
/// ```swift
/// let lines = LayoutText(style).lines(question, output: output.shape, hN: hN.shape)
/// ```
package struct LayoutText {
  private let style: Style

  package init(_ style: Style) { self.style = style }

  /// The module that the shapes stand for, the identities, and what may be wrong.
  ///
  /// - Parameters:
  ///   - output: (B, T, D·H), (T, B, D·H) or (T, D·H).
  ///   - hN: (D·layers, B, H) or (D·layers, H).
  package func lines(_ question: LayoutQuestion, output: Shape, hN: Shape) -> [String] {
    let contract = question.contract
    var module = [
      NumberText.count(contract.layers, "layer"),
      NumberText.count(contract.directions, "direction"),
    ]
    if contract.layout.isBatched { module.append("batch of \(contract.layout.batch)") }
    module.append(NumberText.count(contract.layout.steps, "step"))
    if contract.layout.isBatched {
      module.append("batch_first=\(contract.layout.batchFirst ? "True" : "False")")
    }
    var lines = ["output \(output), h_n \(hN): \(module.joined(separator: ", "))"]
    lines += identityLines(question.findings)
    if question.isVacuous {
      lines.append("nothing to compare: a direction has no finite element but zeros")
    }
    if let hint = question.hint { lines.append(text(hint)) }
    return lines
  }

  private func text(_ hint: LayoutQuestion.Hint) -> String {
    switch hint {
    case .mistake(let sentence): sentence
    case .batchFirst(let isFirst): "holds with batch_first=\(isFirst ? "True" : "False")"
    case .lengths(let lengths):
      "holds with the lengths \(lengths), which the zeros at the ends of output suggest: pass "
        + "--lengths"
    }
  }

  /// One line for each identity.
  func identityLines(_ findings: [LayoutFinding]) -> [String] {
    let width = Style.width(of: findings.map(\.statement))
    return findings.map { finding in
      let verdict = Style.padded(finding.holds ? "holds" : "violated", to: 8)
      let colored = style.colored(verdict, finding.holds ? .green : .red)
      return "\(colored)  \(Style.padded(finding.statement, to: width))  \(detail(finding))"
    }
  }

  /// What the difference is where a reference breaks the contract by rounding alone, and the line
  /// of the manifest that accepts it.
  func roundingLines(_ rounding: LayoutRounding) -> [String] {
    let absolute = "|Δ| = \(NumberText.scientific(rounding.largestAbsolute, digits: 1))"
    // Numbers around 0 are many units apart, and near all the same.
    let units = rounding.largestULP < 100 ? "at most \(Int(rounding.largestULP)) ulp, " : ""
    let difference =
      rounding.largestAbsolute == 0
      ? "in the sign of zeros alone" : "by rounding alone (\(units)\(absolute))"
    let advice = rounding.tolerance.map {
      [
        "state a tolerance in the manifest to accept it:",
        "  \"tolerance\": {\"rtol\": \($0.rtol), \"atol\": \($0.atol)}",
      ]
    }
    return ["output and h_n differ \(difference):", "a reference made outside PyTorch;"]
      + (advice ?? [])
  }

  private func detail(_ finding: LayoutFinding) -> String {
    let difference = finding.difference
    let count = NumberText.count(difference.measured.count, "element")
    guard !finding.holds else { return "\(count), \(difference.limits.text)" }
    let mismatched = difference.mismatched
    var text = "\(mismatched.count) of \(count) differ"
    if let extreme = mismatched.largestAbsolute {
      text +=
        ", by up to \(NumberText.scientific(extreme.value)) (\(Float(extreme.actual)) "
        + "and \(Float(extreme.expected)))"
    }
    return text
  }
}
