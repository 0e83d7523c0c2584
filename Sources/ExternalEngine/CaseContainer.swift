import ParityFixtures
import TensorArchives

/// The format in which a user's program is given a case.
package enum CaseContainer: String, CaseIterable, Sendable {
  /// The case's own file or folder, with all that it holds.
  case original
  /// A new file without the case's outputs, as the three below.
  case npz
  case h5
  case safetensors
  /// A folder with an `.npy` file for each tensor.
  case folder

  /// Writes the case anew, unless it is handed over as it stands. A chunk of a stream is always
  /// written, in the container of the case where that is to stay.
  ///
  /// - Parameters:
  ///   - chunk: the part of a stream that is handed over; nil for a whole case.
  ///   - folder: where to write it.
  /// - Returns: the path of the case.
  /// - Throws: `SuppliedOutputs.Missing`, with what can't be read or written.
  /// - Complexity: O(bytes of the case).
  func path(
    of request: OutputsRequest, _ chunk: ChunkedRun.Chunk? = nil, in folder: String
  ) throws(SuppliedOutputs.Missing) -> String {
    let original = request.location.path
    var ending = self == .folder ? "" : "." + rawValue
    if self == .original {
      guard chunk != nil else { return original }
      ending = TensorContainer(path: original)?.extensions.first ?? ""
    }
    let path = folder + "/case" + ending
    do {
      try EngineInput(request, chunk).write(to: path)
    } catch {
      throw SuppliedOutputs.Missing("can't hand the case over: \(error)")
    }
    return path
  }
}
