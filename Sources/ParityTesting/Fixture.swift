import ParityFixtures
import RecurrentModel
import TensorCore

/// A case of a folder of fixtures: a module of PyTorch with its parameters, inputs and the
/// outputs that PyTorch gave.
///
/// ```swift
/// @Test(arguments: try Fixture.all(in: "Fixtures") { $0.module?.name == "LSTM" })
/// func computesWhatPyTorchComputes(fixture: Fixture) throws {
///   try fixture.verify { fixture in try MyLSTM(fixture).outputs() }
/// }
/// ```
public struct Fixture: Sendable, Identifiable, CustomStringConvertible {
  /// Its path below the folder, without the file's ending.
  public let name: String
  let location: CaseLocation
  /// The reason where it can't be read.
  let loaded: Result<LoadedCase, CaseError>

  public var id: String { location.path }
  public var description: String { name }

  /// All cases of a fixture or a folder of them, in the order of their names. O(their bytes).
  ///
  /// - Parameter isIncluded: which cases are of interest. One that can't be read is always
  ///   included, so that it fails its test and is not overlooked.
  /// - Throws: `NoFixtures` where there is no case, none is included, or the path can't be
  ///   searched: a test without arguments would pass.
  public static func all(
    in path: String, where isIncluded: (Fixture) -> Bool = { _ in true }
  ) throws(NoFixtures) -> [Fixture] {
    let discovery = Discovery(paths: [path])
    if let error = discovery.errors.first { throw NoFixtures(description: "\(error)") }
    let all = discovery.cases.map(Fixture.init)
    let included = all.filter { (try? $0.loaded.get()) == nil || isIncluded($0) }
    guard !included.isEmpty else {
      throw NoFixtures(
        description: all.isEmpty
          ? "no case found in \(path)" : "none of the \(all.count) cases in \(path) is included")
    }
    return included
  }

  /// Why there is nothing to test.
  public struct NoFixtures: Error, CustomStringConvertible {
    public let description: String
  }

  private init(_ location: CaseLocation) {
    name = location.name
    self.location = location
    do throws(CaseError) {
      loaded = .success(try LoadedCase.load(location))
    } catch {
      loaded = .failure(error)
    }
  }
}

extension Fixture {
  /// nil for a chain of modules, and where the fixture can't be read.
  public var module: Module? { parityCase.map { Module($0.configuration, $0.contract) } }

  /// What the case asks an implementation to compute in: `float16`, `bfloat16`, `tf32`,
  /// `float32` or `float64`; nil where there is nothing to compute.
  public var arithmetic: String? {
    switch try? loaded.get() {
    case .recurrent(let parityCase): parityCase.call?.arithmetic.rawValue
    case .sequential(let chain): chain.arithmetic.rawValue
    case nil: nil
    }
  }

  /// A module with the arguments of its constructor, by PyTorch's names.
  public struct Module: Sendable, Equatable {
    /// `LSTM`, `GRU`, `RNN`, `LSTMCell`, `GRUCell` or `RNNCell`.
    public let name: String
    public let inputSize: Int
    public let hiddenSize: Int
    public let numLayers: Int
    public let bias: Bool
    public let batchFirst: Bool
    public let bidirectional: Bool
    /// 0 for none.
    public let projSize: Int
    /// `tanh` or `relu`.
    public let nonlinearity: String
    /// Whether the input has an axis for the batch.
    public let isBatched: Bool
    /// Whether the sequences are packed; then `lengths` says how long each is.
    public let isPacked: Bool

    init(_ configuration: RecurrentConfiguration, _ contract: LayoutContract) {
      name = configuration.module.rawValue
      inputSize = configuration.inputSize
      hiddenSize = configuration.hiddenSize
      numLayers = configuration.numLayers
      bias = configuration.bias
      batchFirst = configuration.batchFirst
      bidirectional = configuration.bidirectional
      projSize = configuration.projSize
      nonlinearity = configuration.nonlinearity.rawValue
      isBatched = contract.layout.isBatched
      isPacked = contract.lengths != nil
    }
  }

  /// By their names in `state_dict()`, rounded to what the module computes in; empty where
  /// the fixture has none.
  public var stateDict: [String: FixtureTensor] {
    if let chain { return chain.stateDict.mapValues(FixtureTensor.init) }
    return parityCase?.call?.stateDict.tensors.mapValues(FixtureTensor.init) ?? [:]
  }

  /// The modules of a chain, in the order in which they run; empty for any other case.
  public var chainModules: [ChainModule] {
    chain?.sequential.modules.map { ChainModule(name: $0.name, className: $0.className) } ?? []
  }

  /// One module of a chain.
  public struct ChainModule: Sendable, Equatable {
    /// As in the names of its parameters.
    public let name: String
    /// `Embedding`, `LSTM`, `GRU`, `RNN`, `DirectionMerge`, `Linear`, `Softmax` or
    /// `LogSoftmax`.
    public let className: String
  }

  /// (B, T, I), (T, B, I) or (T, I), for a cell (B, I) or (I), for an `Embedding` indices of
  /// any shape.
  public var input: FixtureTensor? {
    (recurrentInput?.input ?? chain?.input).map(FixtureTensor.init)
  }
  /// nil for zeros.
  public var h0: FixtureTensor? { recurrentInput?.h0.map(FixtureTensor.init) }
  /// nil for zeros, and where the module has no cell state.
  public var c0: FixtureTensor? { recurrentInput?.c0.map(FixtureTensor.init) }
  /// Of packed sequences.
  public var lengths: [Int]? { recurrentInput?.packing?.lengths }
  /// What `pad_packed_sequence` pads to, where that is stated.
  public var totalLength: Int? { recurrentInput?.packing?.totalLength }

  private var parityCase: ParityCase? {
    if case .success(.recurrent(let parityCase)) = loaded { parityCase } else { nil }
  }

  private var chain: SequentialCase? {
    if case .success(.sequential(let chain)) = loaded { chain } else { nil }
  }

  private var recurrentInput: RecurrentInput? { parityCase?.call?.input }
}

extension SequentialCase {
  /// By their names in the chain.
  fileprivate var stateDict: [String: Tensor] {
    let named = sequential.modules.flatMap { module in
      module.parameters.map { (module.name + "." + $0, $1) }
    }
    return Dictionary(uniqueKeysWithValues: named)
  }
}
