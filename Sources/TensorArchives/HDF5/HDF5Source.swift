#if HDF5
  import CHDF5
  import TensorCore

  /// A dataset of which any range can be read by itself. HDF5 selects boxes, so that a range
  /// is read as the few boxes that it is made of.
  final class HDF5Source: TensorSource {
    let header: TensorHeader
    let grain: Int
    private let file: HDF5File
    private let name: String
    private let path: String
    private let fileSize: Int

    init(
      of name: String, in file: HDF5File, path: String, fileSize: Int
    ) throws(ArchiveError) {
      (header, grain) = try file.withID { id throws(ArchiveError) in
        let dataset = try HDF5Dataset(named: name, in: id, path: path, fileSize: fileSize)
        let header = try dataset.header()
        return (header, try dataset.grain(header.shape))
      }
      self.file = file
      self.name = name
      self.path = path
      self.fileSize = fileSize
    }

    func read(
      _ range: Range<Int>, into buffer: UnsafeMutableRawBufferPointer
    ) throws(ArchiveError) {
      let width = header.elementType.byteCount
      try file.withID { id throws(ArchiveError) in
        let dataset = try HDF5Dataset(named: name, in: id, path: path, fileSize: fileSize)
        for box in RowMajorBox.covering(range, of: header.shape) {
          let start = (box.offset - range.lowerBound) * width
          let size = box.sizes.reduce(1, *) * width
          try dataset.read(
            box, of: header.elementType,
            into: UnsafeMutableRawBufferPointer(rebasing: buffer[start..<start + size]))
        }
      }
    }
  }
#endif
