package import RecurrentModel
package import TensorCore

/// A stream that another implementation runs chunk by chunk: what it is given for each chunk, and
/// what all that it gives comes to.
///
/// ```swift
/// var run = ChunkedRun(chain)
/// while let chunk = run?.next { try run?.append(outputs(of: chunk)) }
/// run?.outputs  // output of all steps, and h_n and c_n after the last
/// ```
///
/// Each chunk starts from the implementation's own states, not from the reference's.
package struct ChunkedRun: Sendable {
  package let chunks: Chunks
  private let layout: SequenceLayout
  private let configuration: RecurrentConfiguration
  /// What was given for the chunks so far, by the results' names.
  private var parts: [[String: Tensor]] = []

  /// What is run for one chunk.
  package struct Chunk: Sendable {
    /// Counted from 0.
    package let index: Int
    package let steps: Range<Int>
    /// What it is called in reports: "chunk 2 of 3".
    package let name: String
    /// The states that it starts from, as the implementation gave them, by the names that they
    /// have in a fixture, `h_0` and `c_0`; nil for the first chunk, which starts from the case's
    /// own.
    package let states: [String: Tensor]?
    fileprivate let layout: SequenceLayout

    /// The chunk's part of the input of all steps.
    func part(of input: Tensor) -> Tensor { layout.selecting(steps: steps, of: input) }
  }

  /// - Returns: nil where the chain is run on all steps at once.
  package init?(_ chain: Chain) {
    guard let chunks = chain.input.chunks, let layout = chain.shapes.stages[0].layout,
      let configuration = chain.modules[0].configuration
    else { return nil }
    self.chunks = chunks
    self.layout = layout
    self.configuration = configuration
  }

  /// The chunk that is to be run next; nil once all have been run.
  package var next: Chunk? {
    guard parts.count < chunks.count else { return nil }
    let states = parts.last.map { last in
      Dictionary(
        uniqueKeysWithValues: stateNames.compactMap { name in
          last[name].map { (name.replacing("_n", with: "_0"), $0) }
        })
    }
    return Chunk(
      index: parts.count, steps: chunks.steps[parts.count], name: chunks.name(parts.count),
      states: states, layout: layout)
  }

  private var stateNames: [String] {
    configuration.module.recurrence.hasCellState ? ["h_n", "c_n"] : ["h_n"]
  }

  /// Takes what the implementation gives for the next chunk.
  ///
  /// - Parameter outputs: of any names, types and shapes.
  /// - Throws: `InvalidValue`, naming the chunk and the tensor, where one has not the chunk's
  ///   shape or another type than in the first chunk, where a state is missing that the chunk
  ///   behind starts from, and where h_n is not what output ends with.
  package mutating func append(_ outputs: [String: Tensor]) throws(InvalidValue) {
    guard let chunk = next else { return }
    do throws(InvalidValue) {
      try check(outputs, of: chunk)
      try checkContract(outputs, of: chunk)
    } catch {
      throw error.within(chunk.name)
    }
    parts.append(outputs)
  }

  private func check(_ outputs: [String: Tensor], of chunk: Chunk) throws(InvalidValue) {
    let isLast = chunk.index == chunks.count - 1
    for name in stateNames where outputs[name] == nil && !isLast {
      throw InvalidValue(
        name, expected: "a tensor, from which the next chunk starts", found: "none")
    }
    for (name, tensor) in outputs.sorted(by: { $0.key < $1.key }) {
      guard let axes = axes(of: name, chunk) else { continue }
      guard tensor.shape.axes == axes else {
        throw InvalidValue(
          name, expected: "the shape \(Shape.text(axes))", found: "\(tensor.shape)")
      }
      let type = parts.first?[name]?.elementType ?? tensor.elementType
      guard type.isFloatingPoint, tensor.elementType == type else {
        throw InvalidValue(
          name, expected: type.isFloatingPoint ? "\(type), as in the first chunk" : "floats",
          found: "\(tensor.elementType)")
      }
    }
  }

  /// Holds the results of a chunk to the layout contract: a module that keeps its state to itself
  /// may hand out anything as h_n, and give the right output all the same. That of the last chunk
  /// is judged with the whole.
  private func checkContract(
    _ outputs: [String: Tensor], of chunk: Chunk
  ) throws(InvalidValue) {
    guard chunk.index < chunks.count - 1, let output = outputs["output"], let hN = outputs["h_n"]
    else { return }
    let contract = LayoutContract(
      configuration, layout: layout.with(steps: chunk.steps.count), packing: nil)
    // The two may have been rounded to their types by themselves.
    let roundoff = [output, hN].compactMap { Arithmetic(of: $0.elementType)?.unitRoundoff }.max()
    for identity in contract.identities {
      let (left, right) = identity.sides(output: output, hN: hN)
      let differences = (0..<left.count).map { place in
        let (own, other) = (left.double(at: place), right.double(at: place))
        return own == other || own.isNaN && other.isNaN
          || abs(own - other) <= 4 * (roundoff ?? 0) * abs(own)
      }.filter { !$0 }.count
      guard differences == 0 else {
        throw InvalidValue(
          "h_n", expected: identity.statement,
          found: "\(differences) of \(left.count) elements that differ",
          remedy: "the next chunk starts from these states")
      }
    }
  }

  /// The axes that a result has in a chunk; nil for a name that is no result's.
  private func axes(of name: String, _ chunk: Chunk) -> [Int]? {
    let rows = configuration.stateRows
    return switch name {
    case "output":
      layout.with(steps: chunk.steps.count).axes(features: configuration.outputFeatures)
    case "h_n": layout.stateAxes(rows: rows, features: configuration.outputSize)
    case "c_n": layout.stateAxes(rows: rows, features: configuration.hiddenSize)
    default: nil
    }
  }

  /// What the chunks give together: `output` of all steps, where each has one, and everything
  /// else as after the last chunk.
  package var outputs: [String: Tensor] {
    var joined = parts.last ?? [:]
    let sequences = parts.compactMap { $0["output"] }
    joined["output"] = sequences.count == parts.count ? layout.joining(steps: sequences) : nil
    return joined
  }
}
