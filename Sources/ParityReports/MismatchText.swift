import ParityFixtures
import ParityJudging
import RecurrentModel
import TensorComparison
import TensorCore

/// How one tensor of a case differs, in the order of `torch.testing`'s messages: the number of
/// elements, the largest absolute and the largest relative difference; then the first element
/// that differs.
struct MismatchText {
  let finding: TensorFinding
  /// The layout of the recurrent module that computes the tensor; nil where another module does.
  let layout: ModuleLayout?

  var lines: [String] {
    let difference = finding.difference
    let mismatched = difference.mismatched
    let share = Double(mismatched.count) / Double(max(1, difference.measured.count))
    var lines = [
      mismatched.count == 0
        ? "\(title): each element is near enough, all together are not"
        : "\(title): \(mismatched.count) of \(difference.measured.count) elements differ "
          + "(\(NumberText.percent(share)))"
    ]
    if mismatched.nonFiniteDisagreements > 0 {
      lines.append(
        "  not finite on one side only, or not the same: \(mismatched.nonFiniteDisagreements)")
    }
    if let extreme = mismatched.largestAbsolute { lines.append("  " + absolute(extreme)) }
    if let extreme = mismatched.largestRelative { lines.append("  " + relative(extreme)) }
    if let noise = difference.noise, let extreme = noise.largest,
      case .noise(let limits) = difference.limits
    {
      lines.append(
        "  in units of the rounding noise: largest \(NumberText.short(extreme.value)) at "
          + "\(index(extreme)), \(NumberText.short(limits.largestZ * limits.elementSlack)) allowed; root mean "
          + "square \(NumberText.short(noise.rms)), "
          + "\(NumberText.short(limits.largestRMS(count: noise.count))) allowed")
      let drift = limits.largestDrift(count: noise.count)
      if mismatched.count == 0, noise.drift > drift {
        lines.append(
          "  too much of one sign: a mean of \(NumberText.short(noise.drift)) σ, "
            + "\(NumberText.short(drift)) allowed")
      }
    }
    if let first = difference.firstMismatch {
      let place = layout.map { layout in
        let features = difference.shape.axes[difference.shape.rank - 1]
        let isOutput = finding.name == Results.name("output", of: layout.name)
        let place = ElementPlace(
          of: first.offset, isOutput: isOutput, features: features, layout.contract)
        return "\(place): "
      }
      lines.append("  first at \(index(first)): \(place ?? "")\(values(first))")
    }
    return lines
  }

  private var title: String {
    let sides = finding.sides
    let isPlain = sides.isVerdict && sides.isOfTwo
    return finding.name + (isPlain ? "" : " (\(sides.text))")
  }

  private func absolute(_ extreme: Measurement.Extreme) -> String {
    let allowed = finding.difference.limits.allowed(at: extreme.expected, offset: extreme.offset)
    let (value, limit) = NumberText.distinct(extreme.value, allowed)
    return "largest absolute difference \(value) at \(index(extreme)), \(limit) allowed: "
      + values(extreme)
  }

  private func relative(_ extreme: Measurement.Extreme) -> String {
    let allowed: String =
      switch finding.difference.limits {
      case .bound(let rtol, _): ", rtol \(NumberText.scientific(rtol, digits: 2))"
      case .bits: ", none allowed"
      case .noise: ""
      }
    return "largest relative difference \(NumberText.scientific(extreme.value)) at "
      + "\(index(extreme))\(allowed): \(values(extreme))"
  }

  private func index(_ extreme: Measurement.Extreme) -> String {
    Shape.text(finding.difference.shape.index(at: extreme.offset))
  }

  private func values(_ extreme: Measurement.Extreme) -> String {
    "\(finding.sides.actual.rawValue) \(number(extreme.actual)), "
      + "\(finding.sides.expected.rawValue) \(number(extreme.expected))"
  }

  private func number(_ value: Double) -> String {
    NumberText.element(value, isDouble: finding.arithmetic == .float64)
  }
}

extension SidePair {
  var text: String { "\(actual.rawValue) against \(expected.rawValue)" }
}
