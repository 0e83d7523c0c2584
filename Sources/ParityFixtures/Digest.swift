import RecurrentModel
import TensorArchives
package import TensorCore

/// The checksum of a fixture's tensors, by which a manifest can tell that one was changed. It
/// guards against accidents, not against forgery.
package enum Digest {
  /// The CRC-32 (zlib's) over all tensors, sorted by the bytes of their names. Each counts as
  /// its name, NUL, its element type, NUL, its axes separated by commas, NUL, and its elements,
  /// little-endian and in C order.
  ///
  /// - Returns: the checksum as a manifest states it, `crc32:` and eight hexadecimal digits.
  /// - Complexity: O(bytes of the tensors).
  package static func crc32(of tensors: [String: Tensor]) -> String {
    var checksum = CRC32()
    for (name, tensor) in tensors.sorted(by: { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) })
    {
      let axes = tensor.shape.axes.map(String.init).joined(separator: ",")
      checksum.update("\(name)\0\(tensor.elementType)\0\(axes)\0".utf8)
      // Every machine that Swift runs on is little-endian.
      tensor.withUnsafeBytes { checksum.update($0) }
    }
    return "crc32:" + checksum.description
  }
}

extension Manifest {
  /// - Throws: `InvalidValue` where the manifest states another digest than these tensors have.
  func checkDigest(_ tensors: [String: Tensor]) throws(InvalidValue) {
    guard let digest else { return }
    let found = Digest.crc32(of: tensors)
    guard found == digest else {
      throw InvalidValue("digest", expected: "\(digest), as the manifest states", found: found)
    }
  }
}
