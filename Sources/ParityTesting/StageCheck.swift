import ParityDiagnosis
import ParityFixtures
import ParityJudging
import ParityReports
import ParityTracing
import TensorArchives
import TensorCore

/// Takes an implementation's results one after the other: see ``Recording/trace(options:_:)-8bip4``.
public final class StageCheck {
  private let reference: ReferenceStages
  private var trace: Trace
  private var tensors: [String: Tensor] = [:]
  private var results: [Int: StageResult] = [:]

  init(_ reference: ReferenceStages, _ options: VerificationOptions) {
    self.reference = reference
    var own = Trace.Options()
    own.actualArithmetic = options.arithmetic?.own
    own.effort = options.diagnosis.effort
    trace = Trace(reference, own)
  }

  /// Judges one result.
  ///
  /// - Parameters:
  ///   - name: of the recording's `names`; of a module with an `output` the module's does too.
  ///   - tensor: axes of size 1 may be left out.
  /// - Throws: `ParityFailure` where the result is wrong and what it was computed from is right,
  ///   and where the recording has none of this name.
  public func callAsFunction(_ name: String, _ tensor: FixtureTensor) throws(ParityFailure) {
    guard let value = [name, name + "/output"].first(where: { reference.producers[$0] != nil }),
      let index = reference.producers[value]
    else {
      let known = reference.stages.filter { !$0.isBetweenModules && !$0.isBackward }.flatMap(
        \.outputs)
      throw ParityFailure(
        status: .invalid,
        description: "\(name): no such result; the recording has "
          + known.prefix(8).joined(separator: ", ") + (known.count > 8 ? ", …" : ""))
    }
    tensors[value] = tensor.tensor
    let result = trace.judge(index) { [tensors] value in
      tensors[value].map { LoadedSource(tensor: $0) }
    }
    results[index] = result
    if result.isStart || result.status == .unreadable {
      throw ParityFailure(status: .failed, description: report)
    }
  }

  /// - Throws: `ParityFailure` where nothing was judged.
  func finish() throws(ParityFailure) {
    guard results.isEmpty else { return }
    throw ParityFailure(
      status: .invalid, description: "\(reference.path): no result was handed over to the check")
  }

  /// What `parity-check trace` prints of the stages so far.
  private var report: String {
    let judged = results.sorted { $0.key < $1.key }.map(\.value)
    let text = TraceText(Style(isColored: false), isVerbose: false, stages: judged.map(\.stage))
    let lines = [text.head] + judged.flatMap(text.lines)
    return (lines + [text.verdict(judged)].compactMap(\.self)).joined(separator: "\n")
  }
}
