import Platform
import TensorCore

extension NPY {
  /// The contents of an `.npy` file that holds `tensor`: the same bytes that `numpy.save`
  /// writes, version 1.0, little-endian, in C order.
  ///
  /// - Parameters:
  ///   - path, member: where the contents will stand, for errors.
  /// - Throws: `ArchiveError` for bfloat16, which NumPy does not have, and for more axes than
  ///   NumPy allows.
  static func contents(
    of tensor: Tensor, path: String, member: String?
  ) throws(ArchiveError) -> MemberContents {
    guard let type = Header.types.first(where: { $0.value == tensor.elementType })?.key else {
      let known = ElementType.allCases.filter(Header.types.values.contains).map(\.rawValue)
      throw ArchiveError(
        path: path, member: member,
        .unsupported(
          "element type", expected: known.joined(separator: ", "),
          found: "\(tensor.elementType), which NumPy has not; float32 holds it without loss"))
    }
    guard tensor.shape.rank <= Header.mostAxes else {
      throw ArchiveError(
        path: path, member: member,
        .unsupported(
          "shape", expected: "at most \(Header.mostAxes) axes", found: "\(tensor.shape.rank)"))
    }
    return MemberContents(head(type: "<" + type, tensor.shape), elementsOf: tensor)
  }

  /// All that stands before the elements, which start at a multiple of 64 bytes.
  private static func head(type: String, _ shape: Shape) -> Data {
    var text = "{'descr': '\(type)', 'fortran_order': False, 'shape': \(shape), }"
    // Room for the first axis to grow to 21 digits, which NumPy leaves too.
    if let first = shape.axes.first {
      text += String(repeating: " ", count: 21 - String(first).count)
    }
    let unpadded = magic.count + 4 + text.utf8.count + 1
    text += String(repeating: " ", count: 64 - unpadded % 64) + "\n"
    var data = Data(magic + [1, 0])
    data.append(u16: text.utf8.count)
    data.append(contentsOf: text.utf8)
    return data
  }
}
