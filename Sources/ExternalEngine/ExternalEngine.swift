package import ParityFixtures
import RecurrentModel

#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

/// A user's program as the source of outputs: it runs once for each case.
package struct ExternalEngine: OutputsSource {
  private let command: EngineCommand
  private let container: CaseContainer
  private let timeLimit: Duration

  /// - Parameters:
  ///   - container: how the case is handed over.
  ///   - timeLimit: after which a run is ended, with all that it started.
  package init(_ command: EngineCommand, container: CaseContainer, timeLimit: Duration) {
    self.command = command
    self.container = container
    self.timeLimit = timeLimit
  }

  /// - Returns: nil for a case without parameters, which nothing can be computed of.
  package func outputs(for request: OutputsRequest) async -> SuppliedOutputs? {
    guard request.canBeComputed else { return nil }
    do {
      let folder = try WorkingFolder()
      defer { folder.remove() }
      return await outputs(for: request, in: folder)
    } catch {
      return missing("can't make a folder for the engine's files: \(error)")
    }
  }

  private func outputs(
    for request: OutputsRequest, in folder: WorkingFolder
  ) async -> SuppliedOutputs {
    let path: String
    do throws(SuppliedOutputs.Missing) {
      path = try container.path(of: request, in: folder.path)
    } catch {
      return SuppliedOutputs(outputs: .failure(error))
    }
    let words = command.words(case: path, output: folder.path + "/" + Self.outputName)
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
    let results = OutputsFolder(folder.path)
    guard !results.candidates(Self.outputName).isEmpty else {
      return missing("the engine ended well and wrote no file or folder {out}")
    }
    do throws(CaseError) {
      return SuppliedOutputs(
        outputs: .success(try results.read(Self.outputName, for: request)), printed: printed)
    } catch {
      return missing("\(error)".replacing(folder.path + "/" + Self.outputName, with: "{out}"))
    }
  }

  private static let outputName = "outputs"

  private func missing(_ reason: String, _ printed: String = "") -> SuppliedOutputs {
    SuppliedOutputs(outputs: .failure(SuppliedOutputs.Missing(reason)), printed: printed)
  }
}

/// A folder for the files of one run.
private struct WorkingFolder {
  let path: String

  init() throws {
    let url = FileManager.default.temporaryDirectory
      .appending(path: "parity-check-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: false)
    path = url.path(percentEncoded: false)
  }

  func remove() { try? FileManager.default.removeItem(atPath: path) }
}
