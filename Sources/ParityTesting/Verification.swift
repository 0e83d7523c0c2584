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

  /// Computes the outputs, by the names `output`, `h_n` and `c_n`, as far as the module has them.
  /// For a stream it is made and asked anew for each chunk.
  func outputs(for fixture: Fixture) throws -> [String: FixtureTensor]
}

/// The verdict on outputs that pass.
public struct ParityVerdict: Sendable {
  /// `.passed`, or `.skipped` where the case is expected to fail and does.
  public let status: ParityStatus
  /// What `parity-check` prints of the case.
  public let report: String
}

/// Outputs that are not PyTorch's: its description is the report.
public struct ParityFailure: Error, CustomStringConvertible {
  /// Any but `.passed` and `.skipped`.
  public let status: ParityStatus
  /// The report: what differs, by how much, and the mistake that explains it.
  public let description: String
}

/// How outputs are judged.
public struct VerificationOptions: Sendable {
  /// How long to look for the known mistake that explains a failure.
  public enum Diagnosis: Sendable {
    /// No mistake is looked for.
    case off
    /// The search takes some seconds.
    case fast
    /// The search takes a minute or so.
    case full
  }

  /// How long to look for the mistake that explains a failure.
  public var diagnosis = Diagnosis.fast
  /// The arithmetic of the implementation, where it is coarser or finer than the case asks for;
  /// nil for what the case asks for.
  public var arithmetic: ParityArithmetic?
  /// What the errors of the implementation's sigmoid and tanh are small beside.
  public var activations: ParityActivations
  /// The type of fewer bits in which the implementation keeps its weights; nil where it has the
  /// case's own. Its outputs are then held to what the formulas give with weights rounded so.
  public var weights: ParityWeights?
  /// The results that are judged, such as `["output"]`; nil for all that the fixture has.
  public var only: [String]?
  /// Whether a case fails that passes with a remark, as where zeros would pass too.
  public var strict: Bool

  /// Options that differ from the default in what is given; each is explained at its property.
  public init(
    diagnosis: Diagnosis = .fast, arithmetic: ParityArithmetic? = nil,
    activations: ParityActivations = .relative, weights: ParityWeights? = nil,
    only: [String]? = nil, strict: Bool = false
  ) {
    self.strict = strict
    self.only = only
    self.activations = activations
    self.diagnosis = diagnosis
    self.weights = weights
    self.arithmetic = arithmetic
  }

  var stated: StatedComputation {
    StatedComputation(
      arithmetic: arithmetic?.own, activations: activations.own, weights: weights?.own)
  }
}

extension VerificationOptions.Diagnosis {
  var effort: Diagnostician.Effort {
    switch self {
    case .off: .off
    case .fast: .fast
    case .full: .full
    }
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

  /// Judges outputs by the case's own rules.
  ///
  /// - Parameters:
  ///   - options: how the outputs are judged.
  ///   - outputs: computes the outputs, by the names `output`, `h_n` and `c_n`, as far as the
  ///     module has them; for a chain `output` alone, and the intermediate results that the case
  ///     names. It is not called where the fixture has no parameters, and once for each chunk of a
  ///     stream (`chunks`): the fixture that it is given then holds the chunk's part of the input,
  ///     and in `h0` and `c0` the states that it returned itself for the chunk before.
  /// - Throws: `ParityFailure` with the report where they are not PyTorch's, and what
  ///   `outputs` throws.
  @discardableResult
  public func verify(
    options: VerificationOptions = VerificationOptions(),
    _ outputs: (Fixture) throws -> [String: FixtureTensor]
  ) throws -> ParityVerdict {
    guard var run = parityCase?.outputsRequest.chunkedRun else {
      return try verdict(on: canBeComputed ? try outputs(self) : nil, options)
    }
    while let chunk = run.next {
      try append(try outputs(try self.chunk(chunk)), to: &run)
    }
    return try verdict(on: run.outputs.mapValues(FixtureTensor.init), options)
  }

  /// Judges outputs that are computed asynchronously; otherwise as above.
  ///
  /// - Throws: `ParityFailure` with the report where they are not PyTorch's, and what
  ///   `outputs` throws.
  @discardableResult
  public func verify(
    options: VerificationOptions = VerificationOptions(),
    _ outputs: @Sendable (Fixture) async throws -> [String: FixtureTensor]
  ) async throws -> ParityVerdict {
    guard var run = parityCase?.outputsRequest.chunkedRun else {
      return try verdict(on: canBeComputed ? try await outputs(self) : nil, options)
    }
    while let chunk = run.next {
      try append(try await outputs(try self.chunk(chunk)), to: &run)
    }
    return try verdict(on: run.outputs.mapValues(FixtureTensor.init), options)
  }

  /// Takes what an implementation gives for one chunk of a stream.
  ///
  /// - Throws: `ParityFailure` where the next chunk can't go on from it.
  private func append(
    _ outputs: [String: FixtureTensor], to run: inout ChunkedRun
  ) throws(ParityFailure) {
    do throws(InvalidValue) {
      try run.append(outputs.mapValues(\.tensor))
    } catch {
      throw ParityFailure(status: .failed, description: "\(name): \(error)")
    }
  }

  /// Whether the fixture has parameters. Without them only the layout of its reference is judged.
  public var canBeComputed: Bool { parityCase?.outputsRequest.canBeComputed ?? false }

  private func verdict(
    on outputs: [String: FixtureTensor]?, _ options: VerificationOptions
  ) throws(ParityFailure) -> ParityVerdict {
    let result = result(outputs, options)
    var text = TextReport(
      style: Style(isColored: false), detail: .normal, names: [name], audience: .library)
    let report = text.lines(result).joined(separator: "\n")
    let status = ParityStatus(result.status)
    guard status == .passed || status == .skipped else {
      throw ParityFailure(status: status, description: report)
    }
    return ParityVerdict(status: status, report: report)
  }

  private func result(
    _ outputs: [String: FixtureTensor]?, _ options: VerificationOptions
  ) -> CaseResult {
    let judge = Judge(
      strict: options.strict, diagnostician: Diagnostician(options.diagnosis.effort))
    switch loaded {
    case .failure(let error):
      return CaseResult(location, error)
    case .success(let whole):
      var parityCase = whole
      if let only = options.only {
        do throws(InvalidValue) {
          parityCase = try whole.only(only)
        } catch {
          return CaseResult(location, .invalid(path: location.path, error))
        }
      }
      guard let outputs else { return judge.judge(parityCase) }
      let supplied = SuppliedOutputs(outputs.mapValues(\.tensor), for: parityCase.outputsRequest)
      return judge.judge(parityCase, supplied, in: options.stated)
    }
  }
}
