import Platform
import SystemPackage
import TensorArchives

/// The orders that a watched process gets at its start. They are in a file and not in the
/// environment, which has no room for many paths.
struct WatchOrders: Codable, Equatable {
  /// The files on which libhdf5 crashed or did not return, by their paths, each with a sentence
  /// that says which. They are not to be opened again.
  var failures: [String: String] = [:]
  /// How many cases earlier children have printed. They are not to be printed again.
  var printed = 0
  /// The environment variables that the watching process has set, and the user has not.
  /// They are to be unset.
  var unset: [String] = []

  /// Writes the orders to a file without a name, which is gone when no process has it open
  /// any more.
  ///
  /// - Returns: its descriptor, which the processes that this one starts inherit.
  /// - Throws: `Errno` where the system refuses.
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
}

extension WatchOrders {
  /// Reads the orders from such a file.
  ///
  /// - Throws: where the file can't be read, or holds anything else.
  init(from file: FileDescriptor) throws {
    var data = Data(count: Int(try Stat(file).size))
    let count = try data.withUnsafeMutableBytes { try file.fill($0, from: 0) }
    self = try JSONDecoder().decode(WatchOrders.self, from: data.prefix(count))
  }
}
