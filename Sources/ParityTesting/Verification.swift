import ParityDiagnosis
import ParityFixtures
import ParityJudging
import ParityReports
import RecurrentModel
import TensorCore

/// An implementation under test, made anew for each case.
public protocol FixtureImplementation {
  /// Takes parameters and arguments from the case.
  init(_ fixture: Fixture) throws

  /// By the names `output`, `h_n` and `c_n`, as far as the module has them.
  func outputs(for fixture: Fixture) throws -> [String: FixtureTensor]
}

/// What the judge says of outputs.
public struct ParityVerdict: Sendable {
  /// `passed`, or `skipped` where the case is expected to fail and does.
  public let status: String
  /// What `parity-check` prints of the case.
  public let report: String
}

/// Outputs that are not PyTorch's: its description is the report.
public struct ParityFailure: Error, CustomStringConvertible {
  /// `failed`, `inconclusive`, `invalid` or `unreadable`.
  public let status: String
  public let description: String
}

/// How outputs are judged.
public struct VerificationOptions: Sendable {
  /// How long to look for the known mistake that explains a failure.
  public enum Diagnosis: Sendable {
    case off
    /// Some seconds.
    case fast
    /// A minute or so.
    case full
  }

  /// What an implementation computes in, coarser or finer than the case asks for.
  public enum Arithmetic: String, Sendable, CaseIterable {
    case float16
    case bfloat16
    case tf32
    case float32
    case float64
  }

  public var diagnosis = Diagnosis.fast
  /// nil for what the case asks for.
  public var arithmetic: Arithmetic?

  public init(diagnosis: Diagnosis = .fast, arithmetic: Arithmetic? = nil) {
    self.diagnosis = diagnosis
    self.arithmetic = arithmetic
  }
}

extension Fixture {
  /// Judges an implementation's outputs by the case's own rules.
  ///
  /// - Throws: `ParityFailure` with the report where they are not PyTorch's, and what the
  ///   implementation throws.
  @discardableResult
  public func verify<Implementation: FixtureImplementation>(
    _: Implementation.Type, options: VerificationOptions = VerificationOptions()
  ) throws -> ParityVerdict {
    try verify(options: options) { try Implementation($0).outputs(for: $0) }
  }

  /// - Parameter outputs: by the names `output`, `h_n` and `c_n`, as far as the module has
  ///   them; of a chain `output` alone, and what intermediate results it names.
  /// - Throws: `ParityFailure` with the report where they are not PyTorch's, and what
  ///   `outputs` throws.
  @discardableResult
  public func verify(
    options: VerificationOptions = VerificationOptions(),
    _ outputs: (Fixture) throws -> [String: FixtureTensor]
  ) throws -> ParityVerdict {
    try verdict(on: canBeComputed ? try outputs(self) : nil, options)
  }

  /// - Parameter outputs: by the names `output`, `h_n` and `c_n`, as far as the module has
  ///   them; of a chain `output` alone, and what intermediate results it names.
  /// - Throws: `ParityFailure` with the report where they are not PyTorch's, and what
  ///   `outputs` throws.
  @discardableResult
  public func verify(
    options: VerificationOptions = VerificationOptions(),
    _ outputs: @Sendable (Fixture) async throws -> [String: FixtureTensor]
  ) async throws -> ParityVerdict {
    try verdict(on: canBeComputed ? try await outputs(self) : nil, options)
  }

  /// Whether there are parameters; without them the layout of the reference is judged alone.
  public var canBeComputed: Bool {
    if case .success(let loaded) = loaded { loaded.outputsRequest.canBeComputed } else { false }
  }

  private func verdict(
    on outputs: [String: FixtureTensor]?, _ options: VerificationOptions
  ) throws(ParityFailure) -> ParityVerdict {
    let result = result(outputs, options)
    var text = TextReport(style: Style(isColored: false), detail: .normal, names: [name])
    let report = text.lines(result).joined(separator: "\n")
    switch result.status {
    case .passed, .skipped:
      return ParityVerdict(status: result.status.rawValue, report: report)
    case .failed, .inconclusive, .invalid, .unreadable:
      throw ParityFailure(status: result.status.rawValue, description: report)
    }
  }

  private func result(
    _ outputs: [String: FixtureTensor]?, _ options: VerificationOptions
  ) -> CaseResult {
    let effort: Diagnostician.Effort =
      switch options.diagnosis {
      case .off: .off
      case .fast: .fast
      case .full: .full
      }
    let judge = Judge(
      sourceArithmetic: options.arithmetic.flatMap { TensorCore.Arithmetic(rawValue: $0.rawValue) },
      diagnostician: Diagnostician(effort))
    switch loaded {
    case .failure(let error):
      return CaseResult(location, error)
    case .success(let loaded):
      let supplied = outputs.map {
        SuppliedOutputs(
          $0.mapValues(\.tensor), for: loaded.outputsRequest)
      }
      return switch loaded {
      case .recurrent(let parityCase): judge.judge(parityCase, supplied)
      case .sequential(let chain): judge.judge(chain, supplied)
      }
    }
  }
}
