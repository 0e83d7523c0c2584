package import ParityFixtures
import RecurrentModel
import TensorComparison
import TensorCore

/// The parameters of two recurrent modules that differ, such as a model's and its export's: whether
/// both compute the same, and if not, what was done to them.
///
/// ```swift
/// let comparison = ModuleComparison(
///   expected: try Checkpoint("model.pt", prefix: "encoder.lstm"),
///   actual: try Checkpoint("export.onnx", prefix: "LSTM_12"))
/// try comparison.hasEqualSums    // whether only the two biases are shared out differently
/// try comparison.judged(by: judge)?.diagnosis
/// ```
package struct ModuleComparison: Sendable {
  private let expected: Checkpoint
  private let actual: Checkpoint

  package init(expected: Checkpoint, actual: Checkpoint) {
    self.expected = expected
    self.actual = actual
  }

  /// Whether all parameters agree once those biases are added that PyTorch only ever adds, by the
  /// tolerance of `torch.testing` for the coarser of the two types.
  ///
  /// - Throws: `CaseError` where parameters can't be read.
  /// - Complexity: O(parameters).
  package var hasEqualSums: Bool {
    get throws(CaseError) {
      let (expectedDict, actualDict) = (try expected.stateDict(), try actual.stateDict())
      guard expected.module.configuration.module == actual.module.configuration.module,
        let types = [expectedDict, actualDict].map({ Arithmetic(of: $0.elementType) })
          as? [Arithmetic],
        let limits = ToleranceRule.torch.limits(for: types[0].coarser(types[1]))
      else { return false }
      let joined = expectedDict.joiningBiases(of: expected.module.configuration)
      let other = actualDict.joiningBiases(of: actual.module.configuration)
      return joined.keys == other.keys
        && joined.allSatisfy { name, tensor in
          guard let own = other[name], own.shape == tensor.shape else { return false }
          return TensorDifference(of: own, from: tensor, within: limits).agrees
        }
    }
  }

  /// What comes of the actual parameters in the place of the expected ones, on an input of random
  /// numbers: a case that fails, with a diagnosis, unless both compute the same.
  ///
  /// - Returns: nil where the two modules do not take the same input or give results of other
  ///   shapes.
  /// - Throws: `CaseError` where parameters can't be read.
  /// - Complexity: O(what the judge does with a case of 12 steps of 3 sequences).
  package func judged(by judge: Judge) throws(CaseError) -> CaseResult? {
    let (own, other) = (expected.module.configuration, actual.module.configuration)
    guard own.module == other.module, own.inputSize == other.inputSize,
      own.outputFeatures == other.outputFeatures, own.stateRows == other.stateRows,
      own.hiddenSize == other.hiddenSize
    else { return nil }
    let types = [try expected.stateDict().elementType, try actual.stateDict().elementType]
    // One that holds the numbers of both: neither of the two types of 16 bits holds the other's.
    let isMixed = types[0] != types[1] && types[0].byteCount == types[1].byteCount
    let wider = types[0].byteCount >= types[1].byteCount ? types[0] : types[1]
    let type = isMixed ? .float32 : wider
    let input = CheckpointInput.random(for: own, type)
    let location = CaseLocation(name: expected.module.name, path: expected.path)
    let parityCase = try ParityCase(location, expected, input)
    let results = try ParityCase(location, actual, input).reference
    let request = parityCase.outputsRequest
    let tensors = Dictionary(
      uniqueKeysWithValues: results.named.map { ($0.name, $0.tensor) })
    return judge.judge(parityCase, SuppliedOutputs(tensors, for: request))
  }
}

extension CheckpointInput {
  /// Steps, sequences and initial states of random numbers, the same in every run.
  fileprivate static func random(
    for configuration: RecurrentConfiguration, _ type: ElementType
  ) -> CheckpointInput {
    var generator = SplitMix64(seed: 1)
    func tensor(_ axes: [Int]) -> Tensor {
      let shape = Shape(axes)
      let numbers = (0..<shape.elementCount).map { _ in
        Double.random(in: -1...1, using: &generator)
      }
      return Tensor(numbers, shape: shape).rounded(to: type)
    }
    let (steps, batch, isCell) = (12, 3, configuration.module.isCell)
    let rows = isCell ? [batch] : [configuration.stateRows, batch]
    var input = CheckpointInput(
      input: tensor((isCell ? [batch] : [steps, batch]) + [configuration.inputSize]))
    input.h0 = tensor(rows + [configuration.outputSize])
    if configuration.module.recurrence.hasCellState {
      input.c0 = tensor(rows + [configuration.hiddenSize])
    }
    return input
  }
}
