package import RecurrentModel
package import TensorArchives

/// The tensors that an implementation has written: in one file or folder, or in several.
package struct ActualTensors: Sendable {
  /// Where a tensor stands.
  private struct Place: Sendable {
    let archive: any TensorArchive
    let name: String
  }

  package let paths: [String]
  /// By the names that they are matched by: those in the file, as the rules rename them.
  private let places: [String: Place]

  /// - Parameters:
  ///   - archives: at least one. Of a recording the values take part, of any other all tensors.
  ///   - renaming: applied to each name.
  /// - Throws: `ArchiveError` where two tensors have one name.
  package init(
    _ archives: [any TensorArchive], renaming: [RenameRule] = []
  ) throws(ArchiveError) {
    paths = archives.map(\.path)
    var places: [String: Place] = [:]
    for archive in archives {
      let own = archive.tensorNames
      let isRecording = own.contains { $0.hasPrefix("values/") }
      let taken =
        isRecording
        ? own.filter { $0.hasPrefix("values/") || $0.hasPrefix(BackwardStages.prefix) } : own
      for name in taken {
        // A file of one tensor without a name, as .npy, is called by its file's.
        var shown = name.isEmpty ? TensorContainer.stem(of: archive.path) : name
        if isRecording, shown.hasPrefix("values/") {
          shown = String(shown.dropFirst("values/".count))
        }
        shown = renaming.reduce(shown.replacing("%2F", with: "/")) { $1.applied(to: $0) }
        guard places.updateValue(Place(archive: archive, name: name), forKey: shown) == nil else {
          throw ArchiveError(
            path: archive.path, member: shown,
            .corrupt("name", expected: "a tensor of its own", found: "two of this name"))
        }
      }
    }
    self.places = places
  }

  /// Sorted as a person expects.
  package var names: [String] { places.keys.sorted(by: NaturalOrder.precedes) }

  /// - Returns: nil where there is none of this name.
  /// - Throws: `ArchiveError` where it can't be read.
  package func source(of name: String) throws(ArchiveError) -> (any TensorSource)? {
    guard let place = places[name] else { return nil }
    return try place.archive.source(of: place.name)
  }
}

/// A rule that renames tensors, as sed writes it: `s/^model\.//`.
package struct RenameRule: @unchecked Sendable {
  private let pattern: Regex<AnyRegexOutput>
  private let replacement: String

  package static let option = "--rename"

  /// - Parameter text: `s/PATTERN/REPLACEMENT/`, with any character in the place of the slash.
  /// - Throws: `InvalidValue` for another form, and for a pattern that is no regular expression.
  package init(_ text: String) throws(InvalidValue) {
    let error = InvalidValue(
      Self.option, expected: "s/PATTERN/REPLACEMENT/", found: text)
    guard text.hasPrefix("s"), let separator = text.dropFirst().first else { throw error }
    let parts = text.dropFirst(2).split(separator: separator, omittingEmptySubsequences: false)
    guard parts.count == 3, parts[2].isEmpty, !parts[0].isEmpty,
      let pattern = try? Regex(String(parts[0]))
    else { throw error }
    self.pattern = pattern
    replacement = String(parts[1])
  }

  /// The name with the first match replaced.
  func applied(to name: String) -> String {
    name.replacing(pattern, with: replacement, maxReplacements: 1)
  }
}
