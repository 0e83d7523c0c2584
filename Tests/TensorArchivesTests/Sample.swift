import TensorCore
import TestSupport

@testable import TensorArchives

/// The files under `Samples/`, which NumPy and h5py wrote
/// (`tools/export_samples.py`), and what these put in.
enum Sample {
  /// `arange(24).reshape(2, 3, 4) / 8`
  static let eighths = (0..<24).map { Double($0) / 8 }
  static let shape: Shape = [2, 3, 4]
  /// `arange(24) - 5`
  static let integers = (0..<24).map { Int64($0) - 5 }
  static let manifest = #"{"text": "größe"}"#

  static func path(_ name: String) -> String { Repository.samples + "/" + name }

  static func open(_ name: String) throws -> any TensorArchive {
    try TensorContainer.open(path(name))
  }

  /// Reads all there is to read; throws what reading throws.
  static func readAll(_ path: String) throws(ArchiveError) -> [String: Tensor] {
    let archive = try TensorContainer.open(path)
    var tensors: [String: Tensor] = [:]
    for name in archive.tensorNames { tensors[name] = try archive.tensor(named: name) }
    _ = try archive.manifest()
    return tensors
  }

  /// The error that reading a file ends with; nil where there is none.
  static func error(_ path: String) -> ArchiveError? {
    do throws(ArchiveError) {
      _ = try readAll(path)
      return nil
    } catch {
      return error
    }
  }
}
