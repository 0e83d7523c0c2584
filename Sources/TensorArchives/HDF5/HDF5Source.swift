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

    init(of name: String, in file: HDF5File) throws(ArchiveError) {
      (header, grain) = try file.withDataset(name) { dataset throws(ArchiveError.Reason) in
        let header = try dataset.header()
        return (header, try dataset.grain(header.shape))
      }
      self.file = file
      self.name = name
    }

    func read(
      _ range: Range<Int>, into buffer: UnsafeMutableRawBufferPointer
    ) throws(ArchiveError) {
      let width = header.elementType.byteCount
      try file.withDataset(name) { dataset throws(ArchiveError.Reason) in
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
