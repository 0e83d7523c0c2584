import Platform
import TensorCore

/// A tensor in an ONNX model (`TensorProto`): its elements stand in `raw_data`, little-endian,
/// or in a field for numbers of their type.
///
/// Source: `onnx/onnx.proto` in onnx/onnx.
struct ONNXTensor {
  private(set) var name = ""
  private var axes: [Int] = []
  private var type = 0
  /// The elements as they stand in the file; nil where they stand in `chunks` or `numbers`.
  private var raw: Data?
  /// Elements of four or eight bytes, which may stand in several pieces.
  private var chunks: [Data] = []
  /// Elements as numbers of variable length.
  private var numbers: [Data] = []
  private var isExternal = false
  private var isSegment = false

  /// The types that are read, by their numbers in ONNX.
  private static let types: [Int: (name: String, type: StoredType)] = [
    1: ("FLOAT", .plain(.float32)), 2: ("UINT8", .uint8), 3: ("INT8", .int8), 5: ("INT16", .int16),
    6: ("INT32", .plain(.int32)), 7: ("INT64", .plain(.int64)), 9: ("BOOL", .boolean),
    10: ("FLOAT16", .plain(.float16)), 11: ("DOUBLE", .plain(.float64)),
    16: ("BFLOAT16", .plain(.bfloat16)),
  ]

  /// The names of other types, for errors.
  private static let otherTypes = [
    4: "UINT16", 8: "STRING", 12: "UINT32", 13: "UINT64", 14: "COMPLEX64", 15: "COMPLEX128",
    17: "FLOAT8E4M3FN", 18: "FLOAT8E4M3FNUZ", 19: "FLOAT8E5M2", 20: "FLOAT8E5M2FNUZ",
    21: "UINT4", 22: "INT4", 23: "FLOAT4E2M1",
  ]

  /// - Parameter message: a `TensorProto`.
  /// - Throws: `ArchiveError.Reason` where it is none.
  init(_ message: Data) throws(ArchiveError.Reason) {
    var reader = ProtobufReader(message, of: "tensor")
    while let (field, value) = try reader.next() {
      switch (field, value) {
      case (1, .number): axes.append(value.integer)
      case (1, .bytes(let packed)):
        var axis = ProtobufReader(packed, of: "dims")
        for _ in 0..<Self.count(packed) { axes.append(Int(truncatingIfNeeded: try axis.number())) }
      case (2, _): type = value.integer
      case (3, _): isSegment = true
      case (4, .bytes(let data)), (4, .fourBytes(let data)), (10, .bytes(let data)),
        (10, .eightBytes(let data)):
        chunks.append(data)
      case (5, .bytes(let data)), (7, .bytes(let data)): numbers.append(data)
      case (5, .number(let number)), (7, .number(let number)):
        numbers.append(Self.encoded(number))
      case (8, _): name = value.text
      case (9, .bytes(let data)): raw = data
      case (14, _): isExternal = value.integer == 1
      default: break
      }
      guard axes.count <= NPY.Header.mostAxes else {
        throw .corrupt("dims", expected: "at most \(NPY.Header.mostAxes)", found: "more")
      }
    }
  }

  /// A constant has the name of its node's output.
  mutating func rename(_ name: String) { self.name = name }

  /// The tensor as an entry of the table.
  ///
  /// - Parameter file: all bytes of the file, of which the message is a part.
  /// - Throws: `ArchiveError.Reason` where its elements are not as many as its axes say, in
  ///   another file, or of a type that is not read.
  func entry(in file: Data) throws(ArchiveError.Reason) -> TableEntry {
    guard !isExternal else {
      throw .unsupported(
        "data", expected: "in this file",
        found: "in another; save the model in one file, with onnx.save_model")
    }
    guard let (typeName, type) = Self.types[type], !isSegment else {
      let known = Self.types.values.map(\.name).sorted().joined(separator: ", ")
      throw .unsupported(
        "element type", expected: known,
        found: isSegment ? "a segment" : Self.otherTypes[type] ?? "type \(self.type)")
    }
    guard let shape = Shape(checking: axes) else {
      throw .corrupt("dims", expected: "sizes whose product fits 63 bits", found: Shape.text(axes))
    }
    let what = "the data of \(typeName) \(shape)"
    guard [raw != nil, !chunks.isEmpty, !numbers.isEmpty].count(where: \.self) <= 1 else {
      throw .corrupt(what, expected: "one field", found: "several")
    }
    if !numbers.isEmpty {
      let found = numbers.reduce(0) { $0 + Self.count($1) }
      guard found == shape.elementCount else {
        throw .corrupt(what, expected: "\(shape.elementCount) numbers", found: "\(found)")
      }
      return TableEntry(header: TensorHeader(type.elementType, shape), place: nil) {
        [numbers] () throws(ArchiveError.Reason) in
        try Self.tensor(numbers, type, shape)
      }
    }
    // What stands in one piece is used in place.
    let data = raw ?? (chunks.count == 1 ? chunks[0] : Data(chunks.joined()))
    guard let size = type.byteCount(of: shape.elementCount), size == data.count else {
      throw .corrupt(
        what, expected: "\(type.byteCount(of: shape.elementCount) ?? .max) bytes",
        found: "\(data.count)")
    }
    guard raw != nil || chunks.count == 1 else {
      return TableEntry(header: TensorHeader(type.elementType, shape), place: nil) {
        () throws(ArchiveError.Reason) in type.tensor(data, shape: shape)
      }
    }
    return TableEntry(type, shape, data: data, offset: data.startIndex - file.startIndex)
  }

  /// How many numbers of variable length stand side by side: each has one byte below 128.
  private static func count(_ data: Data) -> Int { data.count { $0 < 0x80 } }

  /// A number as it would stand in a file.
  private static func encoded(_ number: UInt64) -> Data {
    var (rest, bytes) = (number, [UInt8]())
    repeat {
      bytes.append(UInt8(rest & 0x7F) | (rest > 0x7F ? 0x80 : 0))
      rest >>= 7
    } while rest > 0
    return Data(bytes)
  }

  /// The tensor of numbers of variable length. Floats of 16 bits are their bit patterns.
  private static func tensor(
    _ numbers: [Data], _ type: StoredType, _ shape: Shape
  ) throws(ArchiveError.Reason) -> Tensor {
    var bytes = Data(capacity: shape.elementCount * type.blockBytes)
    for data in numbers {
      var reader = ProtobufReader(data, of: "data")
      for _ in 0..<count(data) {
        let number = Int(truncatingIfNeeded: try reader.number())
        switch type.blockBytes {
        case 1: bytes.append(UInt8(truncatingIfNeeded: number))
        case 2: bytes.append(u16: number)
        case 4: bytes.append(u32: number)
        default: bytes.append(u64: number)
        }
      }
    }
    return type.tensor(bytes, shape: shape)
  }
}
