import Platform

/// The format of `torch.save` before PyTorch 1.6, which it still writes with
/// `_use_new_zipfile_serialization=False`: five pickles, one behind the other (a magic number,
/// the version 1001, sizes of types, the object, and the keys of its storages), and then for
/// each key the number of elements, 64 bits, and the elements. All of it is little-endian.
///
/// Source: the files that PyTorch 2.13 writes so.
extension TorchFile {
  /// The magic number, from its lowest byte.
  private static let magic: [UInt8] = [
    0x6C, 0xFC, 0x9C, 0x46, 0xF9, 0x20, 0x6A, 0xA8, 0x50, 0x19,
  ]

  /// How every such file starts: the protocol 2, and a number of ten bytes.
  static let streamStart: [UInt8] = [0x80, 2, 0x8A, 10] + magic

  private static let version = 1001

  /// - Parameter bytes: the whole file.
  /// - Throws: `ArchiveError.Reason` where it is another file, or damaged.
  init(stream bytes: Data) throws(ArchiveError.Reason) {
    guard bytes.starts(with: Self.streamStart) else {
      guard !Self.streamStart.starts(with: bytes) else {
        throw .truncated(
          "the magic number", expectedBytes: Self.streamStart.count, foundBytes: bytes.count)
      }
      throw .wrongFormat(expected: "a file of torch.save", found: bytes.printablePrefix)
    }
    var offset = 0
    func next() throws(ArchiveError.Reason) -> Pickle {
      let (pickle, end) = try PickleMachine.read(bytes, at: offset)
      offset = end
      return pickle
    }
    _ = try next()
    guard case .integer(Self.version) = try next().root else {
      throw .unsupported("version", expected: "\(Self.version)", found: "another")
    }
    _ = try next()
    let pickle = try next()
    let keys = try next()
    let headers = try Self.headers(in: pickle)
    var places: [String: (data: Data, offset: Int)] = [:]
    var reader = ByteReader(bytes, at: offset)
    for key in keys.sequence(keys.root) ?? [] {
      guard case .string(let key) = key, let header = headers[key] else {
        throw .corrupt("storages", expected: "keys that the pickle names", found: "another")
      }
      let what = "storage " + TensorName.short(key)
      let count = try reader.integer(UInt64.self, of: what)
      guard count == header.count else {
        throw .corrupt(what, expected: "\(header.count) elements", found: "\(count)")
      }
      let data = try reader.take(header.byteCount, of: what)
      places[key] = (data, reader.offset - data.count)
    }
    guard reader.remaining == 0 else {
      throw .corrupt(
        "the file", expected: "its end behind the last storage",
        found: "\(reader.remaining) bytes more")
    }
    self.pickle = pickle
    member = nil
    storage = { [places] (key, header) throws(ArchiveError.Reason) in
      guard let place = places[key], place.data.count == header.byteCount else {
        throw .corrupt(
          "storage " + TensorName.short(key), expected: "\(header.byteCount) bytes",
          found: "\(places[key]?.data.count ?? 0)")
      }
      return TorchStorage(data: place.data, offset: place.offset, isBigEndian: false, checksum: nil)
      {}
    }
  }

  /// What the pickle says of its storages, by their keys.
  ///
  /// - Throws: `ArchiveError.Reason` where one is of a type that is not read: its size is not
  ///   known, and so not where the next one starts.
  private static func headers(
    in pickle: Pickle
  ) throws(ArchiveError.Reason) -> [String: StorageHeader] {
    var headers: [String: StorageHeader] = [:]
    for case .persistent(let name) in pickle.objects {
      // Classes of modules stand outside of the pickle too.
      guard case .string("storage")? = pickle.sequence(name)?.first else { continue }
      let (key, header) = try TorchTensor.storage(name, in: pickle)
      headers[key] = header
    }
    return headers
  }
}
