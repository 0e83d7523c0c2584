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

  /// Reads the case's files once more, since a loaded case holds rounded tensors.
  ///
  /// - Throws: `CaseError` where the files can't be read any more.
  package init(_ request: OutputsRequest) throws(CaseError) {
    let contents = try FixtureContents(request.location)
    tensors = contents.tensors.filter { !$0.key.hasPrefix("outputs/") }
    guard case .object(var values) = contents.json else {
      preconditionFailure("a checked manifest is an object")
    }
    for key in Self.withheldKeys { values[key] = nil }
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
