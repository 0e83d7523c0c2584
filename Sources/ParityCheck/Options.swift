import ArgumentParser
import ParityFixtures
import ParityJudging
import ParityReports
import TensorComparison

/// A tolerance by its two bounds: `--rtol` and `--atol`.
struct BoundOptions: ParsableArguments {
  // Parsed so that a negative number is a value, which is then refused, and no option.
  @Option(
    parsing: .unconditional,
    help: "With --atol: |Δ| ≤ atol + rtol·|expected|, in place of any other tolerance.")
  var rtol: Double?

  @Option(parsing: .unconditional, help: "See --rtol.")
  var atol: Double?

  func validate() throws {
    guard (rtol == nil) == (atol == nil) else {
      throw ValidationError("--rtol and --atol are given together.")
    }
    for (name, bound) in [("--rtol", rtol), ("--atol", atol)] {
      if let bound, !(bound >= 0 && bound.isFinite) {
        throw ValidationError("\(name): expected 0 or more, found \(bound).")
      }
    }
  }

  /// Both bounds; nil where they are not given.
  var bounds: (rtol: Double, atol: Double)? {
    if let rtol, let atol { (rtol, atol) } else { nil }
  }
}

/// By which other names tensors stand in what is judged: `--map`.
struct NameMapOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      """
      Which tensor of the actual side is which of the expected one, where the names differ: \
      output=Y, if Y is output. Can be given several times.
      """,
      valueName: "expected=actual"))
  var map: [String] = []

  func validate() throws { _ = try names() }

  /// - Throws: `ValidationError` for another form, and for a tensor that is named twice.
  func names() throws -> NameMap {
    do {
      return try NameMap(parsing: map)
    } catch {
      throw ValidationError("\(error).")
    }
  }
}

/// The options that set a tolerance for all cases, in place of those that the cases state.
struct ToleranceOptions: ParsableArguments {
  enum Rule: String, ExpressibleByArgument, CaseIterable {
    case noise
    case torch
    case exact
  }

  @Option(
    help: """
      In place of every case's own: noise (what the arithmetic's rounding can make), torch \
      (torch.testing's defaults by element type) or exact (bit for bit).
      """)
  var tolerance: Rule?

  @Option(
    parsing: .unconditional,
    help: "How many standard deviations of rounding noise an element may be off (default: 8).")
  var sigma: Double?

  @Option(
    parsing: .unconditional,
    help: "How many replicas measure the rounding noise, a multiple of 16 (default: 16).")
  var replicas: Int?

  @Flag(
    help: """
      Measure the rounding noise of every sequence, however large the case (default: above \
      1e9 multiplications of a sample of the batch, and of all where that does not pass).
      """)
  var everySequence = false

  @OptionGroup var bound: BoundOptions

  func validate() throws {
    if sigma != nil || replicas != nil {
      guard tolerance == .noise || tolerance == nil, bound.bounds == nil else {
        throw ValidationError("--sigma and --replicas belong to --tolerance noise.")
      }
    }
    if let sigma, !(sigma > 0 && sigma.isFinite) {
      throw ValidationError("--sigma: expected more than 0, found \(sigma).")
    }
    if let replicas, !ToleranceRule.replicaCounts.contains(replicas) {
      throw ValidationError("--replicas: expected 16, 32, … 1024, found \(replicas).")
    }
    if tolerance != nil, bound.bounds != nil {
      throw ValidationError("--tolerance and --rtol/--atol exclude each other.")
    }
  }

  /// Up to how many multiplications a case's rounding noise is measured on every sequence.
  var noiseWork: Double { everySequence ? .infinity : Judge.standardNoiseWork }

  /// The rule to judge by; nil where each case keeps its own.
  var rule: ToleranceRule? {
    if let bounds = bound.bounds { return .explicit(rtol: bounds.rtol, atol: bounds.atol) }
    switch tolerance {
    case .torch: return .torch
    case .exact: return .exact
    case nil where sigma == nil && replicas == nil: return nil
    case .noise, nil:
      return .noise(largestZ: sigma ?? NoiseLimits.standardZ, replicas: replicas ?? 16)
    }
  }
}

/// Whether the report is printed in colour.
struct ColorOptions: ParsableArguments {
  enum When: String, ExpressibleByArgument, CaseIterable {
    case auto
    case always
    case never
  }

  @Option(help: "When to print in colour; auto: on a terminal, unless NO_COLOR is set.")
  var color = When.auto

  var style: Style {
    switch color {
    case .always: Style(isColored: true)
    case .never: Style(isColored: false)
    case .auto: Style(isColored: Terminal.wantsColor)
    }
  }
}
