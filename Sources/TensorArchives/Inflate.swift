import CZlib

#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

/// Deflated data, unpacked through zlib.
enum Inflate {
  /// Deflate writes at least one bit for 258 bytes and some more for the block:
  /// never more than 1032 : 1 (zlib's own figure, `zlib_tech.html`).
  static func largestOutput(of compressedBytes: Int) -> Int {
    let (bytes, overflow) = compressedBytes.multipliedReportingOverflow(by: 1032)
    return overflow ? .max : bytes
  }

  /// Unpacks a raw deflate stream that must give exactly `size` bytes.
  ///
  /// - Returns: nil, with zlib's words, where it gives another number of bytes
  ///   or is damaged. O(size) time and memory.
  static func raw(_ compressed: Data, size: Int) -> Result<[UInt8], Failure> {
    var stream = z_stream()
    guard parity_inflateInit2(&stream, -MAX_WBITS) == Z_OK else {
      return .failure(Failure(found: "no memory for zlib"))
    }
    defer { inflateEnd(&stream) }

    // One byte more than promised, so that a stream that gives more is seen.
    var output = [UInt8](repeating: 0, count: size + 1)
    let status = compressed.withUnsafeBytes { input in
      output.withUnsafeMutableBytes { output in
        run(&stream, from: input, into: output)
      }
    }
    let produced = Int(stream.total_out)
    switch status {
    case Z_STREAM_END where produced == size && stream.avail_in == 0:
      output.removeLast()
      return .success(output)
    case Z_STREAM_END where stream.avail_in > 0:
      return .failure(Failure(found: "\(stream.avail_in) bytes after the end of the stream"))
    case Z_STREAM_END:
      return .failure(Failure(found: "\(produced) bytes"))
    case Z_OK, Z_BUF_ERROR:
      return .failure(
        Failure(found: produced > size ? "more bytes" : "\(produced) bytes, then its end"))
    default:
      return .failure(Failure(found: stream.msg.map { String(cString: $0) } ?? "damaged data"))
    }
  }

  struct Failure: Error {
    let found: String
  }

  /// zlib counts in 32 bits; members stay below 4 GiB, so one call does.
  private static func run(
    _ stream: inout z_stream, from input: UnsafeRawBufferPointer,
    into output: UnsafeMutableRawBufferPointer
  ) -> CInt {
    stream.next_in = UnsafeMutablePointer(
      mutating: input.assumingMemoryBound(to: UInt8.self).baseAddress)
    stream.avail_in = UInt32(input.count)
    stream.next_out = output.assumingMemoryBound(to: UInt8.self).baseAddress
    stream.avail_out = UInt32(output.count)
    return inflate(&stream, Z_FINISH)
  }
}
