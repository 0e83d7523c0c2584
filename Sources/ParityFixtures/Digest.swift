import RecurrentModel
import TensorArchives
package import TensorCore

/// A fingerprint of a fixture's tensors, so that a changed one is seen.
package enum Digest {
  /// CRC-32 over the tensors sorted by name: name, NUL, element type, NUL, axes
  /// separated by commas, NUL, little-endian data in C order. O(bytes).
  ///
  /// - Returns: as a manifest states it: `crc32:` and eight hexadecimal digits.
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
  /// - Throws: where the manifest states another digest than these tensors have.
  func checkDigest(_ tensors: [String: Tensor]) throws(InvalidValue) {
    guard let digest else { return }
    let found = Digest.crc32(of: tensors)
    guard found == digest else {
      throw InvalidValue("digest", expected: "\(digest), as the manifest states", found: found)
    }
  }
}
