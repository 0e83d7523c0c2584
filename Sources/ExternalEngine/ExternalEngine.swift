package import ParityFixtures
import Platform
import RecurrentModel

/// A user's program as the source of the outputs that are judged: it runs once for each case, and
/// for a stream once for each chunk, which starts from the states that the program gave itself.
///
/// ```swift
/// let engine = ExternalEngine(
///   try EngineCommand(parsing: "./mine {case} {out}"), container: .npz,
///   timeLimit: .seconds(60))
/// let supplied = await engine.outputs(for: request)
/// ```
///
/// Whatever goes wrong with a run is a reason why the outputs of its case are missing; it
/// is nothing that is thrown, and no matter of any other case.
package struct ExternalEngine: OutputsSource {
  private let command: EngineCommand
  private let container: CaseContainer
  private let timeLimit: Duration

  /// - Parameters:
  ///   - container: in which format the program is handed a case.
  ///   - timeLimit: how long a run may take, at most.
  package init(_ command: EngineCommand, container: CaseContainer, timeLimit: Duration) {
    self.command = command
    self.container = container
    self.timeLimit = timeLimit
  }

  /// Runs the program for one case.
  ///
  /// - Returns: the outputs, or why they are missing, with the last of what the program
  ///   printed. Nil for a case without parameters, for which nothing can be computed.
  package func outputs(for request: OutputsRequest) async -> SuppliedOutputs? {
    guard request.canBeComputed else { return nil }
    do {
      let folder = FileManager.default.temporaryDirectory
        .appending(path: "parity-check-\(UUID().uuidString)").path(percentEncoded: false)
      try FileManager.default.createDirectory(
        atPath: folder, withIntermediateDirectories: false)
      defer { try? FileManager.default.removeItem(atPath: folder) }
      guard let run = request.chunkedRun else { return await outputs(for: request, in: folder) }
      return try await outputs(for: request, in: folder, run)
    } catch {
      return missing("can't make a folder for the engine's files: \(error)")
    }
  }

  /// Runs the program for one chunk of a stream after the other.
  ///
  /// - Parameter folder: an empty folder, in which each chunk gets one of its own.
  /// - Throws: where no folder can be made.
  private func outputs(
    for request: OutputsRequest, in folder: String, _ stream: ChunkedRun
  ) async throws -> SuppliedOutputs {
    var (stream, printed) = (stream, "")
    while let chunk = stream.next {
      let own = "\(folder)/\(chunk.index)"
      try FileManager.default.createDirectory(
        atPath: own, withIntermediateDirectories: false)
      defer { try? FileManager.default.removeItem(atPath: own) }
      let supplied = await outputs(for: request, chunk, in: own)
      printed = supplied.printed
      switch supplied.outputs {
      case .success(let tensors):
        do throws(InvalidValue) {
          try stream.append(tensors)
        } catch {
          return missing("\(error)", printed)
        }
      case .failure(let reason): return missing("\(chunk.name): \(reason)", printed)
      }
    }
    return SuppliedOutputs(outputs: .success(stream.outputs), printed: printed)
  }

  /// - Parameters:
  ///   - chunk: the part of a stream that is computed; nil for a whole case.
  ///   - folder: an empty folder for the files of this run.
  private func outputs(
    for request: OutputsRequest, _ chunk: ChunkedRun.Chunk? = nil, in folder: String
  ) async -> SuppliedOutputs {
    let path: String
    do throws(SuppliedOutputs.Missing) {
      path = try container.path(of: request, chunk, in: folder)
    } catch {
      return SuppliedOutputs(outputs: .failure(error))
    }
    let words = command.words(case: path, output: folder + "/" + Self.outputName)
    let (end, printed) = await EngineProcess(words: words, timeLimit: timeLimit).run()
    func missing(_ reason: String) -> SuppliedOutputs { self.missing(reason, printed) }
    switch end {
    case .exited(0): break
    case .exited(let status): return missing("the engine ended with exit status \(status)")
    case .signal(let signal): return missing("the engine was ended by signal \(signal)")
    case .outOfTime:
      return missing("the engine was ended after \(timeLimit), which --engine-timeout allows")
    case .notStarted(let reason): return missing("can't run \(words[0]): \(reason)")
    }
    let results = OutputsFolder(folder)
    guard !results.candidates(Self.outputName).isEmpty else {
      return missing("the engine ended well and wrote no file or folder {out}")
    }
    do throws(CaseError) {
      return SuppliedOutputs(
        outputs: .success(try results.read(Self.outputName, for: request)), printed: printed)
    } catch {
      return missing("\(error)".replacing(folder + "/" + Self.outputName, with: "{out}"))
    }
  }

  /// The name that stands for `{out}`, in the folder of a run.
  private static let outputName = "outputs"

  private func missing(_ reason: String, _ printed: String = "") -> SuppliedOutputs {
    SuppliedOutputs(outputs: .failure(SuppliedOutputs.Missing(reason)), printed: printed)
  }
}
