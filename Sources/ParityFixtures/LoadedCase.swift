import RecurrentModel

/// A fixture of either kind.
package enum LoadedCase: Sendable {
  case recurrent(ParityCase)
  case sequential(SequentialCase)

  /// Reads a fixture and holds all that it states against itself. O(its bytes).
  package static func load(_ location: CaseLocation) throws(CaseError) -> LoadedCase {
    let contents = try FixtureContents(location)
    do throws(InvalidValue) {
      switch contents.manifest.content {
      case .recurrent:
        return .recurrent(try ParityCase(location, contents.manifest, contents.tensors))
      case .sequential:
        return .sequential(try SequentialCase(location, contents.manifest, contents.tensors))
      }
    } catch {
      throw .invalid(path: location.path, error)
    }
  }

  package var outputsRequest: OutputsRequest {
    switch self {
    case .recurrent(let parityCase): parityCase.outputsRequest
    case .sequential(let chain): chain.outputsRequest
    }
  }
}
