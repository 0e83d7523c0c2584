extension ArchiveError {
  /// Does `work`, which reads a file.
  ///
  /// - Throws: `ArchiveError`, with the system's words for what `work` throws.
  static func reading<Result>(
    _ path: String, member: String? = nil, _ work: () throws -> Result
  ) throws(ArchiveError) -> Result {
    do {
      return try work()
    } catch {
      throw ArchiveError(
        path: path, member: member, .unreadable("can't be read (\(systemWords(for: error)))"))
    }
  }

  /// Does `work`, which writes a file.
  ///
  /// - Throws: `ArchiveError`, with the system's words for what `work` throws.
  static func writing<Result>(
    _ path: String, _ work: () throws -> Result
  ) throws(ArchiveError) -> Result {
    do {
      return try work()
    } catch {
      throw ArchiveError(path: path, .unwritable("can't be written (\(systemWords(for: error)))"))
    }
  }
}
