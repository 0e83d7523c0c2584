package import ArchiveComparison
package import TensorArchives
import TensorComparison
package import TensorCore

/// What was found of one value of a stage.
package struct ValueResult: Sendable {
  package enum Finding: Sendable {
    /// Compared element by element.
    case measured(ValueTally)
    /// The tensor in its place has another shape, and no order of its axes makes it this one.
    case shape(found: Shape)
    /// There is no tensor in its place.
    case missing
    case unreadable(ArchiveError)
  }

  /// The value's name in the reference.
  package let name: String
  package let shape: Shape
  package let finding: Finding
  /// How the tensor had to be read to have the value's shape; nil where it has it.
  package let rearrangement: Rearrangement?
  /// What the tensor's elements were stored as, where that is coarser than the reference.
  package let storage: Arithmetic?
  /// Whether the value has a σ.
  package let hasSigma: Bool
  /// Whether the value is of whole numbers, such as token ids.
  let isWhole: Bool
  /// How large a z passes.
  let largestZ: Double

  /// The measurements; nil where there are none.
  package var tally: ValueTally? {
    if case .measured(let tally) = finding { tally } else { nil }
  }

  /// Whether the value is right up to rounding, or up to torch.testing's tolerance where it has no
  /// σ.
  package var agrees: Bool {
    guard let tally, tally.nonFiniteMismatches == 0 else { return false }
    guard hasSigma else { return tally.beyondTorch == 0 }
    return tally.inexact == 0 && (tally.largestZ?.value ?? 0) <= largestZ
      && tally.rmsZ <= NoiseLimits.largestRMS(count: Double(tally.judged), largestZ: largestZ)
  }

  /// Whether it agrees for want of anything to compare: rounding may move it anywhere, or no element
  /// of it is finite.
  var isLost: Bool {
    guard let tally, shape.elementCount > 0 else { return false }
    return tally.finite == 0 || hasSigma && tally.isLost
  }

  /// nil where nothing can be said of it, since it is not there.
  var level: ErrorLevel? {
    switch finding {
    case .missing, .unreadable: nil
    case .shape: .unmeasurable
    case .measured(let tally) where tally.nonFiniteMismatches > 0: .unmeasurable
    case .measured(let tally):
      // Another token is no small error, however near its number is.
      ErrorLevel(
        isOff: !agrees, z: hasSigma ? tally.plainRMSZ : nil,
        relative: isWhole ? .infinity : tally.relativeRMS, count: shape.elementCount)
    }
  }
}
