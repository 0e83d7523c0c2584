import FixtureSupport
import ParityFixtures
import RecurrentModel
import TensorCore
import Testing

@testable import ParityJudging

/// What is said of a result of another shape: what it is, told by its numbers, and what to do.
/// The case is an LSTM of 3 layers, 2 directions and 8 units, on 7 steps of 3 sequences.
@Suite struct ResultReadingTests {
  /// A tensor made of a result as NumPy makes it:
  /// `result.reshape(split).transpose(order)[pick].reshape(shape)`.
  struct Layout: CustomStringConvertible, Sendable {
    var split: [Int]
    var order: [Int]
    /// Which index to take along the first axes of the transposed tensor.
    var pick: [Int] = []
    var shape: [Int]

    var description: String { "\(split) \(order) \(pick) \(shape)" }

    func made(of result: Tensor) -> Tensor {
      let strides = split.indices.map { split[($0 + 1)...].reduce(1, *) }
      let given = order.dropFirst(pick.count)
      let start = zip(order, pick).reduce(0) { $0 + strides[$1.0] * $1.1 }
      let index = Shape(given.map { split[$0] })
      let offsets = (0..<index.elementCount).map { offset in
        zip(index.index(at: offset), given).reduce(start) { $0 + $1.0 * strides[$1.1] }
      }
      return result.gathering(offsets, shape: Shape(shape))
    }
  }

  private func remark(_ name: String, _ change: (Tensor) -> Tensor) throws -> String {
    let parityCase = try FixtureSuite.named("lstm-stacked-bidirectional")
    var tensors = Dictionary(uniqueKeysWithValues: parityCase.reference.named.map { ($0, $1) })
    tensors[name] = change(try #require(tensors[name]))
    let supplied = SuppliedOutputs(tensors, for: parityCase.outputsRequest)
    let result = Judge().judge(parityCase, supplied)
    #expect(result.status == .failed)
    return result.remarks.first ?? "none"
  }

  private func check(_ name: String, _ layout: Layout, _ expected: String) throws {
    let shape = name == "output" ? "(7, 3, 16)" : "(6, 3, 8)"
    let found = Shape.text(layout.shape)
    #expect(
      try remark(name, layout.made(of:))
        == "\(name): expected the shape \(shape), found \(found) from the outputs, which is "
        + expected)
  }

  private static let rows = "give all 6 rows, by layer, then direction"
  private static let apart = "h_n with layers and directions on axes of their own: "
  private static let joined = "h_n with the directions joined in the last axis: "
  private static let directions = "output with the directions on an axis of their own: "
  private static let flat = "output with steps and sequences in one axis: "

  private static let states: [(Layout, String)] = [
    (
      Layout(split: [6, 3, 8], order: [1, 0, 2], shape: [3, 6, 8]),
      "h_n with the batch first, which batch_first=True does not mean: h_n.transpose(1, 0, 2)"
    ),
    (
      Layout(split: [6, 3, 8], order: [0, 1, 2], shape: [3, 2, 3, 8]),
      "\(apart)h_n.reshape(6, 3, 8)"
    ),
    (
      Layout(split: [3, 2, 3, 8], order: [1, 0, 2, 3], shape: [2, 3, 3, 8]),
      "\(apart)h_n.transpose(1, 0, 2, 3).reshape(6, 3, 8)"
    ),
    (
      Layout(split: [6, 3, 8], order: [1, 0, 2], shape: [3, 3, 2, 8]),
      "\(apart)h_n.transpose(1, 2, 0, 3).reshape(6, 3, 8)"
    ),
    (
      Layout(split: [3, 2, 3, 8], order: [0, 2, 1, 3], shape: [3, 3, 16]),
      "\(joined)h_n.reshape(3, 3, 2, 8).transpose(0, 2, 1, 3).reshape(6, 3, 8)"
    ),
    (
      Layout(split: [3, 2, 3, 8], order: [0, 2, 1, 3], pick: [2], shape: [3, 16]),
      "h_n[-2:] with the directions joined in the last axis: \(rows)"
    ),
    (
      Layout(split: [6, 3, 8], order: [0, 1, 2], pick: [0], shape: [3, 8]),
      "h_n[0] alone: \(rows)"
    ),
    (
      Layout(split: [6, 3, 8], order: [0, 1, 2], pick: [5], shape: [3, 8]),
      "h_n[-1] alone: \(rows)"
    ),
    (
      Layout(split: [6, 3, 8], order: [0, 1, 2], pick: [4], shape: [1, 3, 8]),
      "h_n[4] alone: \(rows)"
    ),
    (
      Layout(split: [3, 2, 3, 8], order: [0, 1, 2, 3], pick: [2], shape: [2, 3, 8]),
      "h_n[-2:] alone, the rows of one layer: \(rows)"
    ),
    (
      Layout(split: [3, 2, 3, 8], order: [0, 1, 2, 3], pick: [0], shape: [2, 3, 8]),
      "h_n[0:2] alone, the rows of one layer: \(rows)"
    ),
    (
      Layout(split: [3, 2, 3, 8], order: [1, 0, 2, 3], pick: [1], shape: [3, 3, 8]),
      "h_n[1::2] alone, the rows of one direction: \(rows)"
    ),
    (
      Layout(split: [6, 3, 8], order: [1, 0, 2], pick: [2], shape: [6, 8]),
      "h_n[:, 2] alone, one sequence of the batch: give all 3 sequences"
    ),
    (
      Layout(split: [6, 3, 8], order: [0, 1, 2], shape: [6, 1, 3, 8]),
      "h_n with an axis of size 1 too many: h_n.reshape(6, 3, 8)"
    ),
  ]

  @Test(arguments: states)
  func aStateOfAnotherShapeIsTold(layout: Layout, expected: String) throws {
    try check("h_n", layout, expected)
    try check("c_n", layout, expected.replacing("h_n", with: "c_n"))
  }

  private static let outputs: [(Layout, String)] = [
    (
      Layout(split: [7, 3, 2, 8], order: [0, 2, 1, 3], shape: [7, 2, 3, 8]),
      "ONNX's Y, with an axis for the directions: Y.transpose(0, 2, 1, 3).reshape(7, 3, 16)"
    ),
    (
      Layout(split: [7, 3, 16], order: [1, 0, 2], shape: [3, 7, 16]),
      "output with the batch first: output.transpose(1, 0, 2)"
    ),
    (
      Layout(split: [7, 3, 16], order: [0, 1, 2], shape: [7, 3, 2, 8]),
      "\(directions)output.reshape(7, 3, 16)"
    ),
    (
      Layout(split: [7, 3, 16], order: [1, 0, 2], shape: [3, 7, 2, 8]),
      "\(directions)output.transpose(1, 0, 2, 3).reshape(7, 3, 16)"
    ),
    (
      Layout(split: [7, 3, 2, 8], order: [1, 2, 0, 3], shape: [3, 2, 7, 8]),
      "\(directions)output.transpose(2, 0, 1, 3).reshape(7, 3, 16)"
    ),
    (
      Layout(split: [7, 3, 2, 8], order: [2, 0, 1, 3], shape: [2, 7, 3, 8]),
      "\(directions)output.transpose(1, 2, 0, 3).reshape(7, 3, 16)"
    ),
    (
      Layout(split: [7, 3, 2, 8], order: [2, 1, 0, 3], shape: [2, 3, 7, 8]),
      "\(directions)output.transpose(2, 1, 0, 3).reshape(7, 3, 16)"
    ),
    (
      Layout(split: [7, 3, 16], order: [0, 1, 2], shape: [21, 16]),
      "\(flat)output.reshape(7, 3, 16)"
    ),
    (
      Layout(split: [7, 3, 16], order: [1, 0, 2], shape: [21, 16]),
      "\(flat)output.reshape(3, 7, 16).transpose(1, 0, 2)"
    ),
    (
      Layout(split: [7, 3, 2, 8], order: [2, 0, 1, 3], pick: [1], shape: [7, 3, 8]),
      "the reverse half of output alone: PyTorch joins the two in the last axis, forward first"
    ),
    (
      Layout(split: [7, 3, 2, 8], order: [2, 1, 0, 3], pick: [0], shape: [3, 7, 8]),
      "the forward half of output alone: PyTorch joins the two in the last axis, forward first"
    ),
    (
      Layout(split: [7, 3, 16], order: [1, 0, 2], pick: [1], shape: [7, 16]),
      "output[:, 1] alone, one sequence of the batch: give all 3 sequences"
    ),
    (
      Layout(split: [7, 3, 16], order: [0, 1, 2], pick: [6], shape: [3, 16]),
      "output[-1] alone: give all 7 steps"
    ),
    (
      Layout(split: [7, 3, 2, 8], order: [0, 2, 1, 3], pick: [0, 1], shape: [3, 8]),
      "output[0], the reverse half alone: give all 7 steps of both directions"
    ),
  ]

  @Test(arguments: outputs)
  func anOutputOfAnotherShapeIsTold(layout: Layout, expected: String) throws {
    try check("output", layout, expected)
  }

  private static let shapes: [(String, [Int], String)] = [
    ("h_n", [3, 8], "one row of h_n alone: \(rows)"),
    ("h_n", [2, 3, 8], "the rows of one layer of h_n alone: \(rows)"),
    (
      "h_n", [3, 16],
      "one layer's rows of h_n with the directions joined in the last axis: \(rows)"
    ),
    ("c_n", [6, 8], "one sequence of the batch alone: give all 3 sequences"),
    (
      "h_n", [6, 7, 8],
      "h_n where the steps were taken for sequences, as under the other batch_first: run the module with batch_first=False"
    ),
    (
      "h_n", [7, 3, 16],
      "a state for every step: h_n is the last state of each layer and direction alone"
    ),
    (
      "c_n", [3, 7, 16],
      "a state for every step: c_n is the last state of each layer and direction alone"
    ),
    (
      "output", [7, 3, 8],
      "one direction's half of output, or the two merged by a sum or a mean: PyTorch joins the two in the last axis, forward first"
    ),
    ("output", [7, 16], "one sequence of the batch alone: give all 3 sequences"),
    ("output", [3, 16], "one step of output alone: give all 7 steps"),
    (
      "output", [3, 8],
      "one step of output of one direction alone: give all 7 steps of both directions"
    ),
    ("output", [3, 7, 16], "output with the batch first: output.transpose(1, 0, 2)"),
  ]

  /// The shape alone tells where the numbers are none of the result's.
  @Test(arguments: shapes)
  func aShapeOfWrongNumbersIsTold(name: String, shape: [Int], expected: String) throws {
    let shape = Shape(shape)
    let numbers = Tensor([Float](repeating: 7, count: shape.elementCount), shape: shape)
    let remark = try remark(name) { _ in numbers }
    #expect(remark.hasSuffix("found \(shape) from the outputs, which looks like \(expected)"))
  }

  @Test func whatIsLikeNothingIsSaidAsItIs() throws {
    let numbers = Tensor([Float](repeating: 7, count: 25), shape: [5, 5])
    #expect(
      try remark("h_n") { _ in numbers }
        == "h_n: expected the shape (6, 3, 8), found (5, 5) from the outputs")
  }

  /// Numbers of which none is finite are nobody's.
  @Test func numbersThatAreNotFiniteTellNothing() throws {
    let numbers = Tensor([Float](repeating: .nan, count: 24), shape: [3, 8])
    #expect(try remark("h_n") { _ in numbers }.contains("looks like one row of h_n alone"))
  }
}
