package import RecurrentModel
import TensorArchives
import TensorCore

/// Outputs that were made elsewhere: one file or folder a case, named like it.
///
/// Each holds `output`, `h_n` and `c_n`, as far as the case's module has them, by these
/// names or below `outputs/`; other tensors are refused, so that none is overlooked.
package struct SuppliedOutputs: Sendable {
  private let folder: String

  package init(folder: String) { self.folder = folder }

  /// Whether there is such a folder.
  package var exists: Bool { (try? FileBytes.kind(of: folder)) == .folder }

  /// - Returns: tensors of any shapes.
  /// - Throws: `CaseError`, naming the file, where there is none, or more than one, or
  ///   where it lacks a tensor.
  package func outputs(for parityCase: ParityCase) throws(CaseError) -> RecurrentOutput {
    let path = try path(of: parityCase.location.name)
    var tensors: [String: Tensor] = [:]
    do throws(ArchiveError) {
      let archive = try TensorContainer.open(path)
      for name in archive.tensorNames {
        let short = name.hasPrefix("outputs/") ? String(name.dropFirst("outputs/".count)) : name
        tensors[short] = try archive.tensor(named: name)
      }
    } catch {
      throw .unreadable(error)
    }
    do throws(InvalidValue) {
      let expected = parityCase.reference.named.map(\.name)
      let list = expected.joined(separator: ", ")
      for name in expected where tensors[name]?.elementType.isFloatingPoint != true {
        throw InvalidValue(
          name, expected: "a tensor of floats, beside \(list)",
          found: tensors[name].map { "\($0.elementType) \($0.shape)" } ?? "none")
      }
      if let stranger = tensors.keys.filter({ !expected.contains($0) }).min() {
        throw InvalidValue(stranger, expected: "none but \(list)", found: "a tensor")
      }
    } catch {
      throw .invalid(path: path, error)
    }
    guard let hN = tensors["h_n"] else { preconditionFailure("every module has h_n") }
    return RecurrentOutput(output: tensors["output"], hN: hN, cN: tensors["c_n"])
  }

  private func path(of name: String) throws(CaseError) -> String {
    let stem = folder + "/" + name
    let endings = [""] + TensorContainer.allCases.filter(\.holdsNames).flatMap(\.extensions)
    let found = endings.map { stem + $0 }.filter { (try? FileBytes.kind(of: $0)) != nil }
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
