/// Makes pickles opcode by opcode.
enum PickleBytes {
  /// A pickle of these opcodes, with the protocol before and the stop behind them.
  static func pickle(_ opcodes: [UInt8]) -> [UInt8] { [0x80, 2] + opcodes + [0x2E] }

  static func text(_ text: String) -> [UInt8] {
    let count = text.utf8.count
    return [0x58] + (0..<4).map { UInt8(count >> (8 * $0) & 0xFF) } + Array(text.utf8)
  }

  static func global(_ module: String, _ name: String) -> [UInt8] {
    Array("c\(module)\n\(name)\n".utf8)
  }

  static func number(_ value: Int) -> [UInt8] {
    [0x8A, 8] + (0..<8).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
  }

  static func tuple(_ values: [UInt8]...) -> [UInt8] { [0x28] + values.joined() + [0x74] }

  /// A tensor of float32 in a storage 0 of so many elements.
  static func tensor(
    _ sizes: [Int], _ strides: [Int], offset: Int = 0, of count: Int, type: String = "FloatStorage"
  ) -> [UInt8] {
    let storage =
      tuple(text("storage"), global("torch", type), text("0"), text("cpu"), number(count)) + [0x51]
    let axes = [sizes, strides].map { axes in [0x28] + axes.flatMap(number) + [0x74] }
    return global("torch._utils", "_rebuild_tensor_v2")
      + tuple(storage, number(offset), axes[0], axes[1], [0x89], [0x4E]) + [0x52]
  }

  static func dictionary(_ items: [(String, [UInt8])]) -> [UInt8] {
    [0x7D, 0x28] + items.flatMap { text($0.0) + $0.1 } + [0x75]
  }
}
