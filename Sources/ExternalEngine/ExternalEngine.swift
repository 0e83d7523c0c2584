package import ParityFixtures
import Platform
import RecurrentModel
import TensorArchives

/// A user's program as the source of the outputs that are judged: it runs once for each case, or
/// answers one after the other (`EngineRunner`), and for a stream each chunk counts as a case, which
/// starts from the states that the program gave itself.
///
/// ```swift
/// let engine = ExternalEngine(
///   try EngineCommand(parsing: "./mine {case} {out}"), container: .npz,
///   timeLimit: .seconds(60), twice: .every)
/// let supplied = await engine.outputs(for: request)
/// await engine.finish()
/// ```
///
/// A case that it is run on twice must give the same bits both times. A program may decline a case
/// that it cannot compute, and says why.
///
/// Whatever goes wrong with a run is a reason why the outputs of its case are missing; it
/// is nothing that is thrown, and no matter of any other case.
package struct ExternalEngine: OutputsSource {
  private let runner: any EngineRunner
  private let container: CaseContainer
  private let map: NameMap
  private let folders: EngineFolders
  /// nil where the program is run twice on every case.
  private let repeated: RepeatedCase?

  /// On which cases the program is run a second time.
  package enum Twice: Sendable {
    /// On all.
    case every
    /// On the case at a path, or, where the program does not compute that one, on the next that
    /// it computes; on none where it is nil.
    case one(path: String?)
  }

  /// - Parameters:
  ///   - container: in which format the program is handed a case.
  ///   - timeLimit: how long a run may take, at most.
  ///   - map: by which other names the program writes its outputs.
  ///   - folders: where what it is given and writes stands.
  package init(
    _ command: EngineCommand, container: CaseContainer, timeLimit: Duration,
    map: NameMap = .none, folders: EngineFolders = EngineFolders(),
    twice: Twice = .one(path: nil)
  ) {
    runner =
      switch command.kind {
      case .process: EngineProcess(command: command, timeLimit: timeLimit)
      case .server: EngineServers(program: EngineProgram(words: command.words), timeLimit)
      }
    self.container = container
    self.map = map
    self.folders = folders
    switch twice {
    case .every: repeated = nil
    case .one(let path): repeated = RepeatedCase(path: path)
    }
  }

  /// Runs the program for one case, once or twice.
  ///
  /// - Returns: the outputs, or why they are missing, with the last of what the program
  ///   printed. Nil for a case without parameters, for which nothing can be computed.
  package func outputs(for request: OutputsRequest) async -> SuppliedOutputs? {
    guard request.canBeComputed else { return nil }
    let first = await run(request, isRepeated: false)
    let outputs = try? first.outputs.get()
    let isRepeated =
      repeated?.isIt(path: request.location.path, isComputed: outputs != nil) ?? true
    guard isRepeated, let outputs else { return first }
    let second = await run(request, isRepeated: true)
    guard let fault = TwoRuns(outputs, second.outputs).fault else { return first }
    return missing(fault, second.printed)
  }

  /// Ends what still runs of the program.
  package func finish() async { await runner.finish() }

  /// One run.
  private func run(_ request: OutputsRequest, isRepeated: Bool) async -> SuppliedOutputs {
    do throws(ArchiveError) {
      let folder = try folders.make(for: request.location.name, isRepeated: isRepeated)
      defer { folders.remove(folder) }
      guard let run = request.chunkedRun else { return await outputs(for: request, in: folder) }
      return try await outputs(for: request, in: folder, run)
    } catch {
      return missing("\(error)")
    }
  }

  /// Runs the program for one chunk of a stream after the other.
  ///
  /// - Parameter folder: an empty folder, in which each chunk gets one of its own.
  /// - Throws: `ArchiveError` where no folder can be made.
  private func outputs(
    for request: OutputsRequest, in folder: String, _ stream: ChunkedRun
  ) async throws(ArchiveError) -> SuppliedOutputs {
    var (stream, printed) = (stream, "")
    while let chunk = stream.next {
      let own = try folders.make(in: folder, chunk: chunk.index)
      defer { folders.remove(own) }
      let supplied = await outputs(for: request, chunk, in: own)
      printed = supplied.printed
      switch supplied.outputs {
      case .success(let tensors):
        do throws(InvalidValue) {
          try stream.append(tensors)
        } catch {
          return missing("\(error)", printed)
        }
      case .failure(let reason) where reason.isDeclined: return supplied
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
    let run = await runner.run(case: path, output: folder + "/" + Self.outputName)
    let printed = run.printed.text
    func missing(_ reason: String) -> SuppliedOutputs { self.missing(reason, printed) }
    switch run.outcome {
    case .computed: break
    case .declined(let reason):
      let reason = "by the engine: " + (reason ?? "it printed no reason")
      return SuppliedOutputs(
        outputs: .failure(SuppliedOutputs.Missing(reason, isDeclined: true)), printed: printed)
    case .failed(let reason): return missing(reason)
    }
    let results = OutputsFolder(folder, map: map)
    guard !results.candidates(Self.outputName).isEmpty else {
      return missing(
        "the engine \(runner.success) and wrote no file or folder {out}"
          + Self.others(in: folder))
    }
    do throws(CaseError) {
      return SuppliedOutputs(
        outputs: .success(try results.read(Self.outputName, for: request)), printed: printed)
    } catch {
      return missing("\(error)".replacing(folder + "/" + Self.outputName, with: "{out}"))
    }
  }

  /// What was written by a name like `{out}`, with an ending that cannot be read; empty where
  /// nothing was.
  private static func others(in folder: String) -> String {
    let files = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    let others = files.filter { $0.hasPrefix(outputName) }.sorted()
    guard !others.isEmpty else { return "" }
    let names = others.map { "{out}" + $0.dropFirst(outputName.count) }.joined(separator: ", ")
    return ", only \(names): write an .npz, an .h5, or a folder of .npy"
  }

  /// The name that stands for `{out}`, in the folder of a run.
  private static let outputName = "outputs"

  private func missing(_ reason: String, _ printed: String = "") -> SuppliedOutputs {
    SuppliedOutputs(outputs: .failure(SuppliedOutputs.Missing(reason)), printed: printed)
  }
}
