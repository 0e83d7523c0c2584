import ParityDiagnosis
import ParityFixtures
package import ParityJudging
import TensorArchives
import TensorComparison
import TensorCore

/// A stage that was computed again, by itself.
package struct StageReplay: Sendable {
  /// What it was computed from.
  package enum Inputs: Sendable {
    /// What the implementation itself gave it.
    case actual
    /// What PyTorch gave it, where the implementation's own inputs are not there, and nothing that
    /// they were made of is off.
    case reference
  }

  package let inputs: Inputs
  package let result: CaseResult

  /// Whether the stage gives the right results for its inputs.
  package var isRight: Bool { result.status == .passed }

  /// Whether nothing could be said, since the tensors do not fit the module.
  package var isUnusable: Bool { result.status == .invalid || result.status == .unreadable }
}

/// Computes stages again by the noise rule, and diagnoses those that are wrong by themselves.
struct StageReplayer: Sendable {
  let reference: ReferenceStages
  let actualArithmetic: Arithmetic?
  let largestZ: Double
  let diagnostician: Diagnostician

  /// The most elements that are read into memory for one stage.
  private static let largestElements = 1 << 26

  /// - Parameters:
  ///   - inputsAreRight: whether no known input of the stage is off, so that PyTorch's may stand in
  ///     for those that are not there.
  ///   - actual: the tensor in the place of a value; nil where there is none.
  /// - Returns: nil where this package does not compute the stage, or a tensor is missing that it
  ///   takes.
  /// - Complexity: O(18 forward passes), and more where it is diagnosed.
  func replay(
    _ stage: RecordedStage, inputsAreRight: Bool,
    _ actual: (String) throws(ArchiveError) -> (any TensorSource)?
  ) -> StageReplay? {
    guard let recording = reference.recording, recording.isComputed(stage) else { return nil }
    do throws(ArchiveError) {
      var origin = StageReplay.Inputs.actual
      var inputs: [String: Tensor] = [:]
      for (name, value) in recording.inputs(of: stage) {
        let expected = try recording.source(of: value, in: .values)
        // Lengths and token ids are not computed, and few dump them.
        let isGiven = !expected.header.elementType.isFloatingPoint
        var source = try actual(value)
        if source == nil { source = try viewed(value, of: stage, recording, actual) }
        if source == nil, isGiven { source = expected }
        // Inputs that were rounded when they were stored are others than those that it was given.
        if source?.header.elementType.holds(expected.header.elementType) != true {
          guard inputsAreRight else { return nil }
          (source, origin) = (expected, .reference)
        }
        guard let source, let tensor = try whole(source) else { return nil }
        inputs[name] = tensor.reshapedIfNeeded(to: expected.header.shape)
      }
      var results: [String: Tensor] = [:]
      for value in stage.outputs {
        guard let source = try actual(value), let tensor = try whole(source) else { continue }
        let expected = try recording.source(of: value, in: .values).header
        results[Self.result(value)] = tensor.reshapedIfNeeded(to: expected.shape)
      }
      guard !results.isEmpty else { return nil }
      return StageReplay(inputs: origin, result: try judged(stage, recording, inputs, results))
    } catch {
      return nil
    }
  }

  /// What the stage was given as a view of a value that the implementation has: the value with its
  /// axes in the order in which PyTorch's view has them. nil where it is a view in another way.
  private func viewed(
    _ view: String, of stage: RecordedStage, _ recording: Recording,
    _ actual: (String) throws(ArchiveError) -> (any TensorSource)?
  ) throws(ArchiveError) -> (any TensorSource)? {
    guard let name = stage.whole(ofView: view), let found = try actual(name) else { return nil }
    let whole = try recording.source(of: name, in: .values)
    let part = try recording.source(of: view, in: .values)
    guard whole.header.shape.elementCount == part.header.shape.elementCount,
      found.header.shape.withoutOnes == whole.header.shape.withoutOnes,
      let expected = try self.whole(part), let given = try self.whole(whole),
      let order = given.order(thatGives: expected), let own = try self.whole(found)
    else { return nil }
    return LoadedSource(tensor: own.reshaped(given.shape).permuted(order))
  }

  /// - Returns: nil of a tensor that is too large.
  private func whole(_ source: any TensorSource) throws(ArchiveError) -> Tensor? {
    let count = source.header.shape.elementCount
    guard count <= Self.largestElements else { return nil }
    return try source.block(0..<count).reshaped(source.header.shape)
  }

  private func judged(
    _ stage: RecordedStage, _ recording: Recording, _ inputs: [String: Tensor],
    _ results: [String: Tensor]
  ) throws(ArchiveError) -> CaseResult {
    do throws(CaseError) {
      let parityCase = try recording.parityCase(of: stage, inputs: inputs, results: results)
      let rule = ToleranceRule.noise(largestZ: largestZ, replicas: 16)
      return Judge(override: rule, diagnostician: diagnostician).judge(
        parityCase, SuppliedOutputs(outputs: .success(results)),
        in: StatedComputation(
          arithmetic: actualArithmetic, activations: recording.activations))
    } catch {
      return CaseResult(CaseLocation(name: stage.name, path: reference.path), error)
    }
  }

  /// The name of a result in a case: `h_n` for the value `encoder.lstm/h_n`.
  private static func result(_ value: String) -> String {
    let last = value.split(separator: "/").last.map(String.init) ?? value
    let name = String(last.prefix { $0 != "'" })
    return ["h_n", "c_n"].contains(name) ? name : "output"
  }
}

extension Tensor {
  /// The same elements where the shapes differ in axes of size 1 alone.
  fileprivate func reshapedIfNeeded(to other: Shape) -> Tensor {
    shape != other && shape.withoutOnes == other.withoutOnes ? reshaped(other) : self
  }
}

extension ElementType {
  /// Whether it is the other type, or, of integers, one that may stand for it.
  fileprivate func holds(_ other: ElementType) -> Bool {
    self == other || !isFloatingPoint && !other.isFloatingPoint
  }
}
