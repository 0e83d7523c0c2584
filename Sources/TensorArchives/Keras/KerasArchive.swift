#if HDF5
  import Platform
  import TensorCore

  /// A model of Keras 3 in its own format `.keras` as an archive: a ZIP file in which
  /// `config.json` describes the model, and `model.weights.h5` is an HDF5 file with the weights.
  /// That one is read where it stands; nothing is unpacked. It holds no manifest.
  ///
  /// Source: `keras/src/saving/saving_lib.py` in keras-team/keras.
  struct KerasArchive: TensorArchive {
    let path: String
    let modelConfiguration: String?
    private let weights: HDF5Archive

    private static let weightsName = "model.weights.h5"
    private static let configurationName = "config.json"
    /// The most bytes of the description; one of a thousand layers has some million.
    private static let largestConfiguration = 64 << 20

    /// - Throws: `ArchiveError` where it is no such ZIP file, or a damaged one, and where the
    ///   weights are deflated, which Keras never does.
    /// - Complexity: O(bytes), for the checksum of the weights.
    init(path: String) throws(ArchiveError) {
      self.path = path
      let bytes = try FileBytes.read(path)
      let entries = try ZIPDirectory(of: bytes, path: path).entries
      guard let entry = entries[Self.weightsName] else {
        throw ArchiveError(
          path: path,
          .wrongFormat(
            expected: "a model of Keras 3, a ZIP file with \(Self.weightsName)",
            found: "one without it"))
      }
      guard entry.method == .stored else {
        throw ArchiveError(
          path: path, member: entry.name,
          .unsupported(
            "weights", expected: "as Keras writes them",
            found: "deflated; unpack the file, and open \(entry.name) itself"))
      }
      let member = try StoredArray(entry, in: bytes, path: path, checksum: entry.checksum)
      _ = try member.contents()
      weights = try HDF5Archive(path: path, part: member.offset..<member.offset + member.size)
      modelConfiguration = try entries[Self.configurationName].map { entry throws(ArchiveError) in
        guard entry.size <= Self.largestConfiguration else {
          throw ArchiveError(
            path: path, member: entry.name,
            .unsupported(
              "description", expected: "at most \(Self.largestConfiguration) bytes",
              found: "\(entry.size)"))
        }
        let text = try StoredArray(entry, in: bytes, path: path, checksum: entry.checksum)
        return String(decoding: try text.contents(), as: UTF8.self)
      }
    }

    var tensorNames: [String] { weights.tensorNames }
    func manifest() -> String? { nil }
    func tensor(named name: String) throws(ArchiveError) -> Tensor {
      try weights.tensor(named: name)
    }
    func header(of name: String) throws(ArchiveError) -> TensorHeader {
      try weights.header(of: name)
    }
    func source(of name: String) throws(ArchiveError) -> any TensorSource {
      try weights.source(of: name)
    }
  }
#endif
