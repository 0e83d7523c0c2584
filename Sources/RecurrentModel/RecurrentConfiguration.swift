/// The arguments of a recurrent module's constructor, by PyTorch's names. They are known to be
/// ones that the constructor takes.
///
/// ```swift
/// let configuration = try RecurrentConfiguration(
///   module: .lstm, inputSize: 5, hiddenSize: 6, batchFirst: true, bidirectional: true)
/// configuration.outputFeatures           // 12, which is D·H
/// configuration.parameters.map(\.name)   // weight_ih_l0, weight_hh_l0, bias_ih_l0, …
/// ```
///
/// It holds no parameters and no shapes of inputs: see `StateDict` and `SequenceLayout`.
/// `dropout` is no part of it, since references are made in `eval()`, where it does nothing.
package struct RecurrentConfiguration: Sendable, Equatable {
  package let module: RecurrentModule
  package let inputSize: Int
  package let hiddenSize: Int
  package let numLayers: Int
  package let bias: Bool
  package let batchFirst: Bool
  package let bidirectional: Bool
  /// The size of the projection of LSTM's h; 0 where there is none.
  package let projSize: Int
  /// What `RNN` and `RNNCell` apply to a step's sum; no other module uses it.
  package let nonlinearity: Nonlinearity

  /// The defaults are PyTorch's.
  ///
  /// - Throws: `InvalidValue`, naming the argument, for what the constructor of `module` refuses,
  ///   and for sizes of 0, which some constructors take although such a module computes nothing.
  package init(
    module: RecurrentModule, inputSize: Int, hiddenSize: Int, numLayers: Int = 1,
    bias: Bool = true, batchFirst: Bool = false, bidirectional: Bool = false, projSize: Int = 0,
    nonlinearity: Nonlinearity = .tanh
  ) throws(InvalidValue) {
    func require(_ holds: Bool, _ name: String, _ expected: String, _ found: Int)
      throws(InvalidValue)
    {
      guard holds else {
        throw InvalidValue("arguments.\(name)", expected: expected, found: "\(found)")
      }
    }
    // The bound keeps every product of sizes below within 63 bits.
    let sizes = 1...(1 << 24)
    try require(sizes ~= inputSize, "input_size", "1 to 2^24", inputSize)
    try require(sizes ~= hiddenSize, "hidden_size", "1 to 2^24", hiddenSize)
    try require(1...4096 ~= numLayers, "num_layers", "1 to 4096", numLayers)
    try require(projSize >= 0, "proj_size", "0 or more", projSize)
    try require(
      projSize < hiddenSize, "proj_size", "less than hidden_size, \(hiddenSize)", projSize)
    try require(
      projSize == 0 || module == .lstm, "proj_size", "0, for \(module.rawValue)", projSize)
    try require(
      numLayers == 1 || !module.isCell, "num_layers", "1, for \(module.rawValue)", numLayers)
    guard !module.isCell || !bidirectional && !batchFirst else {
      throw InvalidValue(
        "arguments.\(bidirectional ? "bidirectional" : "batch_first")",
        expected: "false, for \(module.rawValue)", found: "true")
    }
    self.module = module
    self.inputSize = inputSize
    self.hiddenSize = hiddenSize
    self.numLayers = numLayers
    self.bias = bias
    self.batchFirst = batchFirst
    self.bidirectional = bidirectional
    self.projSize = projSize
    self.nonlinearity = nonlinearity
  }

  /// The same with what the shapes of parameters do not tell.
  ///
  /// - Throws: `InvalidValue` for what the constructor of the module refuses.
  package func with(
    batchFirst: Bool, nonlinearity: Nonlinearity
  ) throws(InvalidValue) -> RecurrentConfiguration {
    try RecurrentConfiguration(
      module: module, inputSize: inputSize, hiddenSize: hiddenSize, numLayers: numLayers,
      bias: bias, batchFirst: batchFirst, bidirectional: bidirectional, projSize: projSize,
      nonlinearity: nonlinearity)
  }

  package var directions: [Direction] { bidirectional ? [.forward, .reverse] : [.forward] }

  /// P: the size of h, which is `proj_size` where there is a projection, and else `hidden_size`.
  package var outputSize: Int { projSize > 0 ? projSize : hiddenSize }

  /// D·P: the size of the last axis of `output`.
  package var outputFeatures: Int { directions.count * outputSize }

  /// D·L: the size of the first axis of `h_n`.
  package var stateRows: Int { directions.count * numLayers }

  /// The row of `h_n` and `h_0` that belongs to a direction of a layer. The rows are ordered by
  /// layer, then direction.
  package func stateRow(layer: Int, _ direction: Direction) -> Int {
    directions.count * layer + direction.rawValue
  }

  /// The rows of a bidirectional module's state with the two directions of each layer exchanged:
  /// 1, 0, 3, 2 and so on.
  package var directionsExchanged: [Int] { (0..<stateRows).map { $0 ^ 1 } }

  /// The size of the vectors that go into a layer: `input_size` for the first layer, and for the
  /// others what the layer below gives, D·P.
  package func inputSize(ofLayer layer: Int) -> Int {
    layer == 0 ? inputSize : outputFeatures
  }
}
