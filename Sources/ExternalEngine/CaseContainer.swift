import ParityFixtures
import TensorArchives

/// How a user's program is handed a case.
package enum CaseContainer: String, CaseIterable, Sendable {
  /// As it stands, whatever it is.
  case original
  case npz
  case h5
  /// With a file `.npy` for each tensor.
  case folder

  /// - Parameter folder: for what has to be written.
  /// - Returns: where the case is.
  /// - Throws: a description of what can't be read or written.
  func path(
    of request: OutputsRequest, in folder: String
  ) throws(SuppliedOutputs.Missing) -> String {
    let ending: String
    switch self {
    case .original: return request.location.path
    case .npz: ending = ".npz"
    case .h5: ending = ".h5"
    case .folder: ending = ""
    }
    let path = folder + "/case" + ending
    do {
      try CaseQuestion(request).write(to: path)
    } catch {
      throw SuppliedOutputs.Missing("can't hand the case over: \(error)")
    }
    return path
  }
}
