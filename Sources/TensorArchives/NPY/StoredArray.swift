import Platform
import TensorCore

/// The contents of an `.npy` file, wherever they are stored: in a file of their own, packed by
/// gzip, or as a member of an `.npz` file.
///
/// ```swift
/// let array = try NPYFile(path: "h_n.npy", isCompressed: false).array(named: "")
/// let shape = try array.header().shape
/// ```
struct StoredArray {
  /// The file that holds it, and its name in that file, for errors.
  let path: String
  let member: String?
  /// The bytes as they are in the file, packed or not.
  let bytes: Data
  /// The number of bytes before them in the file.
  let offset: Int
  /// The number of bytes when unpacked.
  let size: Int
  /// How the bytes are packed; nil where they are not.
  let packing: Inflate.Format?
  /// The checksum of the unpacked bytes; nil where the file states none.
  let checksum: CRC32?

  /// The unpacked bytes, once their checksum is verified.
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

  /// The element type and the shape. No element is read.
  ///
  /// - Throws: `ArchiveError` where the bytes hold no array that is read.
  func header() throws(ArchiveError) -> TensorHeader {
    var reader = ByteReader(
      packing.map { Inflate.prefix(NPY.Header.longest, of: bytes, from: $0) } ?? bytes)
    return try header(from: &reader).tensor
  }

  /// The array as a source that can be read in parts. If it is packed or not in C order, this
  /// call reads all of it.
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
