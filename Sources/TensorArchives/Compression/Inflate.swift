import CZlib
import Platform

/// Unpacks deflated data by zlib.
enum Inflate {
  /// What stands before and behind the deflated data.
  enum Format {
    /// Nothing, as in a member of a ZIP file.
    case raw
    /// A header before the data, and behind it its CRC-32 and size, which zlib verifies.
    case gzip

    /// What such data is called in an error.
    var name: String {
      switch self {
      case .raw: "deflated data"
      case .gzip: "gzip data"
      }
    }

    /// How zlib is asked for the format (`inflateInit2` in its manual).
    var windowBits: CInt {
      switch self {
      case .raw: -MAX_WBITS
      case .gzip: MAX_WBITS + 16
      }
    }
  }

  /// The most bytes that so many packed ones can unpack to. Deflate writes at least one
  /// bit for 258 bytes and some more for the block, which makes 1032 for one at most
  /// (zlib's own figure, in its `zlib_tech.html`).
  static func largestOutput(of compressedBytes: Int) -> Int {
    let (bytes, overflow) = compressedBytes.multipliedReportingOverflow(by: 1032)
    return overflow ? .max : bytes
  }

  /// Unpacks one stream that must unpack to exactly `size` bytes.
  ///
  /// - Throws: `ArchiveError.Reason` where it unpacks to another number of bytes, or is
  ///   damaged; in zlib's own words where it has some.
  /// - Complexity: O(size) in time and memory.
  static func unpack(
    _ compressed: Data, from format: Format, size: Int
  ) throws(ArchiveError.Reason) -> Data {
    func failure(_ found: String) -> ArchiveError.Reason {
      .corrupt(format.name, expected: "\(size) bytes", found: found)
    }
    var stream = z_stream()
    guard parity_inflateInit2(&stream, format.windowBits) == Z_OK else {
      throw failure("no memory for zlib")
    }
    defer { inflateEnd(&stream) }

    // One byte more than promised, so that a stream that gives more is seen.
    var output = Data(count: size + 1)
    let (status, unread, produced) = compressed.withUnsafeBytes { input in
      output.withUnsafeMutableBytes { output in run(&stream, from: input, into: output) }
    }
    switch status {
    case Z_STREAM_END where produced == size && unread == 0: return output.dropLast()
    case Z_STREAM_END where unread > 0:
      throw failure("\(unread) bytes after the end of the stream")
    case Z_STREAM_END: throw failure("\(produced) bytes")
    case Z_OK, Z_BUF_ERROR:
      throw failure(produced > size ? "more bytes" : "\(produced) bytes, then its end")
    default: throw failure(stream.msg.map { String(cString: $0) } ?? "damaged data")
    }
  }

  /// The first `count` bytes that a stream unpacks to, or as many as come before its end
  /// or the first damage.
  ///
  /// - Complexity: O(count).
  static func prefix(_ count: Int, of compressed: Data, from format: Format) -> Data {
    var stream = z_stream()
    guard parity_inflateInit2(&stream, format.windowBits) == Z_OK else { return Data() }
    defer { inflateEnd(&stream) }
    var output = Data(count: count)
    let produced = compressed.withUnsafeBytes { input in
      output.withUnsafeMutableBytes { output in run(&stream, from: input, into: output).produced }
    }
    return output.prefix(produced)
  }

  /// Unpacks until the stream ends, is damaged, or `output` is full. zlib counts the bytes
  /// of one call in 32 bits, so that large data takes several.
  ///
  /// - Returns: zlib's last status, and how many bytes of `input` were not read and of
  ///   `output` were written.
  private static func run(
    _ stream: inout z_stream, from input: UnsafeRawBufferPointer,
    into output: UnsafeMutableRawBufferPointer
  ) -> (status: CInt, unread: Int, produced: Int) {
    let largest = 1 << 30
    stream.next_in = UnsafeMutablePointer(
      mutating: input.assumingMemoryBound(to: UInt8.self).baseAddress)
    stream.next_out = output.assumingMemoryBound(to: UInt8.self).baseAddress
    var (waiting, room) = (input.count, output.count)
    var status = Z_OK
    while status == Z_OK {
      let (given, offered) = (min(waiting, largest), min(room, largest))
      stream.avail_in = UInt32(given)
      stream.avail_out = UInt32(offered)
      status = inflate(&stream, Z_NO_FLUSH)
      waiting -= given - Int(stream.avail_in)
      room -= offered - Int(stream.avail_out)
      if room == 0 && status == Z_OK { break }
    }
    return (status, waiting, output.count - room)
  }
}
