#if HDF5
  import TensorCore

  /// A dataset of which any range can be read by itself.
  final class HDF5Source: TensorSource {
    let header: TensorHeader
    private let layout: HDF5Layout
    private let file: any HDF5Access
    private let name: String

    init(of name: String, in file: any HDF5Access, path: String) throws(ArchiveError) {
      layout = try file.layout(of: name)
      guard let header = layout.header else {
        throw ArchiveError(path: path, member: name, .damagedObject)
      }
      self.header = header
      self.file = file
      self.name = name
    }

    var grain: Int { layout.grain }

    func read(
      _ range: Range<Int>, into buffer: UnsafeMutableRawBufferPointer
    ) throws(ArchiveError) {
      try file.read(range, of: name, layout, into: buffer)
    }
  }
#endif
