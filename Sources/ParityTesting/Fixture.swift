import ParityFixtures
import RecurrentModel

/// A case of a folder of fixtures: a module of PyTorch, or a chain of them, with its
/// parameters, inputs and the outputs that PyTorch gave.
///
/// ```swift
/// @Test(arguments: try Fixture.all(in: "Fixtures") { $0.module?.name == .lstm })
/// func computesWhatPyTorchComputes(fixture: Fixture) throws {
///   try fixture.verify { fixture in try MyLSTM(fixture).outputs() }
/// }
/// ```
///
/// It gives no reference outputs: `verify` judges an implementation's by them.
public struct Fixture: Sendable, Identifiable, CustomStringConvertible {
  /// Its path below the folder, without the file's ending.
  public let name: String
  let location: CaseLocation
  /// The case, or why it can't be read.
  private(set) var loaded: Result<ParityCase, CaseError>

  /// Its path.
  public var id: String { location.path }
  /// Its name, which names the test in Swift Testing.
  public var description: String { name }

  /// All cases of a fixture or a folder of them, in the order of their names.
  ///
  /// - Parameters:
  ///   - path: a fixture, or a folder that is searched for fixtures.
  ///   - isIncluded: which cases are of interest. One that can't be read is always included, so
  ///     that it fails its test and is not overlooked.
  /// - Throws: `NoFixtures` where there is no case, none is included, or the path can't be
  ///   searched: a test without arguments would pass.
  /// - Complexity: O(their bytes).
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

  /// The error of a search that finds nothing to test; its description says why.
  public struct NoFixtures: Error, CustomStringConvertible {
    /// Why there is nothing to test.
    public let description: String
  }

  private init(_ location: CaseLocation) {
    name = location.name
    self.location = location
    loaded = Result { () throws(CaseError) in try ParityCase.load(location) }
  }

  /// One chunk of a stream as a fixture of its own.
  ///
  /// - Throws: `ParityFailure` where the states do not fit the module.
  func chunk(_ chunk: ChunkedRun.Chunk) throws(ParityFailure) -> Fixture {
    var copy = self
    do {
      copy.loaded = .success(try loaded.get().chunk(chunk))
    } catch {
      throw ParityFailure(status: .failed, description: "\(name): \(error)")
    }
    return copy
  }

  var parityCase: ParityCase? { try? loaded.get() }

  private var chain: Chain? { parityCase?.chain }
}

// MARK: - What is computed

extension Fixture {
  /// The module that the case is about; nil for a chain of modules, and where the fixture can't
  /// be read.
  public var module: Module? {
    guard let parityCase, parityCase.isSingleModule else { return nil }
    return Module(parityCase.layouts[0])
  }

  /// What the case asks an implementation to compute in; nil where there is nothing to compute.
  public var arithmetic: ParityArithmetic? { chain.map { ParityArithmetic($0.arithmetic) } }

  /// A module with the arguments of its constructor, by PyTorch's names.
  public struct Module: Sendable, Equatable {
    /// The class of the module.
    public let name: ModuleClass
    /// The number of features of the input: I.
    public let inputSize: Int
    /// The number of features of a state: H.
    public let hiddenSize: Int
    /// The number of layers; 1 for a cell.
    public let numLayers: Int
    /// Whether `bias_ih` and `bias_hh` are added.
    public let bias: Bool
    /// Whether the input is (B, T, I), and not (T, B, I). States are never batch first.
    public let batchFirst: Bool
    /// Whether a second direction reads the sequence from its end.
    public let bidirectional: Bool
    /// The size of a projected state; 0 without a projection.
    public let projSize: Int
    /// The nonlinearity of `RNN` and `RNNCell`; other modules do not use it.
    public let nonlinearity: Nonlinearity
    /// Whether the input has an axis for the batch.
    public let isBatched: Bool
    /// Whether the sequences are packed; then `lengths` says how long each is.
    public let isPacked: Bool

    /// What `RNN` and `RNNCell` apply to a step's sum.
    public enum Nonlinearity: Sendable {
      case tanh
      case relu
    }

    init(_ layout: ModuleLayout) {
      let configuration = layout.configuration
      name = ModuleClass(configuration.module)
      inputSize = configuration.inputSize
      hiddenSize = configuration.hiddenSize
      numLayers = configuration.numLayers
      bias = configuration.bias
      batchFirst = configuration.batchFirst
      bidirectional = configuration.bidirectional
      projSize = configuration.projSize
      nonlinearity = configuration.nonlinearity == .relu ? .relu : .tanh
      isBatched = layout.contract.layout.isBatched
      isPacked = layout.contract.lengths != nil
    }
  }

  /// The modules of a chain, in the order in which they run; empty for any other case.
  public var chainModules: [NamedModule] {
    guard let chain, !chain.isSingleModule else { return [] }
    return chain.modules.map { NamedModule(name: $0.name, moduleClass: ModuleClass($0.layer)) }
  }

  /// One module of a chain.
  public struct NamedModule: Sendable, Equatable {
    /// The name that its parameters' names begin with.
    public let name: String
    /// What kind of module it is.
    public let moduleClass: ModuleClass
  }
}

// MARK: - Its tensors

extension Fixture {
  /// The parameters by their names in `state_dict()`, rounded to the type that the module
  /// computes in; empty where the fixture has none.
  public var stateDict: [String: FixtureTensor] {
    let named = (chain?.modules ?? []).flatMap { module in
      module.parameters.map { (module.qualified($0), FixtureTensor($1)) }
    }
    return Dictionary(uniqueKeysWithValues: named)
  }

  /// The input: (B, T, I), (T, B, I) or (T, I), for a cell (B, I) or (I), and for an `Embedding`
  /// indices of any shape.
  public var input: FixtureTensor? { (chain?.input.tensor).map(FixtureTensor.init) }
  /// The initial hidden state, of a chain's first recurrent module: (D·layers, B, P), without
  /// the axis of the batch where the input has none, for a cell (B, H) or (H); nil for zeros.
  public var h0: FixtureTensor? { (chain?.input.h0).map(FixtureTensor.init) }
  /// The initial cell state, of the shape of `h0` with H in place of P; nil for zeros, and for
  /// modules without a cell state.
  public var c0: FixtureTensor? { (chain?.input.c0).map(FixtureTensor.init) }
  /// The number of steps of each sequence; nil where the sequences are not packed.
  public var lengths: [Int]? { chain?.input.packing?.lengths }
  /// The number of steps of each chunk of a stream, on which `verify` calls the implementation one
  /// after the other; nil where it is called on all steps at once.
  public var chunks: [Int]? { chain?.input.chunks?.sizes }
  /// The number of steps to which `pad_packed_sequence` pads; nil for the longest sequence's.
  public var totalLength: Int? { chain?.input.packing?.totalLength }
}
