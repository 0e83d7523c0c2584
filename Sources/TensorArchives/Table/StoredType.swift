import Platform
import TensorCore

/// The type of a tensor's elements as a checkpoint stores them. Types that no module is
/// computed in are handed out as a wider one that holds their numbers exactly.
enum StoredType: Sendable, Hashable {
  /// A type that is handed out as it is.
  case plain(ElementType)
  /// Integers of 8 and 16 bits, handed out as int32.
  case int8
  case int16
  case uint8
  /// One byte an element, handed out as the int32 0 or 1.
  case boolean
  /// ggml's blocks of 32 numbers, handed out as float32: a float16 scale, and 32 integers of
  /// 8 bits that it multiplies (`block_q8_0` in ggml's `ggml-common.h`).
  case q8

  /// The type of the elements that are handed out.
  var elementType: ElementType {
    switch self {
    case .plain(let type): type
    case .int8, .int16, .uint8, .boolean: .int32
    case .q8: .float32
    }
  }

  /// The number of elements that are stored as one piece.
  var blockElements: Int { self == .q8 ? 32 : 1 }

  /// The number of bytes of such a piece.
  var blockBytes: Int {
    switch self {
    case .plain(let type): type.byteCount
    case .int8, .uint8, .boolean: 1
    case .int16: 2
    case .q8: 34
    }
  }

  /// The number of bytes that so many elements take in the file; nil where they are no whole
  /// number of blocks, or the bytes do not fit an `Int`.
  func byteCount(of elements: Int) -> Int? {
    let (blocks, rest) = elements.quotientAndRemainder(dividingBy: blockElements)
    let (bytes, overflow) = blocks.multipliedReportingOverflow(by: blockBytes)
    return rest == 0 && !overflow ? bytes : nil
  }

  /// The tensor whose elements stand in `data`, one behind the other in row-major order.
  ///
  /// - Parameter data: exactly as many bytes as `byteCount(of:)` says. They are used in place
  ///   where the type is plain, the bytes are little-endian and aligned.
  /// - Complexity: O(1) in place, and O(elements) otherwise.
  func tensor(_ data: Data, shape: Shape, isBigEndian: Bool = false) -> Tensor {
    switch self {
    case .plain(let type):
      Self.plain(type.swiftType, data, shape: shape, isBigEndian: isBigEndian)
    case .int8: Tensor(data.map { Int32(Int8(bitPattern: $0)) }, shape: shape)
    case .uint8: Tensor(data.map { Int32($0) }, shape: shape)
    case .boolean: Tensor(data.map { $0 == 0 ? 0 : 1 as Int32 }, shape: shape)
    case .int16:
      Tensor(
        Self.words(data).map { word in
          Int32(Int16(bitPattern: isBigEndian ? word.byteSwapped : word))
        }, shape: shape)
    case .q8: Tensor(Self.dequantized(data), shape: shape)
    }
  }

  private static func plain<Element: TensorElement>(
    _ type: Element.Type, _ data: Data, shape: Shape, isBigEndian: Bool
  ) -> Tensor {
    var data = data
    if isBigEndian {
      data.withUnsafeMutableBytes { $0.reverseBytes(ofNumbersOf: MemoryLayout<Element>.size) }
    }
    return Tensor(Elements<Element>(in: data), shape: shape)
  }

  /// The bytes as little-endian numbers of 16 bits.
  private static func words(_ data: Data) -> [UInt16] {
    data.withUnsafeBytes { bytes in
      (0..<bytes.count / 2).map { bytes.loadUnaligned(fromByteOffset: 2 * $0, as: UInt16.self) }
    }
  }

  private static func dequantized(_ data: Data) -> [Float] {
    data.withUnsafeBytes { bytes in
      stride(from: 0, to: bytes.count, by: StoredType.q8.blockBytes).flatMap { start in
        let scale = Half(
          bitPattern: bytes.loadUnaligned(fromByteOffset: start, as: UInt16.self)
        ).float
        return (0..<StoredType.q8.blockElements).map {
          scale * Float(Int8(bitPattern: bytes[start + 2 + $0]))
        }
      }
    }
  }
}
