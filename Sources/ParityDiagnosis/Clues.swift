import RecurrentModel
import TensorCore

/// What the failing outputs tell of a mistake's number before any is tried. A new one tells
/// nothing.
struct Clues: Sendable {
  /// The first step at which the last layer's forward direction is wrong in `output`.
  var firstWrongStep: Int?
  /// The largest absolute value of `c_n`.
  var largestCell: Double?

  init() {}

  init(_ evidence: Evidence, _ faults: FaultSearch) {
    firstWrongStep = faults.firstWrongStep
    largestCell = evidence.outputs["c_n"].flatMap { tensor in
      (0..<tensor.count).map { abs(tensor.double(at: $0)) }.filter(\.isFinite).max()
    }
  }
}
