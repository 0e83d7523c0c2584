package import TensorArchives
package import TensorComparison
package import TensorCore

/// What was measured of two tensors that have the same name and the same shape.
package struct ComparedTensor: Sendable {
  /// A number as the file holds it, with its element type where that is a floating-point type.
  package enum Number: Sendable, Equatable {
    case real(Double, ElementType)
    case integer(Int64)
  }

  /// The element at which a difference is largest.
  package struct Extreme: Sendable, Equatable {
    /// Row-major.
    package let offset: Int
    /// The difference, absolute or relative.
    package let value: Double
    package let actual: Number
    package let expected: Number
  }

  package let actual: TensorHeader
  package let expected: TensorHeader
  package let limits: Limits
  package let tally: Tally
  /// The element with the largest `|actual − expected|`; nil where all are equal.
  package let largestAbsolute: Extreme?
  /// The element with the largest `|actual − expected| / |expected|`; nil where all are equal.
  package let largestRelative: Extreme?
  /// Where and by how much the tensors differ; nil for tensors that agree, unless the rules ask
  /// for the details of all.
  package let detail: DifferenceDetail?
  /// An order of the actual elements in which the tensors would agree; nil where they agree as
  /// they are, or in no order that was tried.
  package let rearrangement: Rearrangement?
  /// Whether tensors of different element types can agree.
  let ignoresType: Bool

  package var shape: Shape { expected.shape }
  package var isOfAnotherType: Bool { actual.elementType != expected.elementType }

  /// Whether there are elements, but none that is finite on both sides: then nothing was
  /// compared, and the tensors do not agree.
  package var isVacuous: Bool { shape.elementCount > 0 && tally.finiteCount == 0 }

  package var agrees: Bool {
    tally.mismatches == 0 && !isVacuous && (ignoresType || !isOfAnotherType)
  }
}

/// The result for one tensor name of a comparison of two archives.
package enum TensorResult: Sendable {
  /// The tensor is in both archives, with the same shape.
  case compared(ComparedTensor)
  /// The tensor is in both archives, with different shapes. The rearrangement is an order of
  /// the actual elements in which the tensors would agree; nil where none was found.
  case shapesDiffer(actual: TensorHeader, expected: TensorHeader, Rearrangement?)
  /// The tensor is in the expected archive alone.
  case missing(TensorHeader)
  /// The tensor is in the actual archive alone, which the rules allow or not.
  case extra(TensorHeader, isAllowed: Bool)
  /// The tensor can't be read from one of the archives.
  case unreadable(ArchiveError)

  /// Whether the comparison may succeed with this result.
  package var passes: Bool {
    switch self {
    case .compared(let tensor): tensor.agrees
    case .extra(_, let isAllowed): isAllowed
    case .shapesDiffer, .missing, .unreadable: false
    }
  }
}
