import SystemPackage
import TensorArchives

#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

/// What a watched process is told at its start, in a file without a name.
struct WatchOrders: Codable, Equatable {
  /// The files that libhdf5 was lost on, by their paths, each with what happened. They
  /// are not opened again.
  var lost: [String: String] = [:]
  /// How many cases earlier processes of this run have printed.
  var printed = 0
  /// The environment variables that are the watching process's doing and not the user's.
  var unset: [String] = []

  /// Writes a file that is gone when no process has it open any more.
  ///
  /// - Returns: a descriptor that is inherited by the processes that this one starts.
  func file() throws -> FileDescriptor {
    let path = FileManager.default.temporaryDirectory.path + "/parity-\(UUID())"
    let file = try FileDescriptor.open(
      path, .readWrite, options: [.create, .exclusiveCreate], permissions: .ownerReadWrite)
    try? FileManager.default.removeItem(atPath: path)
    do {
      try file.writeAll(JSONEncoder().encode(self))
    } catch {
      try? file.close()
      throw error
    }
    return file
  }

  init() {}

  /// Reads the whole of such a file.
  init(from file: FileDescriptor) throws {
    var data = Data(count: Int(try Stat(file).size))
    let count = try data.withUnsafeMutableBytes { try file.fill($0, from: 0) }
    self = try JSONDecoder().decode(WatchOrders.self, from: data.prefix(count))
  }
}
