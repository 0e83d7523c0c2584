/// Makes ONNX models field by field.
enum ONNXBytes {
  // MARK: - Protobuf

  static func number(_ value: UInt64) -> [UInt8] {
    var (rest, bytes) = (value, [UInt8]())
    repeat {
      bytes.append(UInt8(rest & 0x7F) | (rest > 0x7F ? 0x80 : 0))
      rest >>= 7
    } while rest > 0
    return bytes
  }

  static func field(_ field: Int, _ value: Int) -> [UInt8] {
    number(UInt64(field) << 3) + number(UInt64(bitPattern: Int64(value)))
  }

  static func field(_ field: Int, _ bytes: [UInt8]) -> [UInt8] {
    number(UInt64(field) << 3 | 2) + number(UInt64(bytes.count)) + bytes
  }

  static func field(_ number: Int, _ text: String) -> [UInt8] {
    field(number, Array(text.utf8))
  }

  // MARK: - Models

  /// An initialiser, or with another field number a constant.
  static func tensor(
    _ name: String, _ axes: [Int], type: Int = 1, _ data: [UInt8], as number: Int = 5
  ) -> [UInt8] {
    field(
      number,
      axes.flatMap { field(1, $0) } + field(2, type) + data + field(8, name))
  }

  static func raw(_ bytes: Int) -> [UInt8] {
    field(9, [UInt8](repeating: 0, count: bytes))
  }

  /// The numbers from `start` on as float32.
  static func floats(_ numbers: [Float]) -> [UInt8] {
    field(
      9, numbers.flatMap { value in (0..<4).map { UInt8(value.bitPattern >> (8 * $0) & 0xFF) } })
  }

  static func node(
    _ operation: String, _ inputs: [String], name: String = "node", _ attributes: [[UInt8]] = [],
    output: String? = nil
  ) -> [UInt8] {
    field(
      1,
      inputs.flatMap { field(1, $0) } + (output.map { field(2, $0) } ?? []) + field(3, name)
        + field(4, operation)
        + attributes.flatMap { field(5, $0) })
  }

  static func model(_ graph: [UInt8]...) -> [UInt8] {
    field(1, 8) + field(7, Array(graph.joined())) + field(8, field(2, 17))
  }

  /// W holds 0, 1, 2, …: one number a gate for a hidden size of 1.
  static func lstm(
    _ attributes: [[UInt8]] = [], name: String = "node", inputs: [String] = ["X", "W", "R", "B"]
  ) -> [UInt8] {
    model(
      tensor("W", [1, 4, 1], floats([0, 1, 2, 3])), tensor("R", [1, 4, 1], floats([4, 5, 6, 7])),
      tensor("B", [1, 8], floats((8..<16).map(Float.init))),
      node("LSTM", inputs, name: name, attributes))
  }
}
