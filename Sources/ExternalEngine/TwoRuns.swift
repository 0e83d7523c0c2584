import ParityFixtures
import TensorComparison
import TensorCore

/// What a program gave for one case in two runs, which must be the same bits.
struct TwoRuns {
  /// How the second run parts from the first, as a sentence; nil where it does not.
  let fault: String?

  private static let causes = "dropout left on, uninitialised memory, a race?"

  /// - Complexity: O(elements).
  init(
    _ first: [String: Tensor], _ second: Result<[String: Tensor], SuppliedOutputs.Missing>
  ) {
    switch second {
    case .failure(let missing):
      fault = "not deterministic: the first run went well, and the second did not: \(missing)"
    case .success(let second):
      let names = Set(first.keys).union(second.keys)
      // output before c_n and h_n, since they follow from it.
      let sorted = names.sorted { ($0 != "output" ? 1 : 0, $0) < ($1 != "output" ? 1 : 0, $1) }
      fault =
        sorted.lazy.compactMap { name in
          Self.difference(first[name], second[name]).map {
            "not deterministic: \(name) \($0) (\(Self.causes))"
          }
        }.first
    }
  }

  private static func difference(_ first: Tensor?, _ second: Tensor?) -> String? {
    guard let first, let second else { return "was written in one of two runs of the engine" }
    guard first.shape == second.shape, first.elementType == second.elementType else {
      return "was \(first.elementType) \(first.shape) in one run of the engine, and "
        + "\(second.elementType) \(second.shape) in the next"
    }
    // Only floats are judged.
    guard first.elementType.isFloatingPoint,
      let place = TensorDifference(of: second, from: first, within: .bits).firstMismatch
    else { return nil }
    let index = Shape.text(first.shape.index(at: place.offset))
    let numbers = [place.expected, place.actual].map {
      first.elementType == .float64 ? "\($0)" : "\(Float($0))"
    }
    return "differs between two runs of the engine, first at \(index): "
      + numbers.joined(separator: " and ")
  }
}
