import JSON
import RecurrentModel
import TensorArchives
import TensorCore

/// All that the files of a fixture hold. Whether the manifest and the tensors fit together is
/// not checked.
struct FixtureContents {
  let manifest: Manifest
  /// The JSON value that the manifest was read from.
  let json: JSONValue
  /// All tensors by their names in the fixture, such as `outputs/h_n`, with those that the
  /// manifest takes from other files.
  let tensors: [String: Tensor]

  /// Reads the manifest, and then all tensors.
  ///
  /// - Throws: `CaseError` where a file can't be read, or the manifest is none.
  /// - Complexity: O(bytes of the files) in time and memory.
  init(_ location: CaseLocation) throws(CaseError) {
    let (path, boundary) = (location.path, location.boundary)
    let pending: PendingArchive
    let text: String?
    do {
      pending = try PendingArchive(path, within: boundary)
      text = try pending.manifest()
    } catch {
      throw .unreadable(error)
    }
    do throws(InvalidValue) {
      guard let text else {
        throw MissingManifest.error(try? pending.archive(), path: path)
      }
      json = try JSONValue.manifest(text)
      manifest = try Manifest(json)
      guard manifest.borrowed.isEmpty || pending.isFolder else {
        throw InvalidValue("tensors", expected: "none outside a folder", found: "some")
      }
    } catch {
      throw .invalid(path: path, error)
    }
    tensors = try Self.tensors(of: pending, path, manifest, boundary)
  }

  /// Reads the tensors of the fixture's own files, and those that are borrowed.
  private static func tensors(
    of pending: PendingArchive, _ path: String, _ manifest: Manifest, _ boundary: FileBoundary?
  ) throws(CaseError) -> [String: Tensor] {
    let borrowed = manifest.borrowed
    let files = borrowed.values.compactMap { FileBoundary.resolved($0.path(from: path)) }
    var tensors: [String: Tensor] = [:]
    do throws(ArchiveError) {
      let archive = try pending.archive(excluding: Set(files))
      for name in archive.tensorNames { tensors[name] = try archive.tensor(named: name) }
    } catch {
      throw .unreadable(error)
    }
    for (group, source) in borrowed.sorted(by: { $0.key < $1.key }) {
      let own = try source.read(group: group, of: manifest, from: path, within: boundary)
      for (name, tensor) in own {
        guard tensors.updateValue(tensor, forKey: name) == nil else {
          throw .unreadable(
            ArchiveError(
              path: path, member: name,
              .corrupt("tensor", expected: "its own or a borrowed one", found: "both")))
        }
      }
    }
    return tensors
  }
}
