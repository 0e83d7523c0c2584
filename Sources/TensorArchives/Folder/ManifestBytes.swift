import Platform

/// The name of the manifest, as a member of a ZIP file and as a file in a folder.
package let manifestName = "manifest.json"

/// The most bytes of a manifest that are read, 16 MiB. Nobody writes one as long.
let largestManifest = 16 << 20

/// - Throws: `ArchiveError` for a manifest of more than 16 MiB.
func checkManifestSize(_ size: Int, path: String, member: String?) throws(ArchiveError) {
  guard size <= largestManifest else {
    throw ArchiveError(
      path: path, member: member,
      .corrupt("manifest", expected: "at most \(largestManifest) bytes", found: "\(size)"))
  }
}

/// - Throws: `ArchiveError` where the bytes are no UTF-8.
func decodeUTF8(_ bytes: Data, path: String, member: String?) throws(ArchiveError) -> String {
  guard let text = String(validating: bytes, as: UTF8.self) else {
    throw ArchiveError(
      path: path, member: member, .corrupt("text", expected: "UTF-8", found: "other bytes"))
  }
  return text
}
