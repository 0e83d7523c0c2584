import Platform
import TensorCore

/// An `.npy` file as it stands in another file, or by itself: plain or packed.
struct StoredArray {
  /// The file that holds it, and its name in that file, for errors.
  let path: String
  let member: String?
  /// The bytes as they stand in the file, perhaps packed.
  let bytes: Data
  /// The number of bytes of the file that stand before them.
  let offset: Int
  /// The number of bytes when unpacked.
  let size: Int
  /// How they are packed; nil for bytes that are not.
  let packing: Inflate.Format?
  /// That of the unpacked bytes; nil where the file states none.
  let checksum: CRC32?

  /// The bytes, unpacked and held against the checksum.
  ///
  /// - Throws: `ArchiveError` where they are damaged.
  func contents() throws(ArchiveError) -> Data {
    try ArchiveError.locating(path, member: member) { () throws(ArchiveError.Reason) in
      let contents = try packing.map { format throws(ArchiveError.Reason) in
        try Inflate.unpack(bytes, from: format, size: size)
      }
      try checksum?.verify(CRC32(of: contents ?? bytes))
      return contents ?? bytes
    }
  }

  /// - Throws: `ArchiveError` where the bytes are damaged, or hold no array that is read.
  func tensor() throws(ArchiveError) -> Tensor {
    let contents = try contents()
    return try ArchiveError.locating(path, member: member) { () throws(ArchiveError.Reason) in
      try NPY.decode(contents)
    }
  }

  /// What it says of its elements, of which none is read.
  ///
  /// - Throws: `ArchiveError` where the bytes hold no array that is read.
  func header() throws(ArchiveError) -> TensorHeader {
    var reader = ByteReader(
      packing.map { Inflate.prefix(NPY.Header.longest, of: bytes, from: $0) } ?? bytes)
    return try header(from: &reader).tensor
  }

  /// Its elements, to be read in parts. Those that are packed, or do not stand in C order,
  /// are read by this call.
  ///
  /// - Throws: `ArchiveError` as `tensor`.
  func source() throws(ArchiveError) -> any TensorSource {
    var reader = ByteReader(bytes)
    guard packing == nil, case let header = try self.header(from: &reader), header.isRowMajor else {
      return LoadedSource(tensor: try tensor())
    }
    let before = bytes.prefix(reader.offset)
    return try FileSource(
      header.tensor, path: path, member: member, start: offset + reader.offset,
      isBigEndian: header.isBigEndian,
      checksum: checksum.map { PiecewiseChecksum(head: CRC32(of: before), expected: $0) })
  }

  private func header(from reader: inout ByteReader) throws(ArchiveError) -> NPY.Header {
    try ArchiveError.locating(path, member: member) { () throws(ArchiveError.Reason) in
      try NPY.header(from: &reader, fileSize: size)
    }
  }
}

/// An archive whose tensors are `.npy` files.
protocol StoredArrayArchive: TensorArchive {
  /// - Throws: `ArchiveError` where there is no tensor of this name.
  func array(named name: String) throws(ArchiveError) -> StoredArray
}

extension StoredArrayArchive {
  func tensor(named name: String) throws(ArchiveError) -> Tensor {
    try array(named: name).tensor()
  }

  func header(of name: String) throws(ArchiveError) -> TensorHeader {
    try array(named: name).header()
  }

  func source(of name: String) throws(ArchiveError) -> any TensorSource {
    try array(named: name).source()
  }
}
