package import TensorArchives
package import TensorComparison
package import TensorCore

/// Two tensors of one shape, compared.
package struct ComparedTensor: Sendable {
  /// A number as it stands in the file.
  package enum Number: Sendable, Equatable {
    case real(Double, ElementType)
    case integer(Int64)
  }

  /// A largest difference, with both sides.
  package struct Place: Sendable, Equatable {
    package let offset: Int
    package let value: Double
    package let actual: Number
    package let expected: Number
  }

  package let actual: TensorHeader
  package let expected: TensorHeader
  package let limits: Limits
  package let tally: Tally
  package let largestAbsolute: Place?
  package let largestRelative: Place?
  /// Of tensors that differ, and of all where it is asked for.
  package let detail: DifferenceDetail?
  package let rearrangement: Rearrangement?
  /// Whether another element type will do.
  let ignoresType: Bool

  package var shape: Shape { expected.shape }
  package var isOfAnotherType: Bool { actual.elementType != expected.elementType }

  /// Nothing was compared, of tensors that have elements.
  package var isVacuous: Bool { shape.elementCount > 0 && tally.finiteCount == 0 }

  package var valuesAgree: Bool { tally.mismatches == 0 && !isVacuous }

  package var agrees: Bool { valuesAgree && (ignoresType || !isOfAnotherType) }

  package var isAllNaN: Bool {
    guard let detail else { return false }
    return detail.actualNaNs == shape.elementCount && detail.expectedNaNs < shape.elementCount
  }

  package var isAllZero: Bool {
    guard let detail else { return false }
    return detail.actualZeros == shape.elementCount && detail.expectedZeros < shape.elementCount
  }
}

/// What became of one tensor of a comparison.
package enum TensorFate: Sendable {
  case compared(ComparedTensor)
  case shapesDiffer(actual: TensorHeader, expected: TensorHeader, Rearrangement?)
  /// Only in the expected archive.
  case missing(TensorHeader)
  /// Only in the actual one.
  case extra(TensorHeader, isAllowed: Bool)
  case unreadable(ArchiveError)

  package var isGood: Bool {
    switch self {
    case .compared(let tensor): tensor.agrees
    case .extra(_, let isAllowed): isAllowed
    case .shapesDiffer, .missing, .unreadable: false
    }
  }
}
