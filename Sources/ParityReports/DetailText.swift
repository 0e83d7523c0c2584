import ParityFixtures
import ParityJudging
import RecurrentModel
import TensorComparison

/// All that was measured in a case, for `--verbose`: the modules, each comparison of two tensors,
/// each identity of the layout contract, and each property.
struct DetailText {
  let result: CaseResult

  var lines: [String] {
    let findings = result.findings
    return modules + findings.comparisons.map(comparison) + findings.layout.map(layout)
      + findings.properties.map(property)
  }

  private var modules: [String] {
    guard let parityCase = result.parityCase else { return [] }
    if parityCase.isSingleModule {
      return parityCase.layouts.map(\.configuration.pythonText) + chunks(parityCase)
    }
    return parityCase.chain?.modules.map(\.pythonText)
      ?? parityCase.layouts.map { "\($0.name): \($0.configuration.pythonText)" }
  }

  /// How a stream is run: "called on chunks of 4, 4, 2 steps, its states handed over".
  private func chunks(_ parityCase: ParityCase) -> [String] {
    guard let sizes = parityCase.chain?.input.chunks?.sizes else { return [] }
    let shown = sizes.prefix(8).map(String.init) + (sizes.count > 8 ? ["…"] : [])
    return ["called on chunks of \(shown.joined(separator: ", ")) steps, its states handed over"]
  }

  private var nameWidth: Int { Style.width(of: result.findings.comparisons.map(\.name)) }

  private func comparison(_ finding: TensorFinding) -> String {
    let measured = finding.difference.measured
    var parts = [
      "largest |Δ| \(NumberText.scientific(measured.largestAbsolute?.value ?? 0))",
      "relative \(NumberText.scientific(measured.largestRelative?.value ?? 0))",
      "\(ulps(measured.largestULP?.value ?? 0)) ULP",
      "\(measured.finiteCount) finite of \(measured.count)",
    ]
    if measured.nonFiniteDisagreements > 0 {
      parts.append("\(measured.nonFiniteDisagreements) not finite on one side")
    }
    if let noise = finding.difference.noise {
      parts.append("largest z \(NumberText.short(noise.largest?.value ?? 0))")
      parts.append("rms z \(NumberText.short(noise.rms))")
      parts.append("drift \(NumberText.short(noise.drift))")
      parts.append("torch.testing \(finding.torchAgrees ? "agrees" : "differs")")
    } else {
      parts.append(finding.difference.limits.text)
    }
    let name = Style.padded(finding.name, to: nameWidth)
    let sides = Style.padded(finding.sides.text, to: 24)
    return "\(name)  \(sides)  \(parts.joined(separator: ", "))"
  }

  private func ulps(_ distance: Double) -> String {
    distance < 1e9 ? "\(Int(distance))" : NumberText.scientific(distance)
  }

  private func layout(_ finding: LayoutFinding) -> String {
    let verdict =
      finding.difference.measured.count == 0
      ? "has nothing to say" : finding.holds ? "holds" : "violated"
    return "\(finding.side.rawValue): \(finding.statement)  \(verdict)"
  }

  private func property(_ finding: PropertyFinding) -> String {
    let verdict = !finding.applies ? "does not apply" : finding.holds ? "holds" : "violated"
    return "\(finding.statement)  \(verdict)"
  }
}

extension Limits {
  var text: String {
    switch self {
    case .bound(let rtol, let atol):
      "rtol \(NumberText.scientific(rtol, digits: 2)), atol \(NumberText.scientific(atol, digits: 2))"
    case .bits: "bit for bit"
    case .noise(let noise): "\(NumberText.short(noise.largestZ)) times the rounding noise"
    }
  }
}
