import RecurrentModel
package import TensorArchives
package import TensorCore

/// The weights of a checkpoint that PyTorch's weight norm keeps as a direction v and a length g,
/// and how they are put together: w = g · v / ‖v‖, with the norm over the axes along which g has
/// one element.
///
/// ```swift
/// let norm = WeightNorm(["lstm.weight_hh_l0_g", "lstm.weight_hh_l0_v", …])
/// norm.names  // ["lstm.weight_hh_l0"]
/// ```
///
/// Two spellings are known: `weight_hh_l0_g` beside `weight_hh_l0_v`, of
/// `torch.nn.utils.weight_norm`, and `parametrizations.weight_hh_l0.original0` beside `original1`,
/// of `torch.nn.utils.parametrizations.weight_norm`.
///
/// Source: PyTorch's documentation of both functions.
package struct WeightNorm: Sendable {
  private let parts: [String: (length: String, direction: String)]

  /// - Parameter names: of all tensors of a checkpoint. Only parameters of recurrent modules are
  ///   put together.
  package init(_ names: [String]) {
    let known = Set(names)
    var parts: [String: (length: String, direction: String)] = [:]
    for name in names {
      guard let (whole, direction) = Self.whole(name), known.contains(direction),
        !known.contains(whole), RecurrentModule.parameterName(endOf: whole) != nil
      else { continue }
      parts[whole] = (name, direction)
    }
    self.parts = parts
  }

  /// The names of the weights that are put together, sorted.
  package var names: [String] { parts.keys.sorted() }

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

  /// The type and shape of a weight that is put together; nil for any other name.
  package func header(
    of name: String, in archive: any TensorArchive
  ) throws(ArchiveError) -> TensorHeader? {
    guard let parts = parts[name] else { return nil }
    return try archive.header(of: parts.direction)
  }

  /// A weight that is put together; nil for any other name.
  ///
  /// - Throws: `ArchiveError` where a part can't be read, or the two do not fit together.
  /// - Complexity: O(elements).
  package func tensor(
    named name: String, in archive: any TensorArchive
  ) throws(ArchiveError) -> Tensor? {
    guard let parts = parts[name] else { return nil }
    let (g, v) = (
      try archive.tensor(named: parts.length), try archive.tensor(named: parts.direction)
    )
    let fits =
      g.shape.rank == v.shape.rank
      && zip(g.shape.axes, v.shape.axes).allSatisfy { $0 == 1 || $0 == $1 }
    guard fits else {
      throw ArchiveError(
        path: archive.path, member: parts.length,
        .wrongFormat(
          expected: "one number for each row of \(parts.direction) \(v.shape)",
          found: "\(g.shape)"))
    }
    return Self.folded(g, v)
  }

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
