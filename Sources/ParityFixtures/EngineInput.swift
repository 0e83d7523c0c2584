import JSON
import RecurrentModel
package import TensorArchives
import TensorCore

/// A case without its outputs: what an external program is given to compute them from.
///
/// ```swift
/// let input = try EngineInput(parityCase.outputsRequest)
/// try input.write(to: "gru.npz")  // parameters, inputs and a manifest
/// ```
package struct EngineInput {
  private let manifest: JSONValue
  private let tensors: [String: Tensor]

  /// The keys of the manifest that only the judge needs, or that no longer hold: `digest` is
  /// over the outputs too, and `tensors` names files that the program is not given.
  private static let withheldKeys = ["digest", "tensors", "tolerance", "expected_failure"]

  /// Those that do not hold of one chunk of a stream, whose states are needed, all of them.
  private static let withheldOfChunks = [ChunkSizes.key, "outputs"]

  /// Reads the case's files once more, since a loaded case holds rounded tensors.
  ///
  /// - Parameter chunk: the part of a stream that the program is given, as a case of its own; nil
  ///   for all of it.
  /// - Throws: `CaseError` where the files can't be read any more.
  package init(_ request: OutputsRequest, _ chunk: ChunkedRun.Chunk? = nil) throws(CaseError) {
    let contents = try FixtureContents(request.location)
    var tensors = try contents.tensors { !$0.hasPrefix("outputs/") }
    guard case .object(var values) = contents.json else {
      preconditionFailure("a checked manifest is an object")
    }
    for key in Self.withheldKeys { values[key] = nil }
    if let chunk {
      for key in Self.withheldOfChunks { values[key] = nil }
      tensors["inputs/input"] = tensors["inputs/input"].map { chunk.part(of: $0) }
      for (name, state) in chunk.states ?? [:] { tensors["inputs/" + name] = state }
    }
    self.tensors = tensors
    values.merge(request.completed) { $1 }
    manifest = .object(values)
  }

  /// Writes it as any fixture is written, in the container that the path's ending names:
  /// the parameters and inputs as they stand in the case, and a manifest in which every
  /// argument is stated.
  ///
  /// - Throws: `ArchiveError` where nothing can be written at the path.
  package func write(to path: String) throws(ArchiveError) {
    try TensorContainer.write(tensors, manifest: manifest.text, to: path)
  }
}
