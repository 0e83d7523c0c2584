import RecurrentKernels
import RecurrentModel
import TensorCore

/// One direction of one layer: its weights, packed, and the formulas of its step.
struct PackedCell<Scalar: KernelScalar>: Sendable {
  /// W_ih and b_ih, for the products with the step's input.
  let input: PackedMatrix<Scalar>
  /// W_hh and b_hh, for the products with h. They are added to the input's, except for the
  /// GRU's W_hn h + b_hn, which stands by itself until the reset gate is known.
  let hidden: PackedMatrix<Scalar>
  /// W_hr, the projection of an LSTM with `proj_size`; nil without.
  let projection: PackedMatrix<Scalar>?
  let kernels: rk_kernels
  private let configuration: RecurrentConfiguration

  /// H: the number of hidden units, and of the elements of c.
  var hiddenSize: Int { configuration.hiddenSize }
  /// P: the number of elements of h.
  var outputSize: Int { configuration.outputSize }
  var hasCellState: Bool { configuration.module.recurrence.hasCellState }
  /// The number of elements of a vector.
  var lanes: Int { Int(kernels.lanes) }

  /// Packs the weights of one direction of one layer. O(weights).
  init(
    _ configuration: RecurrentConfiguration, _ stateDict: StateDict, layer: Int,
    _ direction: Direction, _ instructionSet: InstructionSet
  ) {
    guard let weightIH = stateDict[.weightIH, layer, direction],
      let weightHH = stateDict[.weightHH, layer, direction]
    else { preconditionFailure("a checked state_dict holds every weight") }
    let kernels = instructionSet.kernels(for: Scalar.self)
    let units = configuration.hiddenSize
    self.kernels = kernels
    self.configuration = configuration

    /// The elements of a bias by gate; zeros in a module without biases.
    func bias(_ role: ParameterSpecification.Role) -> [[Scalar]] {
      let elements: [Scalar] =
        stateDict[role, layer, direction]?.elements()
        ?? Array(repeating: 0, count: weightIH.shape.axes[0])
      return stride(from: 0, to: elements.count, by: units).map {
        Array(elements[$0..<$0 + units])
      }
    }
    func packed(
      _ tensor: Tensor, _ gates: [Int]?, bias: [[Scalar]], adding: Int
    ) -> PackedMatrix<Scalar> {
      let shape = PackedMatrix<Scalar>.Shape(
        gates: gates, units: gates == nil ? tensor.shape.axes[0] : units,
        lanes: Int(kernels.lanes))
      return PackedMatrix(tensor, shape, bias: bias, adding: adding)
    }
    let (biasIH, biasHH) = (bias(.biasIH), bias(.biasHH))
    switch configuration.module.recurrence {
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

  /// Computes a step's h, and an LSTM's c, from the complete sums of its gates.
  ///
  /// - Parameters:
  ///   - sums: one row for each sequence, `stride` elements apart; overwritten.
  ///   - cell: for an LSTM, c of the step before, and then of this one.
  ///   - hidden: h; a GRU finds that of the step before in it.
  ///   - results: a pointer to where each sequence's h is written once more; nil for nowhere.
  ///   - count: the number of sequences.
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
    switch (configuration.module.recurrence, configuration.nonlinearity) {
    case (.lstm, _): kernels.lstm(&gates)
    case (.gru, _): kernels.gru(&gates)
    case (.rnn, .tanh): kernels.rnn_tanh(&gates)
    case (.rnn, .relu): kernels.rnn_relu(&gates)
    }
  }
}
