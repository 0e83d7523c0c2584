#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

/// The manifest's name, in a ZIP file and in a folder.
package let manifestName = "manifest.json"

/// Nobody writes so long a manifest.
private let largestManifest = 16 << 20

func checkManifestSize(_ size: Int, path: String, member: String?) throws(ArchiveError) {
  guard size <= largestManifest else {
    throw ArchiveError(
      path: path, member: member,
      .corrupt("manifest", expected: "at most \(largestManifest) bytes", found: "\(size)"))
  }
}

func decodeUTF8(_ bytes: Data, path: String, member: String?) throws(ArchiveError) -> String {
  guard let text = String(validating: bytes, as: UTF8.self) else {
    throw ArchiveError(
      path: path, member: member, .corrupt("text", expected: "UTF-8", found: "other bytes"))
  }
  return text
}
