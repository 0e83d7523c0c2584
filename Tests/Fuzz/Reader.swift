import JSON
import ParityFixtures
import Platform
import TensorArchives
import TensorCore

/// One of the readers that are tried, by the ending of the files that it reads.
struct Reader: Sendable {
  private let path: String
  private let body: @Sendable (_ path: String, _ text: [UInt8]) throws -> Void

  /// The reader that the environment names.
  static let chosen: Reader = {
    let environment = ProcessInfo.processInfo.environment
    guard let ending = environment["PARITY_CHECK_FUZZ"], let folder = environment["TMPDIR"] else {
      fatalError("expected a reader in PARITY_CHECK_FUZZ and a folder in TMPDIR")
    }
    let path = "\(folder)/input.\(ending)"
    return switch ending {
    case "json": Reader(path: path) { _, text in try readManifest(text) }
    case "planted": Reader(path: path) { _, text in planted(text) }
    default: Reader(path: path) { path, _ in try readArchive(path) }
    }
  }()

  /// Gives the input to the reader, and takes the errors with which it refuses it.
  func read(_ input: UnsafeBufferPointer<UInt8>) {
    guard let file = fopen(path, "w") else { fatalError("can't write \(path)") }
    fwrite(input.baseAddress, 1, input.count, file)
    fclose(file)
    try? body(path, Array(input))
  }

  /// Reads whatever the file holds, in each of the ways that there are, which must agree.
  private static func readArchive(_ path: String) throws {
    _ = try? Inspection(path)
    let archive = try TensorContainer.open(path)
    if let text = try? archive.manifest() { _ = try? Manifest(parsing: text) }
    for name in archive.tensorNames {
      let header = try? archive.header(of: name)
      let tensor = try? archive.tensor(named: name)
      guard let source = try? archive.source(of: name) else {
        expect(tensor == nil, "a tensor without a source")
        continue
      }
      expect(source.header == header, "another header")
      let count = source.header.shape.elementCount
      let middle = count / 2
      let parts = [try? source.block(0..<middle), try? source.block(middle..<count)]
      let isRead = parts.allSatisfy { $0 != nil } && (try? source.verify()) != nil
      expect(isRead == (tensor != nil), "a tensor without its parts, or these without it")
      guard let tensor, isRead else { continue }
      expect(tensor.shape == source.header.shape, "another shape")
      expect(tensor.elementType == source.header.elementType, "another type")
      expect(bytes(of: tensor) == parts.flatMap { $0.map(bytes) ?? [] }, "other elements")
    }
  }

  /// Ends the process where two ways to read the same disagree.
  private static func expect(_ isTrue: Bool, _ finding: String) {
    if !isTrue { fatalError(finding) }
  }

  private static func bytes(of tensor: Tensor) -> [UInt8] {
    tensor.withUnsafeBytes { Array($0) }
  }

  /// Reads the input as JSON, which must come back from its own text, and as a manifest.
  private static func readManifest(_ text: [UInt8]) throws {
    guard let text = String(validating: text, as: UTF8.self) else { return }
    _ = try? Manifest(parsing: text)
    let value = try JSONParser.parse(text)
    for text in [value.text, value.compactText] {
      expect((try? JSONParser.parse(text)) == value, "another value")
    }
  }

  /// A bug for the test of the fuzzer itself: it must be found.
  private static func planted(_ text: [UInt8]) {
    if text.count > 3, text[0] == 0x42, text[1] == 0x55, text[2] == 0x47 {
      fatalError("the planted bug")
    }
  }
}
