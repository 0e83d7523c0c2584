package import TensorCore

/// The arguments of a module's constructor as far as the shapes of a fixture's tensors tell them.
/// A `weight_hh_l0` of the shape (24, 6), say, belongs to an LSTM with a hidden_size of 6. What
/// the shapes do not tell is nil.
///
/// ```swift
/// let inferred = InferredArguments(
///   parameters: ["weight_ih_l0": [24, 5], "weight_hh_l0": [24, 6]], input: nil, outputs: [:])
/// inferred.module?.value      // .lstm
/// inferred.hiddenSize?.value  // 6
/// inferred.bias               // false
/// ```
package struct InferredArguments: Sendable, Equatable {
  package private(set) var module: Inferred<RecurrentModule>?
  package private(set) var inputSize: Inferred<Int>?
  package private(set) var hiddenSize: Inferred<Int>?
  package private(set) var projSize: Inferred<Int>?
  /// One more than the largest layer that a parameter's name holds, whether the parameters of the
  /// layers below are there or not.
  package private(set) var numLayers: Int?
  package private(set) var bias: Bool?
  package private(set) var bidirectional: Bool?

  /// - Parameters:
  ///   - parameters: the shapes of the tensors of a `state_dict`, by their names. Where it is
  ///     empty, the case checks the layout alone, and the shapes of its outputs are used instead.
  ///   - input: the shape of `inputs/input`.
  ///   - outputs: the shapes of `output`, `h_n` and `c_n`.
  package init(
    parameters: [String: Shape], input: Shape?, outputs: [String: Shape]
  ) {
    if parameters.isEmpty {
      infer(from: outputs, input)
    } else {
      infer(from: parameters)
    }
  }

  /// hidden_size is the number of columns of `weight_hr` where there is one, and else of
  /// `weight_hh`. `weight_hh` has hidden_size rows for each gate, and the number of gates tells
  /// LSTM, GRU and RNN apart.
  private mutating func infer(from parameters: [String: Shape]) {
    let isCell = parameters["weight_hh"] != nil || parameters["weight_ih"] != nil
    func size(_ role: ParameterSpecification.Role, axis: Int) -> Inferred<Int>? {
      let name = ParameterSpecification.name(role, layer: 0, .forward, isCell: isCell)
      guard let shape = parameters[name], shape.rank == 2 else { return nil }
      return Inferred(value: shape.axes[axis], source: "state_dict/\(name) \(shape)")
    }
    hiddenSize = size(.weightHR, axis: 1) ?? size(.weightHH, axis: 1)
    projSize = size(.weightHR, axis: 0)
    inputSize = size(.weightIH, axis: 1)
    // Divided, not multiplied: a size that a file states can be near Int.max.
    if let hiddenSize, hiddenSize.value > 0, let rows = size(.weightHH, axis: 0),
      rows.value % hiddenSize.value == 0,
      let recurrence = Recurrence.allCases.first(where: {
        $0.gates.count == rows.value / hiddenSize.value
      })
    {
      module = Inferred(value: RecurrentModule(recurrence, isCell: isCell), source: rows.source)
    }
    bias = parameters.keys.contains { $0.hasPrefix("bias_") }
    bidirectional = parameters.keys.contains { $0.hasSuffix("_reverse") }
    numLayers = parameters.keys.compactMap { ParameterName($0, isCell: false)?.layer }.max().map {
      $0 + 1
    }
  }

  private mutating func infer(from outputs: [String: Shape], _ input: Shape?) {
    func size(_ shape: Shape?, _ name: String, axis: (Shape) -> Int) -> Inferred<Int>? {
      guard let shape, shape.rank > 0 else { return nil }
      return Inferred(value: shape.axes[axis(shape)], source: "\(name) \(shape)")
    }
    let last = { (shape: Shape) in shape.rank - 1 }
    inputSize = size(input, "inputs/input", axis: last)
    let state = size(outputs["h_n"], "outputs/h_n", axis: last)
    let cell = size(outputs["c_n"], "outputs/c_n", axis: last)
    hiddenSize = cell ?? state
    if let cell, let state, cell.value != state.value { projSize = state }
    if let state, let features = size(outputs["output"], "", axis: last), state.value > 0,
      let rows = size(outputs["h_n"], "", axis: { _ in 0 })
    {
      let directions = features.value / state.value
      bidirectional = directions == 2
      if directions > 0 { numLayers = rows.value / directions }
    }
  }
}
