import JSON
import Platform
import TensorCore

/// What a JSON beside a file of raw numbers says of them: `{"dtype": "float32", "shape": [3, 7, 5]}`.
/// Other keys are of no interest, and `dtype` may be missing where the file's ending tells it.
struct RawDescription {
  /// Nil where it does not say.
  let elementType: ElementType?
  let shape: Shape

  /// Where the description of a file may stand: `output.json` or `output.f32.json`.
  static func paths(for path: String) -> [String] {
    let stem = path.lastIndex(of: ".").map { String(path[..<$0]) } ?? path
    return [stem + ".json", path + ".json"]
  }

  /// Where the description of a file stands; nil where there is none.
  static func path(for path: String) -> String? {
    paths(for: path).first { (try? FileBytes.kind(of: $0)) == .file }
  }

  /// Whether a file is the description of another one.
  static func isOne(_ path: String) -> Bool {
    guard path.hasSuffix(".json") else { return false }
    let stem = String(path.dropLast(".json".count))
    let described = [stem] + RawFile.endings.map { stem + $0.ending } + [stem + ".bin"]
    return described.contains { other in
      other != path && Self.path(for: other) == path && TensorContainer.found(at: other) == .raw
        && (try? FileBytes.kind(of: other)) == .file
    }
  }

  /// The most bytes of a description that are read.
  private static let largest = 1 << 16

  /// - Returns: nil where there is none.
  /// - Throws: `ArchiveError`, naming the JSON, where it does not say what it should.
  init?(of path: String) throws(ArchiveError) {
    guard let own = Self.path(for: path) else { return nil }
    let bytes = try FileBytes.read(own)
    guard bytes.count <= Self.largest else {
      throw ArchiveError(
        path: own,
        .corrupt("description", expected: "at most \(Self.largest) bytes", found: "\(bytes.count)"))
    }
    let text = try decodeUTF8(bytes, path: own, member: nil)
    func wrong(_ what: String, _ expected: String, _ found: JSONValue?) -> ArchiveError {
      ArchiveError(
        path: own, .corrupt(what, expected: expected, found: found?.summary ?? "none"))
    }
    let value: JSONValue
    do throws(JSONError) {
      value = try JSONParser.parse(text)
    } catch {
      throw ArchiveError(path: own, .corrupt("JSON", expected: "an object", found: "\(error)"))
    }
    guard case .object(let values) = value else { throw wrong("JSON", "an object", value) }
    guard case .array(let items) = values["shape"] else {
      throw wrong("shape", "a list of sizes", values["shape"])
    }
    let axes = items.compactMap { if case .integer(let size) = $0 { size } else { nil } }
    guard axes.count == items.count, axes.count <= NPY.Header.mostAxes,
      let shape = Shape(checking: axes)
    else { throw wrong("shape", "sizes whose product fits 63 bits", values["shape"]) }
    self.shape = shape
    switch values["dtype"] {
    case nil: elementType = nil
    case .string(let name)?:
      guard let type = Self.type(name) else {
        throw wrong(
          "dtype", ElementType.allCases.map(\.rawValue).joined(separator: ", "), values["dtype"])
      }
      elementType = type
    case let other?: throw wrong("dtype", "a text", other)
    }
  }

  /// The type of a name of PyTorch's or NumPy's, such as `float32`, `torch.float32` or `<f4`.
  private static func type(_ name: String) -> ElementType? {
    let name = name.hasPrefix("torch.") ? String(name.dropFirst("torch.".count)) : name
    let own = name.hasPrefix("<") ? String(name.dropFirst()) : name
    return ElementType(rawValue: name) ?? NPY.Header.types[own]
  }
}
