import TensorCore

/// The names that safetensors files give to the types of elements.
enum Safetensors {
  /// The types that are read.
  static let types: [String: StoredType] = [
    "F16": .plain(.float16), "BF16": .plain(.bfloat16), "F32": .plain(.float32),
    "F64": .plain(.float64), "I32": .plain(.int32), "I64": .plain(.int64),
    "I16": .int16, "I8": .int8, "U8": .uint8, "BOOL": .boolean,
  ]

  /// How many bits an element takes, of all types of the format.
  static let bits: [String: Int] = {
    let others = [
      "U16": 16, "U32": 32, "U64": 64, "C64": 64, "F8_E5M2": 8, "F8_E4M3": 8, "F8_E8M0": 8,
      "F8_E5M2FNUZ": 8, "F8_E4M3FNUZ": 8, "F6_E2M3": 6, "F6_E3M2": 6, "F4": 4,
    ]
    return types.mapValues { $0.blockBytes * 8 }.merging(others) { own, _ in own }
  }()

  /// That a type is not read.
  static func unknown(_ type: String) -> ArchiveError.Reason {
    .unsupported(
      "element type", expected: types.keys.sorted().joined(separator: ", "),
      found: TensorName.shown(type))
  }
}
