import ParityFixtures
import TensorArchives

/// The format in which a user's program is given a case.
package enum CaseContainer: String, CaseIterable, Sendable {
  /// The case's own file or folder, with all that it holds.
  case original
  /// A new file without the case's outputs, as the two below.
  case npz
  case h5
  /// A folder with an `.npy` file for each tensor.
  case folder

  /// Writes the case anew, unless it is handed over as it stands.
  ///
  /// - Parameter folder: where to write it.
  /// - Returns: the path of the case.
  /// - Throws: `SuppliedOutputs.Missing`, with what can't be read or written.
  /// - Complexity: O(bytes of the case).
  func path(
    of request: OutputsRequest, in folder: String
  ) throws(SuppliedOutputs.Missing) -> String {
    guard self != .original else { return request.location.path }
    let path = folder + "/case" + (self == .folder ? "" : "." + rawValue)
    do {
      try EngineInput(request).write(to: path)
    } catch {
      throw SuppliedOutputs.Missing("can't hand the case over: \(error)")
    }
    return path
  }
}
