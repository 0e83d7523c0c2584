import RecurrentModel
package import TensorArchives
import TensorCore

/// A case without its answer: what a program needs that is to compute the outputs.
package struct CaseQuestion {
  private let manifest: JSONValue
  private let tensors: [String: Tensor]

  /// What is for the judge alone.
  private static let withheldKeys = ["digest", "tensors", "tolerance", "expected_failure"]

  /// - Throws: `CaseError` where the case's files can't be read any more.
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

  /// Writes it as any fixture, its container told by the path's ending: parameters and
  /// inputs as they stand, and a manifest that leaves no argument to the shapes.
  ///
  /// - Throws: `ArchiveError` where the path can't be written.
  package func write(to path: String) throws(ArchiveError) {
    try TensorContainer.write(tensors, manifest: manifest.text, to: path)
  }
}
