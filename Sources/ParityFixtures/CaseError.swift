package import RecurrentModel
package import TensorArchives

/// Why a case can't be judged.
package enum CaseError: Error, Equatable, CustomStringConvertible {
  /// The file, or a member of it, can't be read.
  case unreadable(ArchiveError)
  /// It can, and the fixture is wrong in itself.
  case invalid(path: String, InvalidValue)

  package var description: String {
    switch self {
    case .unreadable(let error): "\(error)"
    case .invalid(let path, let value): "\(path): \(value)"
    }
  }
}
