import ParityJudging
import RecurrentModel
import TensorComparison

/// All that was measured in a case, for `--verbose`.
struct DetailText {
  let result: CaseResult

  var lines: [String] {
    let module =
      result.sequential?.modules.map(\.pythonText)
      ?? result.configuration.map { [$0.pythonText] } ?? []
    return module + result.comparisons.map(comparison) + result.layout.map(layout)
      + result.properties.map(property)
  }

  private var nameWidth: Int { result.comparisons.map(\.name.count).max() ?? 0 }

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
      parts.append("torch.testing \(finding.torchAgrees ? "agrees" : "differs")")
    } else {
      parts.append(finding.difference.limits.text)
    }
    let name = Style.padded(finding.name, to: nameWidth)
    let sides = Style.padded(finding.sides.text(result.subject), to: 24)
    return "\(name)  \(sides)  \(parts.joined(separator: ", "))"
  }

  private func ulps(_ distance: Double) -> String {
    distance < 1e9 ? "\(Int(distance))" : NumberText.scientific(distance)
  }

  private func layout(_ finding: LayoutFinding) -> String {
    let verdict =
      finding.difference.measured.count == 0
      ? "has nothing to say" : finding.holds ? "holds" : "violated"
    let side = finding.side == .engine ? result.subject.rawValue : finding.side.rawValue
    return "\(side): \(finding.statement)  \(verdict)"
  }

  private func property(_ finding: PropertyFinding) -> String {
    let verdict = !finding.applies ? "does not apply" : finding.holds ? "holds" : "violated"
    return "\(finding.property.statement)  \(verdict)"
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
