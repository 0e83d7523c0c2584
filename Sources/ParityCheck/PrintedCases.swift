import TensorArchives

#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

/// How many cases were printed, across the processes of one run: a child that
/// takes over from one that crashed prints on from there.
enum PrintedCases {
  static let key = "PARITY_CHECK_PRINTED"

  /// What a child writes to the pipe for each, without the line's end.
  static let line = "="

  /// By the children before this process.
  static let before = ProcessInfo.processInfo.environment[key].flatMap { Int($0) } ?? 0

  static func tellOne() { HDF5Watch.shared.tell(line + "\n") }
}
