package import RecurrentModel
import TensorArchives
import TensorCore

/// A file of trained parameters, and the recurrent module in it that is asked for.
///
/// ```swift
/// let checkpoint = try Checkpoint("model.safetensors:encoder.lstm")
/// checkpoint.module.configuration    // LSTM(16, 24, bidirectional=True)
/// let stateDict = try checkpoint.stateDict()
/// ```
package struct Checkpoint: Sendable {
  package let path: String
  package let module: FoundModule
  /// All of the checkpoint.
  package let archive: CheckpointArchive

  /// - Parameters:
  ///   - path: of the file or folder.
  ///   - prefix: the module's name in it, with or without the dot at its end; nil where it holds
  ///     one recurrent module.
  /// - Throws: `CaseError` where the file can't be read, where there is no recurrent module, or
  ///   none of this name, and where there are several and none is named.
  package init(_ path: String, prefix: String? = nil) throws(CaseError) {
    self.path = path
    do throws(ArchiveError) {
      archive = CheckpointArchive(try TensorContainer.open(path, namingFiles: true))
    } catch {
      throw .unreadable(error)
    }
    let modules = archive.modules
    let found = prefix.map { prefix in
      modules.filter { $0.name == prefix || $0.prefix == prefix }
    }
    guard (found ?? modules).count == 1 else {
      if (found ?? modules).isEmpty, let problem = archive.problem(of: prefix) {
        throw .unreadable(problem)
      }
      throw Self.error(path, prefix, modules)
    }
    module = (found ?? modules)[0]
  }

  private static func error(
    _ path: String, _ prefix: String?, _ modules: [FoundModule]
  ) -> CaseError {
    return .invalid(
      path: path,
      InvalidValue(
        prefix ?? "recurrent module",
        expected: prefix == nil ? "one recurrent module" : "the name of a recurrent module",
        found: modules.isEmpty ? "none" : FoundModule.list(modules),
        remedy: modules.isEmpty
          ? "parity-check inspect \(path) shows what is there"
          : "name one: \(path):\(modules[0].name)"))
  }

  /// Whether all tensors of the checkpoint are the module's.
  package var holdsNothingElse: Bool {
    archive.tensorNames.count == module.configuration.parameters.count
  }

  /// The module's parameters by PyTorch's names, without the prefix.
  ///
  /// - Throws: `CaseError` where a tensor can't be read, or is of another type than the others.
  /// - Complexity: O(bytes of the parameters).
  package func stateDict() throws(CaseError) -> StateDict {
    var tensors: [String: Tensor] = [:]
    do throws(ArchiveError) {
      for parameter in module.configuration.parameters {
        tensors[parameter.name] = try archive.tensor(named: module.qualified(parameter.name))
      }
    } catch {
      throw .unreadable(error)
    }
    do throws(InvalidValue) {
      return try StateDict(tensors, checkedAgainst: module.configuration)
    } catch {
      throw .invalid(path: path, error)
    }
  }
}

extension FoundModule {
  /// The names of some modules for a sentence; eight of them where there are more.
  static func list(_ modules: [FoundModule]) -> String {
    let names = modules.prefix(8).map { $0.prefix.isEmpty ? "(no prefix)" : $0.name }
    return names.joined(separator: ", ") + (modules.count > 8 ? ", …" : "")
  }
}
