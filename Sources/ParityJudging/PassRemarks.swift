import ParityFixtures
import RecurrentModel
import TensorComparison
import TensorCore

/// What a pass leaves open, as sentences or less: where plainly wrong results would pass as well,
/// where less than all was compared, and where the results have nothing to do with the input.
///
/// ```swift
/// PassRemarks(findings, parityCase).all  // ["zeros would pass for h_n"]
/// ```
struct PassRemarks {
  private let findings: Findings
  private let parityCase: ParityCase

  init(_ findings: Findings, _ parityCase: ParityCase) {
    self.findings = findings
    self.parityCase = parityCase
  }

  /// - Complexity: O(elements) at most, and what `Dependence.fixedResults` takes.
  var all: [String] {
    // What is judged by its own steps is not judged by the limits below alone.
    let byOwnSteps = Set(findings.ofSubject.filter { !$0.sides.isOfTwo }.map(\.name))
    let compared = findings.ofSubject.filter { !byOwnSteps.contains($0.name) }
    func names(_ holds: (TensorFinding) -> Bool) -> [String] {
      compared.filter(holds).map(\.name)
    }
    var remarks: [String] = []
    func add(_ names: [String], _ text: (String) -> String) {
      if !names.isEmpty { remarks.append(text(names.joined(separator: ", "))) }
    }
    let zeros = names { $0.accepts { _ in 0 } }
    add(zeros) { "zeros would pass for \($0)" }
    add(names { !zeros.contains($0.name) && $0.acceptsAnotherOrder }) {
      "the numbers of \($0) would pass in another order"
    }
    add(names { $0.finiteShare < Self.neededShare }) {
      "most of \($0) is not finite in the reference"
    }
    let judged = findings.leastJudgedShare
    if judged < 1 { remarks.append("\(Int(judged * 100))% could be judged") }
    add(parityCase.absentResults) { "\($0) not given" }
    if let chain = parityCase.chain {
      let fixed = Dependence(chain).fixedResults
      add(names { fixed.contains($0.name) }) { "\($0) would be the same for any input" }
      if chain.input.chunks?.count == 1 { remarks.append("one chunk hands over no states") }
      if chain.isOneStepFromZeros { remarks.append("one step from zeros does not use weight_hh") }
    }
    return remarks
  }

  /// The share of a result's elements that must be finite for it not to be remarked upon.
  private static let neededShare = 0.5
}

extension TensorFinding {
  /// Whether other numbers would pass in the place of the subject's.
  ///
  /// - Parameter number: makes the number that stands at an offset.
  fileprivate func accepts(_ number: (_ offset: Int) -> Double) -> Bool {
    let count = difference.shape.elementCount
    let isFar = (0..<count).contains { offset in
      !difference.limits.pass(number(offset), elements(at: offset).expected, offset: offset)
    }
    guard count > 0, !isFar else { return false }
    let other = Tensor((0..<count).map(number), shape: difference.shape)
    return withActual(other).difference.agrees
  }

  /// Whether the reference's own numbers would pass from last to first, though that is another
  /// order.
  fileprivate var acceptsAnotherOrder: Bool {
    let last = difference.shape.elementCount - 1
    func reversed(_ offset: Int) -> Double { elements(at: last - offset).expected }
    guard last > 0 else { return false }
    return accepts(reversed)
  }

  /// The share of the compared elements that are finite in the reference.
  fileprivate var finiteShare: Double {
    let count = difference.shape.elementCount
    let finite = (0..<count).count { elements(at: $0).expected.isFinite }
    return count == 0 ? 1 : Double(finite) / Double(count)
  }
}

extension Chain {
  /// Whether each recurrent module makes one step from zero states, in which h is multiplied with
  /// nothing but zeros.
  fileprivate var isOneStepFromZeros: Bool {
    let isZero = [input.h0, input.c0].allSatisfy { state in
      state.map { state in state.withElements(as: Double.self) { $0.allSatisfy { $0 == 0 } } }
        ?? true
    }
    let layouts = shapes.stages.compactMap(\.layout)
    return isZero && !layouts.isEmpty
      && layouts.allSatisfy { $0.steps == 1 || input.packing?.lengths.max() == 1 }
  }
}
