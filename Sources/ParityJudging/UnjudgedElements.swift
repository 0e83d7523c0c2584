import RecurrentModel
import TensorComparison
import TensorCore

/// What can be said of a result's vectors that nothing judges, since rounding has been amplified
/// too much: no number in them can be called wrong, but a whole vector can be one that no module
/// computes.
struct UnjudgedElements {
  private let reference: Tensor
  private let subject: Tensor
  private let oracle: Tensor
  /// The ranges of unjudged elements, row-major, each within one vector of the last axis.
  private let parts: [Range<Int>]

  /// - Parameter isJudged: for each element, whether anything judges it.
  init(reference: Tensor, subject: Tensor, oracle: Tensor, isJudged: [Bool]) {
    self.reference = reference
    self.subject = subject
    self.oracle = oracle
    let size = max(1, oracle.shape.axes.last ?? 1)
    parts = stride(from: 0, to: isJudged.count, by: size).compactMap { start in
      let unjudged = (start..<start + size).filter { !isJudged[$0] }
      return unjudged.first.flatMap { first in unjudged.last.map { first..<$0 + 1 } }
    }.filter { $0.count >= Self.fewest }
  }

  /// With fewer elements, or where units of equal weights leave fewer different numbers, a
  /// coincidence is not to be told from a rule.
  private static let fewest = 4

  /// The first of a side's vectors that cannot be right, and what is wrong with it as the end of
  /// a sentence; nil where there is none.
  ///
  /// - Complexity: O(elements).
  func fault(of side: Side) -> (offset: Int, text: String)? {
    let own = side == .reference ? reference : subject
    for part in parts {
      let (numbers, exact) = (part.map(own.double(at:)), part.map(oracle.double(at:)))
      guard Set(exact).count >= Self.fewest else { continue }
      // Saturated units can all be 1.
      if numbers.allSatisfy({ $0 == numbers[0] }), abs(numbers[0]) < 0.99 {
        return (part.lowerBound, "holds the same number in all units")
      }
      guard side != .reference else { continue }
      let slope = Self.slope(of: numbers, over: part.map(reference.double(at:)))
      // Saturated units are all 1 or −1, and so the reference or its negative by chance.
      if let slope, abs(abs(slope) - 1) > 0.01 {
        return (part.lowerBound, "is \((slope * 1000).rounded() / 1000) times the reference")
      }
    }
    return nil
  }

  /// The k with which y = k·x, to within a thousandth of y; nil where there is none.
  private static func slope(of y: [Double], over x: [Double]) -> Double? {
    func product(_ a: [Double], _ b: [Double]) -> Double {
      zip(a, b).reduce(0) { $0 + $1.0 * $1.1 }
    }
    let slope = product(x, y) / product(x, x)
    let rest = zip(x, y).map { $1 - slope * $0 }
    return product(rest, rest) <= 1e-6 * product(y, y) ? slope : nil
  }
}

extension Passes {
  /// What is wrong with the vectors of each result that no comparison judges, as sentences. A
  /// result that nothing bounds is passed over: that of a chaotic ReLU overflows, or grows along
  /// one direction, whose size alone rounding decides.
  func unjudgedFaults(_ comparisons: [TensorFinding]) -> [String] {
    compared.flatMap { name, actual, reference, oracle -> [String] in
      let judged = comparisons.filter { $0.name == name && $0.sides.isVerdict }.compactMap {
        if case .noise(let noise) = $0.difference.limits { noise.isJudged } else { nil }
      }
      guard let first = judged.first, chain.largestMagnitude(of: name) != nil else { return [] }
      let elements = UnjudgedElements(
        reference: reference, subject: actual, oracle: oracle,
        isJudged: judged.dropFirst().reduce(first) { zip($0, $1).map { $0 || $1 } })
      return [Side.reference, subject].compactMap { side in
        elements.fault(of: side).map { offset, text in
          let place = oracle.shape.index(at: offset).dropLast().map { "\($0), " }.joined()
          return "\(name)[\(place):] of the \(side.rawValue) \(text)"
        }
      }
    }
  }
}
