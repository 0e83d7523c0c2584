package import RecurrentModel
package import TensorArchives

/// Why a case can't be judged. Its description is one line for people, which starts with the
/// path of the file.
package enum CaseError: Error, Equatable, CustomStringConvertible {
  /// The file, or a part of it, can't be read.
  case unreadable(ArchiveError)
  /// The file can be read, but the fixture in it is wrong in itself: a tensor is missing, say,
  /// or two statements contradict each other.
  case invalid(path: String, InvalidValue)

  package var description: String {
    switch self {
    case .unreadable(let error): "\(error)"
    case .invalid(let path, let value): "\(path): \(value)"
    }
  }
}
