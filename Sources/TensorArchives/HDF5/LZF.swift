import Platform

#if HDF5
  import CHDF5
#endif

/// LZF, a compression without tables: literals, and copies of what was unpacked before.
///
/// | bytes | meaning |
/// |---|---|
/// | `000nnnnn` | the n + 1 bytes behind it |
/// | `nnnooooo oooooooo` | n + 2 bytes from o + 1 bytes back, n from 1 to 6 |
/// | `111ooooo nnnnnnnn oooooooo` | n + 9 bytes from o + 1 bytes back |
///
/// A copy may reach into what it has itself unpacked.
///
/// Source: the format that LibLZF (Marc Lehmann) describes.
enum LZF {
  /// - Returns: how many bytes were unpacked; nil where the data is damaged, or more than `output`
  ///   holds.
  static func unpack(
    _ input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer
  ) -> Int? {
    var (place, count) = (0, 0)
    func byte() -> Int? {
      guard place < input.count else { return nil }
      defer { place += 1 }
      return Int(input[place])
    }
    while let control = byte() {
      if control < 32 {
        let length = control + 1
        guard length <= input.count - place, length <= output.count - count else { return nil }
        output[count..<count + length].copyBytes(from: input[place..<place + length])
        place += length
        count += length
        continue
      }
      var length = control >> 5
      if length == 7 {
        guard let more = byte() else { return nil }
        length += more
      }
      length += 2
      guard let low = byte() else { return nil }
      let start = count - ((control & 31) << 8 | low) - 1
      guard start >= 0, length <= output.count - count else { return nil }
      for offset in 0..<length { output[count + offset] = output[start + offset] }
      count += length
    }
    return count
  }
}

#if HDF5
  extension LZF {
    /// The number that h5py's filter has.
    static let number: H5Z_filter_t = 32000

    /// LZF among libhdf5's filters, for reading alone: h5py has it, and libhdf5 has not. False where
    /// libhdf5 does not take it.
    ///
    /// Source: h5py's `lzf_filter.c`, of whose parameters the third is the size of a chunk.
    static let isRegistered: Bool = {
      let name: StaticString = "lzf"
      var filter = H5Z_class2_t()
      filter.version = H5Z_CLASS_T_VERS
      filter.id = number
      filter.encoder_present = 0
      filter.decoder_present = 1
      filter.name = UnsafeRawPointer(name.utf8Start).assumingMemoryBound(to: CChar.self)
      filter.filter = { flags, count, parameters, size, bufferSize, buffer in
        guard flags & UInt32(H5Z_FLAG_REVERSE) != 0, count >= 3, let parameters, let bufferSize,
          let buffer, let packed = buffer.pointee
        else { return 0 }
        let room = Int(parameters[2])
        guard let unpacked = malloc(max(1, room)) else { return 0 }
        let found = LZF.unpack(
          UnsafeRawBufferPointer(start: packed, count: size),
          into: UnsafeMutableRawBufferPointer(start: unpacked, count: room))
        guard found == room else {
          free(unpacked)
          return 0
        }
        free(packed)
        buffer.pointee = unpacked
        bufferSize.pointee = room
        return room
      }
      return H5Zregister(&filter) >= 0
    }()
  }
#endif
