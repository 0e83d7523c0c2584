import RecurrentModel
import TensorArchives
package import TensorCore

/// Outputs that were made elsewhere: one file or folder a case, named like it.
///
/// Each holds `output`, `h_n` and `c_n`, as far as the case's module has them, by these
/// names or below `outputs/`; other tensors are refused, so that none is overlooked.
package struct OutputsFolder: OutputsSource {
  private let folder: String

  package init(_ folder: String) { self.folder = folder }

  /// Whether there is such a folder.
  package var exists: Bool { (try? FileBytes.kind(of: folder)) == .folder }

  package func outputs(for request: OutputsRequest) async -> SuppliedOutputs? {
    do {
      return SuppliedOutputs(
        outputs: .success(try read(request.location.name, for: request)))
    } catch {
      return SuppliedOutputs(outputs: .failure(SuppliedOutputs.Missing("\(error)")))
    }
  }

  /// - Parameter name: of a file or folder in this one, without its ending.
  /// - Returns: tensors of any shapes.
  /// - Throws: `CaseError`, naming the file, where there is none, or more than one, or
  ///   where it lacks a tensor.
  package func read(
    _ name: String, for request: OutputsRequest
  ) throws(CaseError) -> [String: Tensor] {
    let path = try path(of: name)
    var tensors: [String: Tensor] = [:]
    var twice: String?
    do throws(ArchiveError) {
      let archive = try TensorContainer.open(path)
      for name in archive.tensorNames {
        let short = name.hasPrefix("outputs/") ? String(name.dropFirst("outputs/".count)) : name
        let former = tensors.updateValue(try archive.tensor(named: name), forKey: short)
        if former != nil { twice = short }
      }
    } catch {
      throw .unreadable(error)
    }
    do throws(InvalidValue) {
      if let twice {
        throw InvalidValue(
          twice, expected: "one tensor", found: "another in outputs/\(twice)")
      }
      try request.check(tensors)
    } catch {
      throw .invalid(path: path, error)
    }
    return tensors
  }

  /// Files and folders of this name, with any ending.
  package func candidates(_ name: String) -> [String] {
    let stem = folder + "/" + name
    let endings = [""] + TensorContainer.allCases.filter(\.holdsNames).flatMap(\.extensions)
    return endings.map { stem + $0 }.filter { (try? FileBytes.kind(of: $0)) != nil }
  }

  private func path(of name: String) throws(CaseError) -> String {
    let found = candidates(name)
    guard found.count == 1 else {
      throw .invalid(
        path: folder,
        InvalidValue(
          name, expected: "one file or folder of this name with the outputs",
          found: found.isEmpty ? "none" : found.joined(separator: " and ")))
    }
    return found[0]
  }
}
