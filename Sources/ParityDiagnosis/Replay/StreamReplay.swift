import ParityJudging
import RecurrentModel
import RoundingNoise
import TensorComparison
import TensorCore

/// Which states a chunk of a stream starts from.
enum HandedOver: Sendable {
  /// Those that the chunk before ended with, as in PyTorch.
  case all
  /// Zeros.
  case none
  /// Those that the first chunk started from.
  case initial
  /// The h that the chunk before ended with, and a c of zeros.
  case hidden
  /// The c that the chunk before ended with, and an h of zeros.
  case cell
}

/// The replay of a stream. An implementation that is called on one chunk after the other makes its
/// mistakes in each call: one that ignores initial states ignores those of every chunk, and a
/// mistake in h_n goes into the chunk behind. So all that was done to the replay is done to a
/// replay of each chunk, which starts from what the one before gave.
extension Replay {
  /// Whether the chain is run on several chunks, one after the other.
  var isStream: Bool { (given.input.chunks?.count ?? 0) > 1 }

  /// Whether the chunks are replayed one by one: without a mistake the right results are those of
  /// all steps at once.
  var isRunInChunks: Bool { isStream && !changes.isEmpty }

  /// A replay of each chunk, and what it gives.
  ///
  /// - Throws: `InvalidValue` where a mistake makes a chunk give states that the next cannot start
  ///   from.
  /// - Complexity: O(one forward pass).
  func chunkReplays() throws(InvalidValue) -> [(replay: Replay, results: Results)] {
    var all: [(replay: Replay, results: Results)] = []
    for steps in given.input.chunks?.steps ?? [] {
      let (h0, c0) = try states(after: all.last?.results)
      var replay = Replay(try given.chunk(steps, h0: h0, c0: c0))
      for change in changes { try replay.makeAnew(change) }
      all.append((replay, try replay.results()))
    }
    return all
  }

  /// Why a change can be made in no chunk; nil where it can be made in one.
  func obstacleInChunks(to change: Change) -> NotApplicable? {
    var obstacle: NotApplicable?
    let h0 = given.input.h0 ?? zeros(configuration.outputSize)
    let c0 = recurrence.hasCellState ? given.input.c0 ?? zeros(configuration.hiddenSize) : nil
    for steps in given.input.chunks?.steps ?? [] {
      guard let chunk = try? given.chunk(steps, h0: h0, c0: c0) else { continue }
      var replay = Replay(chunk)
      do throws(NotApplicable) {
        try change(&replay)
        return nil
      } catch {
        obstacle = obstacle ?? error
      }
    }
    return obstacle
  }

  /// A state of zeros.
  private func zeros(_ features: Int) -> Tensor {
    let shape = Shape(layout.stateAxes(rows: configuration.stateRows, features: features))
    return Tensor([Double](repeating: 0, count: shape.elementCount), shape: shape)
  }

  /// Does to a chunk what was done to the whole. A chunk that is too short to show it, or without
  /// initial states, stays as it is.
  private mutating func makeAnew(_ change: Change) throws(InvalidValue) {
    var changed = self
    do throws(NotApplicable) {
      try change(&changed)
      self = changed
    } catch {
      guard error.isRefused else { return }
      throw InvalidValue("a chunk", expected: error.need, found: "others")
    }
  }

  /// What a chunk starts from.
  ///
  /// - Parameter previous: what the chunk before gave; nil for the first.
  /// - Throws: `InvalidValue` where that is not all states.
  private func states(
    after previous: Results?
  ) throws(InvalidValue) -> (h0: Tensor?, c0: Tensor?) {
    let input = given.input
    guard let previous else { return (input.h0, input.c0) }
    guard let h = previous["h_n"] else {
      throw InvalidValue("h_n", expected: "a tensor", found: "none")
    }
    let c = recurrence.hasCellState ? previous["c_n"] : nil
    return switch handedOver {
    case .all: (h, c)
    case .none: (nil, nil)
    case .initial: (input.h0, input.c0)
    case .hidden: (h, c.map { _ in zeros(configuration.hiddenSize) })
    case .cell: (zeros(configuration.outputSize), c)
    }
  }

  /// What the chunks give together: `output` of all steps, and the states after the last chunk.
  ///
  /// - Parameter parts: of each chunk, in order.
  /// - Throws: `InvalidValue` where a mistake gives an `output` of another shape, of which the
  ///   steps can't be told.
  func joined(_ parts: [Results]) throws(InvalidValue) -> Results {
    guard let last = parts.last, let layout = given.shapes.stages[0].layout,
      let axis = layout.stepAxis, let chunks = given.input.chunks
    else { return Results() }
    let outputs = parts.compactMap { $0["output"] }
    for (output, size) in zip(outputs, chunks.sizes) {
      let axes = layout.with(steps: size).axes(features: output.shape.axes.last ?? 0)
      guard output.shape.axes == axes, outputs.count == parts.count else {
        throw InvalidValue(
          "output", expected: "\(size) steps on axis \(axis)", found: "\(output.shape)")
      }
    }
    var joined = last
    joined["output"] = layout.joining(steps: outputs)
    return joined
  }
}

extension Evidence {
  /// What a replay gives, and how far the failing side may be from it, by the results' names.
  typealias Expected = [String: (values: Tensor, limits: NoiseLimits)]

  /// - Returns: nil where a mistake makes a module hand on what the next one cannot take.
  /// - Complexity: O(17 forward passes), and twice that for a stream.
  func expected(of replay: Replay) -> Expected? {
    guard replay.isRunInChunks else { return expected(of: replay.variant) }
    guard let parts = try? replay.chunkReplays() else { return nil }
    let chunks = parts.map { expected(of: $0.replay.variant) ?? [:] }
    func joined(_ tensor: (Tensor, NoiseLimits) -> Tensor) -> Results? {
      try? replay.joined(chunks.map { Results($0.map { ($0, tensor($1.values, $1.limits)) }) })
    }
    guard let values = joined({ values, _ in values }),
      let sigma = joined({ Tensor($1.sigma, shape: $0.shape) }),
      let isJudged = joined({ Tensor($1.isJudged.map { $0 ? 1.0 : 0 }, shape: $0.shape) }),
      let right = expected(of: ChainVariant(chain))
    else { return nil }
    var all: Expected = [:]
    for (name, tensor) in values.named {
      var limits = NoiseLimits(
        sigma: sigma[name]?.elements() ?? [],
        isJudged: isJudged[name].map { $0.elements().map { $0 == 1.0 } } ?? [])
      // Each chunk's noise starts from states without any. What they had is about as much as in
      // the right results.
      if let own = right[name], own.values.shape == tensor.shape {
        limits = limits.combined(with: own.limits)
      }
      all[name] = (tensor, limits)
    }
    return all
  }

  private func expected(of variant: ChainVariant) -> Expected? {
    guard let noise = noise(of: variant) else { return nil }
    var all: Expected = [:]
    for (name, given) in outputs.named {
      guard let values = noise.values(name) else { continue }
      all[name] = (values, limits(noise, name, given, exact: values))
    }
    return all
  }
}
