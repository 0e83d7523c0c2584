import CZlib
import Platform

/// Packs data by zlib, at its default level.
enum Deflate {
  /// Packs data as one stream.
  ///
  /// - Returns: the same bytes in every run with the same zlib, since the header of a gzip
  ///   stream bears no time; nil where zlib gets no memory.
  /// - Complexity: O(bytes) in time, and memory for what is returned.
  static func pack(_ contents: MemberContents, as format: Inflate.Format) -> Data? {
    var stream = z_stream()
    guard parity_deflateInit2(&stream, format.windowBits) == Z_OK else { return nil }
    defer { deflateEnd(&stream) }
    var packed = Data()
    var buffer = [UInt8](repeating: 0, count: 1 << 18)

    func run(_ bytes: UnsafeRawBufferPointer, _ flush: CInt) {
      // zlib counts the bytes of one call in 32 bits.
      let largest = 1 << 30
      stream.next_in = UnsafeMutablePointer(
        mutating: bytes.assumingMemoryBound(to: UInt8.self).baseAddress)
      var waiting = bytes.count
      repeat {
        let given = min(waiting, largest)
        stream.avail_in = UInt32(given)
        let produced = buffer.withUnsafeMutableBufferPointer { output in
          stream.next_out = output.baseAddress
          stream.avail_out = UInt32(output.count)
          // Fails only where the stream or the buffers are not set up.
          _ = deflate(&stream, flush)
          return output.count - Int(stream.avail_out)
        }
        packed.append(contentsOf: buffer[..<produced])
        waiting -= given - Int(stream.avail_in)
      } while waiting > 0 || stream.avail_out == 0
    }
    try? contents.forEachPiece { run($0, Z_NO_FLUSH) }
    run(UnsafeRawBufferPointer(start: nil, count: 0), Z_FINISH)
    return packed
  }
}
