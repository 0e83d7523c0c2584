import ArchiveComparison
import TensorArchives
import TensorComparison
import TensorCore

/// Compares values of the reference with the tensors in their place.
struct ValueComparer: Sendable {
  let reference: ReferenceStages
  /// What the implementation computes in, where it is not what the reference was computed in.
  let actualArithmetic: Arithmetic?
  let largestZ: Double

  /// The largest tensor that is held in memory to look for another order of its axes: 64 MB of
  /// floats.
  private static let largestRearranged = 1 << 24

  /// - Parameter actual: the tensor in the value's place; nil where there is none.
  /// - Complexity: O(bytes), in memory for one block of each side and core.
  func result(
    _ name: String, _ actual: () throws(ArchiveError) -> (any TensorSource)?
  ) -> ValueResult {
    do throws(ArchiveError) {
      guard let value = reference.values[name] else {
        throw ArchiveError(path: reference.path, member: name, .noSuchMember(available: []))
      }
      let expected = try value.source()
      guard let found = try actual() else {
        return result(name, expected, .missing, hasSigma: value.sigma != nil)
      }
      let sigma = try value.sigma?()
      if let sigma, sigma.header.shape != expected.header.shape {
        throw ArchiveError(
          path: reference.path, member: "sigma/" + name,
          .corrupt(
            "shape", expected: "\(expected.header.shape), as the value's",
            found: "\(sigma.header.shape)"))
      }
      return try compared(name, expected, sigma, found)
    } catch {
      return ValueResult(
        name: name, shape: [], finding: .unreadable(error), rearrangement: nil, storage: nil,
        hasSigma: false, isWhole: false, largestZ: largestZ)
    }
  }

  private func result(
    _ name: String, _ expected: any TensorSource, _ finding: ValueResult.Finding, hasSigma: Bool,
    _ rearrangement: Rearrangement? = nil, storage: Arithmetic? = nil
  ) -> ValueResult {
    ValueResult(
      name: name, shape: expected.header.shape, finding: finding, rearrangement: rearrangement,
      storage: storage, hasSigma: hasSigma,
      isWhole: !expected.header.elementType.isFloatingPoint, largestZ: largestZ)
  }

  private func compared(
    _ name: String, _ expected: any TensorSource, _ sigma: (any TensorSource)?,
    _ found: any TensorSource
  ) throws(ArchiveError) -> ValueResult {
    var (actual, rearrangement) = (found, Rearrangement?.none)
    if found.header.shape.withoutOnes != expected.header.shape.withoutOnes {
      guard let other = try rearranged(found, as: expected) else {
        return result(
          name, expected, .shape(found: found.header.shape), hasSigma: sigma != nil)
      }
      (actual, rearrangement) = other
    }
    let storage = self.storage(of: found.header.elementType)
    let sources = [actual, expected] + [sigma].compactMap(\.self)
    let scale = scale(storage, actual.header.elementType, expected.header.elementType)
    let tally = try ParallelBlocks(sources).reduce(
      ValueTally(), { $0.add($1, $2, scale) }, merging: { $0.merge($1) })
    for source in sources { try source.verify() }
    return result(
      name, expected, .measured(tally), hasSigma: sigma != nil, rearrangement, storage: storage)
  }

  /// What the tensor was rounded to when it was stored, where that is coarser than what the values
  /// were computed in.
  private func storage(of type: ElementType) -> Arithmetic? {
    guard let stored = Arithmetic(of: type) else { return nil }
    return stored.unitRoundoff > reference.arithmetic.unitRoundoff
      && stored.unitRoundoff > (actualArithmetic?.unitRoundoff ?? 0) ? stored : nil
  }

  private func scale(
    _ storage: Arithmetic?, _ actual: ElementType, _ expected: ElementType
  ) -> ValueTally.Scale {
    let ratio =
      (actualArithmetic ?? reference.arithmetic).unitRoundoff
      / reference.arithmetic.unitRoundoff
    let unit = storage?.unitRoundoff ?? 0
    // Both sides of a comparison of 16-bit numbers are rounded so, and the limits are its own.
    var (rtol, atol) = (0.0, 0.0)
    if let coarser = coarser(actual, expected), case .bound(let r, let a) = Limits.torch(coarser) {
      (rtol, atol) = (r, a)
    }
    return ValueTally.Scale(
      factor: (1 + ratio * ratio).squareRoot(), storage: unit * unit / 3,
      smallest: storage == .float16 ? 0x1p-24 * 0x1p-24 / 12 : 0, rtol: rtol, atol: atol)
  }

  /// The coarser arithmetic of the two types; nil where one is of integers.
  private func coarser(_ actual: ElementType, _ expected: ElementType) -> Arithmetic? {
    guard let a = Arithmetic(of: actual), let b = Arithmetic(of: expected) else { return nil }
    return a.coarser(b).coarser(actualArithmetic ?? b)
  }

  /// The tensor in an order of its axes in which it has the value's shape, and mostly its numbers.
  private func rearranged(
    _ found: any TensorSource, as expected: any TensorSource
  ) throws(ArchiveError) -> (any TensorSource, Rearrangement?)? {
    let count = expected.header.shape.elementCount
    guard count == found.header.shape.elementCount, count > 0, count <= Self.largestRearranged
    else { return nil }
    let actual = try found.block(0..<count).reshaped(found.header.shape)
    let wanted = try expected.block(0..<count).reshaped(expected.header.shape)
    guard let nearest = NearestOrder.found(actual: actual, expected: wanted) else { return nil }
    return (LoadedSource(tensor: nearest.tensor), nearest.rearrangement)
  }
}

extension Shape {
  /// The axes but for those of size 1, which change the place of no element.
  var withoutOnes: [Int] { axes.filter { $0 != 1 } }
}
