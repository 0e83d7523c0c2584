import RecurrentModel
import TensorArchives
import TensorCore

/// The weights of a checkpoint that PyTorch's weight norm keeps as a direction v and a length g,
/// and how they are put together: w = g · v / ‖v‖, with the norm over the axes along which g has
/// one element.
///
/// ```swift
/// WeightNorm.derived(from: archive).entries.keys  // lstm.weight_hh_l0
/// ```
///
/// Two spellings are known: `weight_hh_l0_g` beside `weight_hh_l0_v`, of
/// `torch.nn.utils.weight_norm`, and `parametrizations.weight_hh_l0.original0` beside `original1`,
/// of `torch.nn.utils.parametrizations.weight_norm`.
///
/// Source: PyTorch's documentation of both functions.
enum WeightNorm {
  /// The weights of recurrent modules that stand in the file as two parts.
  static func derived(from archive: any TensorArchive) -> DerivedTensors {
    let known = Set(archive.tensorNames)
    var derived = DerivedTensors()
    for length in archive.tensorNames {
      guard let (whole, direction) = whole(length), known.contains(direction),
        !known.contains(whole), RecurrentModule.parameterName(endOf: whole) != nil,
        let header = try? archive.header(of: direction)
      else { continue }
      derived.entries[whole] = .success(
        DerivedTensor(header: header, sources: [length, direction]) {
          (parts) throws(ArchiveError.Reason) in
          let (g, v) = (parts[0], parts[1])
          guard fits(g.shape, v.shape) else {
            throw .corrupt(
              length, expected: "one number for each row of \(direction) \(v.shape)",
              found: "\(g.shape)")
          }
          return folded(g, v)
        })
    }
    return derived
  }

  /// The weight that a length belongs to, and the direction's name; nil for another tensor's name.
  private static func whole(_ name: String) -> (whole: String, direction: String)? {
    if name.hasSuffix("_g") {
      let whole = String(name.dropLast(2))
      return (whole, whole + "_v")
    }
    let words = name.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
    guard words.count >= 3, words.last == "original0", words[words.count - 3] == "parametrizations"
    else { return nil }
    let whole = words.dropLast(3) + [words[words.count - 2]]
    return (whole.joined(separator: "."), (words.dropLast() + ["original1"]).joined(separator: "."))
  }

  private static func fits(_ length: Shape, _ direction: Shape) -> Bool {
    length.rank == direction.rank
      && zip(length.axes, direction.axes).allSatisfy { $0 == 1 || $0 == $1 }
  }

  /// - Complexity: O(elements).
  private static func folded(_ g: Tensor, _ v: Tensor) -> Tensor {
    let (lengths, directions): ([Double], [Double]) = (g.elements(), v.elements())
    // For each element of v, the element of g that it belongs to.
    var strides = [Int](repeating: 0, count: g.shape.rank)
    var stride = 1
    for axis in g.shape.axes.indices.reversed() {
      strides[axis] = g.shape.axes[axis] == 1 ? 0 : stride
      stride *= g.shape.axes[axis]
    }
    let owners = directions.indices.map { offset in
      var (rest, owner) = (offset, 0)
      for axis in v.shape.axes.indices.reversed() {
        let (quotient, index) = rest.quotientAndRemainder(dividingBy: v.shape.axes[axis])
        owner += index * strides[axis]
        rest = quotient
      }
      return owner
    }
    var squares = [Double](repeating: 0, count: lengths.count)
    for (offset, owner) in owners.enumerated() {
      squares[owner] += directions[offset] * directions[offset]
    }
    let folded = owners.enumerated().map { offset, owner in
      directions[offset] * (lengths[owner] / squares[owner].squareRoot())
    }
    return Tensor(folded, shape: v.shape).rounded(to: v.elementType)
  }
}
