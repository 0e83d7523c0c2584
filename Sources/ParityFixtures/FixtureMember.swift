import TensorArchives
import TensorCore

/// One tensor of a fixture, in one of its own files or in a file that it borrows from. Its elements
/// are not read yet.
struct FixtureMember: Sendable {
  /// The name in the fixture, such as `state_dict/weight_ih_l0`.
  let name: String
  let header: TensorHeader
  private let archive: any TensorArchive
  private let nameInArchive: String

  /// - Parameter name: the name in the fixture; nil where it is that in the archive.
  /// - Throws: `ArchiveError` where the archive has no such tensor, or can't read its header.
  init(
    _ nameInArchive: String, of archive: any TensorArchive, named name: String? = nil
  ) throws(ArchiveError) {
    self.name = name ?? nameInArchive
    self.archive = archive
    self.nameInArchive = nameInArchive
    header = try archive.header(of: nameInArchive)
  }

  /// Reads the elements.
  func tensor() throws(ArchiveError) -> Tensor { try archive.tensor(named: nameInArchive) }

  /// A tensor of zeros of this type and shape, which takes no memory; nil where the system has no
  /// room for its addresses.
  ///
  /// - Precondition: it has elements.
  var outline: Tensor? { outline(header.elementType.swiftType) }

  private func outline<Element: TensorElement>(_ type: Element.Type) -> Tensor? {
    FileBytes.zeros(header.byteCount).map {
      Tensor(Elements<Element>(in: $0), shape: header.shape)
    }
  }
}
