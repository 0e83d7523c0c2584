package import RecurrentModel
package import TensorComparison
package import TensorCore

/// The rounding errors that a chain's results are expected to have, element by element.
///
/// ```swift
/// let noise = try NoiseEstimate.measure(ChainVariant(chain), RoundingModel(.float32))
/// let limits = noise["output"]?.limits
/// ```
///
/// It is measured by Monte Carlo arithmetic (Parker, 1997): the chain runs in doubles and
/// beside them in replicas, in each of which every operation errs by chance as much as one
/// rounding of it may. It is no bound, and says nothing of what a mistake does.
package struct NoiseEstimate: Sendable {
  /// What is known of one result.
  package struct Result: Sendable {
    /// Of the whole batch's tensor.
    package let shape: Shape
    package let limits: NoiseLimits
    /// What the errors are about, in float64: what the chain gives without them. Zeros for
    /// what is lost or not measured; empty unless asked for.
    package let values: [Double]
  }

  private let results: [String: Result]
  /// How many steps some direction of some layer reads of a sequence before it is
  /// lost; nil where none is.
  package let agreeingSteps: Int?

  /// - Parameter name: as in a fixture, `bilstm.h_n`.
  package subscript(name: String) -> Result? { results[name] }

  /// Above this root mean square σ of a sequence's state in a layer, its steps
  /// are lost: the replicas say no more than that they have gone ways of their own.
  package static let lostDeviation = 1.0 / 16

  /// Some sequences of a batch, which stand for all of it: at each step a unit of the others
  /// has the median σ that it has there in these, each relative to its vector, and is lost
  /// where it is in most of them.
  package struct Sample: Sendable {
    /// Ascending.
    let sequences: [Int]
    /// The results of the whole batch, which tell how large the others' vectors are.
    let oracle: Results

    package init(_ sequences: [Int], oracle: Results) {
      self.sequences = sequences
      self.oracle = oracle
    }
  }
}

extension NoiseEstimate {
  /// Runs a chain with replicas: sequence by sequence through all of its modules, on all
  /// cores, so that what is held beside the result does not grow with the batch. A chain that
  /// mixes its sequences is run whole.
  ///
  /// - Parameters:
  ///   - variant: what is computed.
  ///   - model: how its operations err.
  ///   - replicas: a multiple of 16.
  ///   - sample: which sequences of the batch are measured; nil for all.
  ///   - keepsValues: whether the results hold what the errors are about.
  /// - Throws: `InvalidValue` where a module can't take what one before hands on wrongly.
  /// - Complexity: O(1 + replicas forward passes).
  package static func measure(
    _ variant: ChainVariant, _ model: RoundingModel, replicas: Int = 16,
    sample: Sample? = nil, keepsValues: Bool = false
  ) throws(InvalidValue) -> NoiseEstimate {
    let run = NoiseRun(variant, model, groups: max(1, replicas / Replicas.scalarCount))
    let scans = try run.scans(of: sample?.sequences)
    var results: [String: Result] = [:]
    for (name, var rows) in run.rows(scans, keepsValues: keepsValues) {
      if let sample { rows.fill(name, variant.chain, from: sample) }
      results[name] = Result(
        shape: rows.shape.shape, limits: rows.limits, values: rows.values)
    }
    let estimate = NoiseEstimate(
      results: results, agreeingSteps: scans.compactMap(\.agreeingSteps).min())
    return run.leavesLastMoves ? estimate.moved(by: variant) : estimate
  }

  /// With the vectors of a single module's results in other places.
  private func moved(by variant: ChainVariant) -> NoiseEstimate {
    guard let configuration = variant.chain.modules[0].configuration else { return self }
    let contract = variant.chain.shapes.stages[0].contract(
      configuration, variant.chain.input.packing)
    let places = ResultPlaces(variant.modules[0].moves, configuration, contract)
    let sizes = [
      ("output", configuration.outputSize), ("h_n", configuration.outputSize),
      ("c_n", configuration.hiddenSize),
    ]
    /// By the vector's number, where it stands.
    let vectors = sizes.flatMap { name, size in
      (0..<(results[name]?.limits.sigma.count ?? 0) / size).map { (name, start: $0 * size, size) }
    }
    func taken(_ places: Tensor) -> Result {
      let sources = ResultPlaces.numbers(places).map { vectors[$0] }
      let size = sources.first?.2 ?? 0
      let axes = Array(places.shape.axes.dropLast()) + [(places.shape.axes.last ?? 1) * size]
      func gathered<Element>(_ elements: (Result) -> [Element]) -> [Element] {
        sources.flatMap { name, start, size in
          results[name].map { elements($0)[start..<start + size] } ?? []
        }
      }
      return Result(
        shape: Shape(axes),
        limits: NoiseLimits(
          sigma: gathered(\.limits.sigma), isJudged: gathered(\.limits.isJudged)),
        values: results.values.contains { !$0.values.isEmpty } ? gathered(\.values) : [])
    }
    var moved = ["h_n": taken(places.hN)]
    moved["output"] = places.output.map(taken)
    moved["c_n"] = places.cN.map(taken)
    return NoiseEstimate(results: moved, agreeingSteps: agreeingSteps)
  }
}
