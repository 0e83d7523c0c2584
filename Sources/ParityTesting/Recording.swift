import ParityFixtures
import ParityJudging
import ParityReports
import ParityTracing
import TensorArchives
import TensorCore

/// What PyTorch computed in a whole model, module by module: a file that `parity_check.record` in
/// Python has written.
///
/// ```swift
/// let recording = try Recording("tagger.safetensors")
/// try recording.trace { check in
///   let features = conv(try recording.input())
///   try check("conv", features)
///   let (output, h, c) = lstm(features)
///   try check("lstm/output", output)
/// }
/// ```
///
/// It gives no reference results: `trace` judges an implementation's by them.
public struct Recording: Sendable {
  private let reference: ReferenceStages

  /// - Parameter path: of a file or folder.
  /// - Throws: `Unreadable` where it can't be read, or holds no recording.
  public init(_ path: String) throws(Unreadable) {
    do {
      guard let recording = try ParityFixtures.Recording(TensorContainer.open(path)) else {
        throw Unreadable(description: "\(path): expected a recording, found none")
      }
      reference = ReferenceStages(recording)
    } catch let error as Unreadable {
      throw error
    } catch {
      throw Unreadable(description: "\(error)")
    }
  }

  /// Why a recording can't be used; its description is one line with the path.
  public struct Unreadable: Error, CustomStringConvertible {
    public let description: String
  }

  /// The names by which results are handed over, in the order of execution: that of the module,
  /// `encoder.conv`, and of one that gives several `encoder.lstm/output`, `encoder.lstm/h_n`.
  public var names: [String] {
    reference.stages.filter { !$0.isBetweenModules && !$0.isBackward }.flatMap(\.outputs)
  }

  /// What the model was given.
  ///
  /// - Parameter name: `input` where it was one tensor, else `input.0` and so on, or `input.` and
  ///   the argument's name.
  /// - Throws: `Unreadable` where there is none of this name.
  /// - Complexity: O(bytes of the tensor).
  public func input(_ name: String = "input") throws(Unreadable) -> FixtureTensor {
    let inputs = reference.stages.filter { $0.className == RecordedStage.modelInput }
    guard inputs.contains(where: { $0.name == name }) else {
      let known = inputs.map(\.name).joined(separator: ", ")
      throw Unreadable(
        description: "\(reference.path): \(name): no such input; the recording has \(known)")
    }
    do {
      return FixtureTensor(try reference.tensor(of: name))
    } catch {
      throw Unreadable(description: "\(error)")
    }
  }

  /// Judges an implementation's results as it computes them, and stops it at the first stage that
  /// is wrong by itself.
  ///
  /// - Parameters:
  ///   - options: of these, the arithmetic of the implementation and how long to look for a mistake.
  ///   - run: the implementation. It is given a check, to be called with each result and its name in
  ///     `names`, in the order of execution. Stages may be left out.
  /// - Throws: `ParityFailure` with the report of the trace where a result is wrong, and where none
  ///   is handed over; and what `run` throws.
  public func trace(
    options: VerificationOptions = VerificationOptions(),
    _ run: (StageCheck) throws -> Void
  ) throws {
    let check = StageCheck(reference, options)
    try run(check)
    try check.finish()
  }

  /// The same of an implementation that computes asynchronously.
  ///
  /// - Parameters:
  ///   - options: as above.
  ///   - run: as above.
  /// - Throws: as above.
  public func trace(
    options: VerificationOptions = VerificationOptions(),
    _ run: (StageCheck) async throws -> Void
  ) async throws {
    let check = StageCheck(reference, options)
    try await run(check)
    try check.finish()
  }
}
