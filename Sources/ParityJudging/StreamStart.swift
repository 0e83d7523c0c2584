import ParityFixtures
import RecurrentModel
import TensorComparison
import TensorCore

extension Findings {
  /// Where in a stream `output` starts to differ: "it starts at step 4, the first step of chunk 2
  /// of 3". It is nil where the case is no stream, and where `output` does not differ in some
  /// element.
  ///
  /// - Complexity: O(elements of `output`).
  func startOfStream(_ parityCase: ParityCase) -> String? {
    let isAtFault = isReferenceAtFault
    let differing = comparisons.first { finding in
      finding.name == "output" && !finding.difference.agrees
        && (isAtFault ? finding.sides.isOfReference : finding.sides.isVerdict)
    }
    guard let chunks = parityCase.chain?.input.chunks, let differing else { return nil }
    let layout = parityCase.layouts[0].contract.layout
    let (limits, shape) = (differing.difference.limits, differing.difference.shape)
    let features = max(1, shape.axes.last ?? 1)
    let step = (0..<shape.elementCount).lazy.filter { offset in
      let (actual, expected) = differing.elements(at: offset)
      return !limits.pass(actual, expected, offset: offset)
    }.map { layout.position(ofRow: $0 / features).step }.min()
    guard let step, let index = chunks.index(ofStep: step) else { return nil }
    let isFirst = chunks.steps[index].lowerBound == step
    return "it starts at step \(step), \(isFirst ? "the first step of" : "in") "
      + chunks.name(index)
  }
}
