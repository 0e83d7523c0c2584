import Platform
import TensorCore

/// A tensor as a pickle of PyTorch describes it: the call of a function in `torch._utils` with a
/// storage, the offset of the first element, the sizes of the axes, and their strides.
enum TorchTensor {
  /// The functions that make a dense tensor of these arguments.
  static let functions: Set<String> = [
    "torch._utils._rebuild_tensor", "torch._utils._rebuild_tensor_v2",
  ]

  /// The types of storages that are read, by the names of PyTorch's classes.
  private static let types: [String: StoredType] = [
    "HalfStorage": .plain(.float16), "BFloat16Storage": .plain(.bfloat16),
    "FloatStorage": .plain(.float32), "DoubleStorage": .plain(.float64),
    "IntStorage": .plain(.int32), "LongStorage": .plain(.int64),
    "CharStorage": .int8, "ByteStorage": .uint8, "ShortStorage": .int16,
    "BoolStorage": .boolean,
  ]

  /// The names of these types, for errors.
  static let readTypes = Set(types.values.map(\.elementType)).map(\.rawValue).sorted()
    .joined(separator: ", ")

  /// The entry for the tensor that a call makes.
  ///
  /// - Parameter arguments: of one of `functions`.
  /// - Throws: `ArchiveError.Reason` where the arguments are others, the tensor reaches beyond
  ///   its storage, or its type is not read.
  static func entry(
    _ arguments: [PickleValue], in file: TorchFile
  ) throws(ArchiveError.Reason) -> TableEntry {
    let pickle = file.pickle
    guard arguments.count >= 4, case .persistent(let name) = pickle.object(arguments[0]),
      case .integer(let offset) = arguments[1], offset >= 0,
      let sizes = integers(arguments[2], in: pickle),
      let strides = integers(arguments[3], in: pickle), strides.count == sizes.count
    else {
      throw .corrupt(
        "tensor", expected: "a storage, an offset, sizes and strides", found: "other values")
    }
    let (key, header) = try storage(name, in: pickle)
    let (type, count) = (header.type, header.count)
    guard sizes.count <= NPY.Header.mostAxes, let shape = Shape(checking: sizes),
      // So that no number of bytes overflows.
      shape.elementCount < 1 << 56
    else {
      throw .corrupt(
        "shape",
        expected: "at most \(NPY.Header.mostAxes) sizes whose product is below 2^56",
        found: sizes.count > 8 ? "\(sizes.count) axes" : Shape.text(sizes))
    }
    guard let last = lastElement(offset, shape, strides), last < count else {
      throw .corrupt(
        "tensor", expected: "elements among the \(count) of its storage",
        found: "\(shape) from \(offset) with the strides \(Shape.text(strides))")
    }
    let storage = try file.storage(key, header)
    let width = type.blockBytes
    let first = storage.data.startIndex + offset * width
    let isEmpty = shape.elementCount == 0
    if isEmpty || isRowMajor(shape, strides) {
      let size = shape.elementCount * width
      return TableEntry(
        type, shape, data: isEmpty ? Data() : storage.data[first..<first + size],
        offset: storage.offset + offset * width, isBigEndian: storage.isBigEndian,
        checksum: size == storage.data.count ? storage.checksum : nil, verify: storage.verify)
    }
    let span = storage.data[first..<first + (last - offset + 1) * width]
    return TableEntry(header: TensorHeader(type.elementType, shape), place: nil) {
      () throws(ArchiveError.Reason) in
      try storage.verify()
      let elements = type.tensor(
        span, shape: [last - offset + 1], isBigEndian: storage.isBigEndian)
      return elements.gathering(offsets(shape, strides), shape: shape)
    }
  }

  /// What the name of a storage says: `("storage", class, key, device, number of elements)`, in
  /// the older format with one more value for views.
  ///
  /// - Throws: `ArchiveError.Reason` where it is another name, or of a type that is not read.
  static func storage(
    _ name: PickleValue, in pickle: Pickle
  ) throws(ArchiveError.Reason) -> (key: String, header: TorchFile.StorageHeader) {
    guard let words = pickle.sequence(name), words.count >= 5,
      case .string("storage") = words[0], case .global(let className) = words[1],
      case .string(let key) = words[2], case .integer(let count) = words[4], count >= 0
    else { throw .corrupt("storage", expected: "a class, a key and a size", found: "other values") }
    guard key.utf8.count <= 256 else {
      throw .corrupt("storage", expected: "a key of at most 256 bytes", found: "more")
    }
    if words.count > 5, case .object = words[5] {
      throw .unsupported("storage", expected: "a whole one", found: "a view of another")
    }
    guard let type = types[className.split(separator: ".").last.map(String.init) ?? ""] else {
      throw .unsupported(
        "element type", expected: types.keys.sorted().joined(separator: ", "),
        found: TensorName.shown(className))
    }
    guard let byteCount = type.byteCount(of: count) else {
      throw .corrupt("storage", expected: "fewer than 2^63 bytes", found: "\(count) elements")
    }
    return (key, TorchFile.StorageHeader(type: type, count: count, byteCount: byteCount))
  }

  /// The values of a tuple of integers from 0 on; nil for anything else.
  private static func integers(_ value: PickleValue, in pickle: Pickle) -> [Int]? {
    guard let values = pickle.sequence(value) ?? size(value, in: pickle) else { return nil }
    let numbers = values.compactMap { value -> Int? in
      if case .integer(let number) = value, number >= 0 { number } else { nil }
    }
    return numbers.count == values.count ? numbers : nil
  }

  /// The values of a `torch.Size`; nil for anything else.
  private static func size(_ value: PickleValue, in pickle: Pickle) -> [PickleValue]? {
    guard case .instance(let instance) = pickle.object(value), instance.name == "torch.Size"
    else { return nil }
    return pickle.sequence(instance.arguments.first)
  }

  /// Where the last element stands in the storage, -1 for a tensor without elements; nil where
  /// the number does not fit.
  private static func lastElement(_ offset: Int, _ shape: Shape, _ strides: [Int]) -> Int? {
    guard shape.elementCount > 0 else { return -1 }
    var last = offset
    for (size, stride) in zip(shape.axes, strides) {
      let (length, overflow) = (size - 1).multipliedReportingOverflow(by: stride)
      let (sum, overflowOfSum) = last.addingReportingOverflow(length)
      guard !overflow, !overflowOfSum else { return nil }
      last = sum
    }
    return last
  }

  private static func isRowMajor(_ shape: Shape, _ strides: [Int]) -> Bool {
    var expected = 1
    for (size, stride) in zip(shape.axes, strides).reversed() where size != 1 {
      guard stride == expected else { return false }
      expected *= size
    }
    return true
  }

  /// Where each element, in row-major order, stands behind the first one.
  private static func offsets(_ shape: Shape, _ strides: [Int]) -> [Int] {
    zip(shape.axes, strides).reduce([0]) { offsets, axis in
      offsets.flatMap { start in (0..<axis.0).map { start + $0 * axis.1 } }
    }
  }
}
