import Platform
import SystemPackage

/// How much memory a reader may use for a file.
enum MemoryLimit {
  /// The environment variable that raises the least limit, in MB.
  static let variable = "PARITY_CHECK_READER_MB"

  /// 512 MB, or what the variable says; four times the file's size where that is more.
  static func bytes(forFileOf size: Int) -> Int {
    max(least << 20, size.multipliedUnlessTooLarge(4))
  }

  private static let least =
    ProcessInfo.processInfo.environment[variable].flatMap { Int($0) }
    .map { max(1, min($0, 1 << 20)) } ?? 512

  /// How many bytes of addresses this process uses; 0 where the system does not say.
  static var used: Int {
    #if os(Linux)
      guard let file = try? FileDescriptor.open("/proc/self/statm", .readOnly) else { return 0 }
      defer { try? file.close() }
      let text = file.bytes(upTo: 100).flatMap { String(validating: $0, as: UTF8.self) } ?? ""
      let pages = text.split(separator: " ").first.flatMap { Int($0) } ?? 0
      return pages * Int(sysconf(CInt(_SC_PAGESIZE)))
    #else
      return 0
    #endif
  }

  /// Lets allocations fail once the process uses more bytes of addresses. Linux alone keeps to it.
  static func set(_ bytes: Int) {
    #if os(Linux)
      var limit = rlimit()
      guard getrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &limit) == 0 else { return }
      limit.rlim_cur = min(rlim_t(bytes), limit.rlim_max)
      setrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &limit)
    #endif
  }
}

extension Int {
  fileprivate func multipliedUnlessTooLarge(_ factor: Int) -> Int {
    let (product, overflow) = multipliedReportingOverflow(by: factor)
    return overflow ? .max >> 2 : product
  }
}
