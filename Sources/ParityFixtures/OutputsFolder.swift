import RecurrentModel
package import TensorArchives
package import TensorCore

/// A folder of outputs that another implementation has computed. For each case it holds one
/// file or folder that is named like the case.
///
/// ```swift
/// let source = OutputsFolder("mine")  // mine/gru.npz, mine/lstm-packed/output.npy, …
/// let supplied = await source.outputs(for: parityCase.outputsRequest)
/// ```
///
/// Each of them holds `output`, `h_n` and `c_n`, as far as the case's module has them, by these
/// names, with `outputs/` before them, or by the names that a map gives for them. Any other tensor
/// is an error, so that none is overlooked.
package struct OutputsFolder: OutputsSource {
  private let folder: String
  private let map: NameMap

  /// - Parameter map: by which other names the outputs stand in the files. What it says of a
  ///   result that a case does not have, or a file does not hold, is passed over.
  package init(_ folder: String, map: NameMap = .none) {
    self.folder = folder
    self.map = map.without(Self.group)
  }

  /// What the names of outputs may start with.
  private static let group = "outputs/"

  /// Checks that there is such a folder.
  ///
  /// - Throws: `ArchiveError` where nothing is at its path, or a file, of which it names the folder.
  package func checkIsFolder() throws(ArchiveError) {
    guard try FileBytes.kind(of: folder) != .folder else { return }
    let own = folder.lastIndex(of: "/").map { $0 == folder.startIndex ? "/" : folder[..<$0] } ?? "."
    throw ArchiveError(
      path: folder, .unreadable("expected a folder, found a file; give its folder, \(own)"))
  }

  package func outputs(for request: OutputsRequest) async -> SuppliedOutputs? {
    let outputs = Result { () throws(CaseError) in
      try read(request.location.name, for: request)
    }
    return SuppliedOutputs(outputs: outputs.mapError { SuppliedOutputs.Missing("\($0)") })
  }

  /// Reads the outputs of one case.
  ///
  /// - Parameter name: that of a file or folder in this folder, without its ending.
  /// - Returns: the outputs that are asked for, of any shapes.
  /// - Throws: `CaseError`, naming the file, where there is none or more than one, and where it
  ///   lacks a tensor or has another one.
  package func read(
    _ name: String, for request: OutputsRequest
  ) throws(CaseError) -> [String: Tensor] {
    try read(at: try path(of: name), for: request)
  }

  /// Reads the outputs of one case from a file or folder anywhere; otherwise as above.
  package static func read(
    at path: String, for request: OutputsRequest
  ) throws(CaseError) -> [String: Tensor] {
    try OutputsFolder("").read(at: path, for: request)
  }

  private func read(
    at path: String, for request: OutputsRequest
  ) throws(CaseError) -> [String: Tensor] {
    var tensors: [String: Tensor] = [:]
    var duplicate: String?
    do throws(ArchiveError) {
      let archive = try TensorContainer.open(path)
      for name in archive.tensorNames {
        let short = name.hasPrefix(Self.group) ? String(name.dropFirst(Self.group.count)) : name
        let meant = map.expected(short)
        let former = tensors.updateValue(try archive.tensor(named: name), forKey: meant)
        if former != nil { duplicate = meant }
      }
    } catch {
      throw .unreadable(error)
    }
    do throws(InvalidValue) {
      if let duplicate {
        throw InvalidValue(
          duplicate, expected: "one tensor",
          found: "another in " + (map.actual[duplicate] ?? Self.group + duplicate))
      }
      try request.check(tensors)
    } catch {
      throw .invalid(path: path, error)
    }
    return tensors
  }

  /// The paths of the files and folders that have this name, with any ending of a format that
  /// holds several tensors.
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
