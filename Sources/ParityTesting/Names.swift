import ParityJudging
import RecurrentModel
import TensorCore

/// How a case ended.
public enum ParityStatus: Sendable, CaseIterable {
  /// Compared, and agrees.
  case passed
  /// Compared, and differs.
  case failed
  /// The fixture itself is wrong: its reference breaks the layout contract, or two of its
  /// statements contradict each other.
  case invalid
  /// The file can't be read.
  case unreadable
  /// Rounding is amplified so much that no verdict is honest.
  case inconclusive
  /// Expected to fail, and does.
  case skipped

  init(_ status: CaseStatus) {
    self =
      switch status {
      case .passed: .passed
      case .failed: .failed
      case .invalid: .invalid
      case .unreadable: .unreadable
      case .inconclusive: .inconclusive
      case .skipped: .skipped
      }
  }
}

/// What a module computes in: the element type of its products and of what it stores between
/// them.
public enum ParityArithmetic: Sendable, CaseIterable {
  case float16
  case bfloat16
  /// float32 whose products take operands of 11 significant bits, as NVIDIA's tensor cores do
  /// where they may.
  case tf32
  case float32
  case float64

  init(_ arithmetic: Arithmetic) {
    self =
      switch arithmetic {
      case .float16: .float16
      case .bfloat16: .bfloat16
      case .tf32: .tf32
      case .float32: .float32
      case .float64: .float64
      }
  }

  var own: Arithmetic {
    switch self {
    case .float16: .float16
    case .bfloat16: .bfloat16
    case .tf32: .tf32
    case .float32: .float32
    case .float64: .float64
    }
  }
}

/// What the errors of an implementation's sigmoid and tanh are small beside.
public enum ParityActivations: Sendable, CaseIterable {
  /// Beside the result, however small it is: some units in its last place.
  case relative
  /// Beside 1: some 10⁻⁷ of any result, as ONNX Runtime's.
  case absolute

  var own: ActivationAccuracy { self == .relative ? .relative : .absolute }
}

/// A type of fewer bits in which an implementation keeps its weights.
public enum ParityWeights: Sendable, CaseIterable {
  /// Matrices in float16, biases as they are.
  case float16
  /// Matrices in bfloat16, biases as they are.
  case bfloat16
  /// Matrices and biases in float16.
  case float16Parameters
  /// Matrices and biases in bfloat16.
  case bfloat16Parameters
  /// Integers from −127 to 127 and a scale for each row of a matrix.
  case int8PerRow
  /// The same with one scale for each matrix.
  case int8PerTensor
  /// Floats of 8 bits, 4 of them for the exponent and 3 for the fraction.
  case float8E4M3
  /// Floats of 8 bits, 5 of them for the exponent and 2 for the fraction.
  case float8E5M2

  var own: WeightStorage {
    switch self {
    case .float16: .float16
    case .bfloat16: .bfloat16
    case .float16Parameters: .float16Parameters
    case .bfloat16Parameters: .bfloat16Parameters
    case .int8PerRow: .int8PerRow
    case .int8PerTensor: .int8PerTensor
    case .float8E4M3: .float8E4M3
    case .float8E5M2: .float8E5M2
    }
  }
}

/// A class of modules, by PyTorch's name as its raw value.
public enum ModuleClass: String, Sendable, CaseIterable {
  case lstm = "LSTM"
  case gru = "GRU"
  case rnn = "RNN"
  case lstmCell = "LSTMCell"
  case gruCell = "GRUCell"
  case rnnCell = "RNNCell"
  case embedding = "Embedding"
  /// The two directions of a recurrent module joined. PyTorch has no such class.
  case directionMerge = "DirectionMerge"
  case linear = "Linear"
  case softmax = "Softmax"
  case logSoftmax = "LogSoftmax"

  init(_ module: RecurrentModule) {
    self =
      switch module {
      case .lstm: .lstm
      case .gru: .gru
      case .rnn: .rnn
      case .lstmCell: .lstmCell
      case .gruCell: .gruCell
      case .rnnCell: .rnnCell
      }
  }

  init(_ layer: ChainModule.Layer) {
    self =
      switch layer {
      case .recurrent(let configuration, _, _): ModuleClass(configuration.module)
      case .embedding: .embedding
      case .directionMerge: .directionMerge
      case .linear: .linear
      case .softmax: .softmax
      case .logSoftmax: .logSoftmax
      }
  }
}

/// The type of a tensor's elements, by the name that PyTorch and NumPy share.
public enum FixtureElementType: Sendable, CaseIterable {
  case float16
  case bfloat16
  case float32
  case float64
  case int32
  case int64

  init(_ type: ElementType) {
    self =
      switch type {
      case .float16: .float16
      case .bfloat16: .bfloat16
      case .float32: .float32
      case .float64: .float64
      case .int32: .int32
      case .int64: .int64
      }
  }
}
