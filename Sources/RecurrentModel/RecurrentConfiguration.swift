/// The arguments of a recurrent module's constructor, by PyTorch's names.
package struct RecurrentConfiguration: Sendable, Equatable {
  package let module: RecurrentModule
  package let inputSize: Int
  package let hiddenSize: Int
  package let numLayers: Int
  package let bias: Bool
  package let batchFirst: Bool
  package let bidirectional: Bool
  /// 0 for none.
  package let projSize: Int
  /// Of `RNN` and `RNNCell`; no other module uses it.
  package let nonlinearity: Nonlinearity

  /// `dropout` is no part of it: in `eval()`, which references are made in, it
  /// does nothing.
  ///
  /// - Throws: `InvalidValue`, naming the argument, for what the constructor of
  ///   `module` refuses, and for a size of 0, which some take and which computes
  ///   nothing.
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

  package var directions: [Direction] { bidirectional ? [.forward, .reverse] : [.forward] }

  /// P: the size of `h`, which is `proj_size` where there is one, else `hidden_size`.
  package var outputSize: Int { projSize > 0 ? projSize : hiddenSize }

  /// D·P: the last axis of `output`.
  package var outputFeatures: Int { directions.count * outputSize }

  /// D·L: the first axis of `h_n`.
  package var stateRows: Int { directions.count * numLayers }

  /// The row of `h_n` and `h_0` that belongs to a layer's direction: layer-major.
  package func stateRow(layer: Int, _ direction: Direction) -> Int {
    directions.count * layer + direction.rawValue
  }

  /// The rows of a bidirectional module's state with each layer's directions exchanged.
  package var directionsExchanged: [Int] { (0..<stateRows).map { $0 ^ 1 } }

  /// The size of the vectors that go into a layer.
  package func inputSize(ofLayer layer: Int) -> Int {
    layer == 0 ? inputSize : outputFeatures
  }
}
