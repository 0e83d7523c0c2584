import RecurrentKernels
import RecurrentModel
import TensorCore

/// One direction of one layer, its weights packed.
struct PackedCell<Scalar: KernelScalar>: Sendable {
  /// W_ih and b_ih.
  let input: PackedMatrix<Scalar>
  /// W_hh and b_hh, whose products are added to the input's, but for GRU's W_hn h + b_hn,
  /// which the reset gate keeps apart.
  let hidden: PackedMatrix<Scalar>
  /// W_hr.
  let projection: PackedMatrix<Scalar>?
  let hiddenSize: Int
  /// P: elements of h.
  let outputSize: Int
  let hasCellState: Bool
  let kernels: rk_kernels
  /// Elements of a vector.
  var lanes: Int { Int(kernels.lanes) }
  private let recurrence: Recurrence
  private let nonlinearity: Nonlinearity

  /// O(weights).
  init(
    _ configuration: RecurrentConfiguration, _ stateDict: StateDict, layer: Int,
    _ direction: Direction, _ instructionSet: InstructionSet
  ) {
    guard let weightIH = stateDict[.weightIH, layer, direction],
      let weightHH = stateDict[.weightHH, layer, direction]
    else { preconditionFailure("a checked state_dict holds every weight") }
    kernels = instructionSet.kernels(for: Scalar.self)
    recurrence = configuration.module.recurrence
    nonlinearity = configuration.nonlinearity
    hasCellState = recurrence.hasCellState
    hiddenSize = configuration.hiddenSize
    outputSize = configuration.outputSize
    let (units, lanes) = (configuration.hiddenSize, Int(kernels.lanes))

    func bias(_ role: ParameterSpecification.Role) -> [[Scalar]] {
      let elements: [Scalar] =
        stateDict[role, layer, direction]?.elements()
        ?? Array(repeating: 0, count: weightIH.shape.axes[0])
      return stride(from: 0, to: elements.count, by: units).map {
        Array(elements[$0..<$0 + units])
      }
    }
    let (biasIH, biasHH) = (bias(.biasIH), bias(.biasHH))
    typealias Shape = PackedMatrix<Scalar>.Shape
    func packed(_ tensor: Tensor, _ gates: [Int]?, bias: [[Scalar]], adding: Int)
      -> PackedMatrix<Scalar>
    {
      let shape =
        gates.map { Shape(gates: $0, slots: 4, units: units, lanes: lanes) }
        ?? Shape(units: tensor.shape.axes[0], lanes: lanes)
      return PackedMatrix(tensor, shape, bias: bias, adding: adding)
    }
    switch recurrence {
    case .lstm:
      input = packed(weightIH, [0, 1, 2, 3], bias: biasIH, adding: 0)
      hidden = packed(weightHH, [0, 1, 2, 3], bias: biasHH, adding: 4)
    case .gru:
      input = packed(weightIH, [0, 1, 2], bias: biasIH, adding: 0)
      hidden = packed(
        weightHH, [0, 1, 3], bias: [biasHH[0], biasHH[1], [], biasHH[2]], adding: 2)
    case .rnn:
      input = packed(weightIH, nil, bias: biasIH, adding: 0)
      hidden = packed(weightHH, nil, bias: biasHH, adding: 4)
    }
    projection = stateDict[.weightHR, layer, direction].map {
      packed($0, nil, bias: [], adding: 0)
    }
  }

  /// The step's h, and for LSTM its c, from complete sums, which are used up.
  ///
  /// - Parameters:
  ///   - cell: c of the step before, for LSTM.
  ///   - hidden: h, for GRU at first that of the step before.
  ///   - results: where each row's h is written too; nil for nowhere.
  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  func applyGates(
    _ sums: UnsafeMutablePointer<Scalar>, stride: Int, cell: RowBuffer<Scalar>,
    hidden: RowBuffer<Scalar>, results: UnsafePointer<UnsafeMutableRawPointer?>?, count: Int
  ) {
    var gates = rk_gates(
      units: Int64(hiddenSize), row_count: Int64(count), sums: sums, sums_stride: Int64(stride),
      cell: cell.start, cell_stride: Int64(cell.stride), hidden: hidden.start,
      hidden_stride: Int64(hidden.stride), results: results)
    switch (recurrence, nonlinearity) {
    case (.lstm, _): kernels.lstm(&gates)
    case (.gru, _): kernels.gru(&gates)
    case (.rnn, .tanh): kernels.rnn_tanh(&gates)
    case (.rnn, .relu): kernels.rnn_relu(&gates)
    }
  }
}
