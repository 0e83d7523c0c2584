#if HDF5
  import Platform
  import SystemPackage

  /// What a reader is asked about one file. A question says all that is needed to answer it, so
  /// that any reader can.
  struct HDF5Question: Codable {
    enum Subject: Codable {
      /// Answered by `HDF5Contents`.
      case contents
      /// Answered by `HDF5Layout`.
      case layout(String)
      /// Elements of a dataset, counted in row-major order; answered by their bytes, in parts.
      case elements(String, HDF5Layout, lower: Int, upper: Int)
    }

    let path: String
    /// The bytes of the file at `path` that are the HDF5 file; nil for all.
    let part: Range<Int>?
    /// A number that no other open file of the asking process has: a path may lead to another
    /// file later.
    let file: Int
    let subject: Subject
    /// How much the reader may compute for the answer, in seconds of its processor time.
    var processorSeconds = 0

    /// How long the answer may take, in seconds: more than the reader may compute, for a machine
    /// that computes other things as well, and for slow disks.
    var seconds: Int { 4 * processorSeconds }
  }

  /// Why a reader can't answer: an `ArchiveError` without its path.
  struct HDF5Refusal: Codable, Error {
    let member: String?
    let reason: ArchiveError.Reason
  }

  /// One message between a reader and the process that asks it: its kind in a byte, the number of
  /// bytes that follow in 64 bits, little-endian, and these.
  enum HDF5Message {
    enum Kind: UInt8 {
      /// JSON, of a question or its answer.
      case json = 1
      /// JSON of a refusal.
      case refusal = 2
      /// Bytes of elements, in the order of a little-endian machine.
      case elements = 3
    }

    static let headerSize = 9

    static func header(_ kind: Kind, _ count: Int) -> [UInt8] {
      withUnsafeBytes(of: UInt64(count).littleEndian) { [kind.rawValue] + $0 }
    }

    /// - Returns: nil for what is no header.
    static func header(_ bytes: [UInt8]) -> (kind: Kind, count: Int)? {
      guard bytes.count == headerSize, let kind = Kind(rawValue: bytes[0]) else { return nil }
      let count = bytes[1...].reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
      return Int(exactly: count).map { (kind, $0) }
    }
  }
#endif
