package import RecurrentModel
package import TensorComparison
package import TensorCore

/// The rounding error that each element of a chain's results is expected to have: its standard
/// deviation, σ.
///
/// ```swift
/// let noise = try NoiseEstimate.measure(ChainVariant(chain), RoundingModel(.float32))
/// noise["output"]?.limits.sigma  // σ of each element of output, row-major
/// ```
///
/// It is measured by Monte Carlo arithmetic (Parker, 1997): the chain runs in doubles, and beside
/// them in replicas, in each of which every operation gets a random error of the size that one
/// rounding of it may have. The root mean square of what the replicas are off by at an element is
/// its σ.
///
/// It is no bound: an error may be several σ, and how many pass is for `NoiseLimits` to say. It
/// is the noise of one side alone; `CaseNoise` puts two together.
package struct NoiseEstimate: Sendable {
  /// What is known of one result.
  package struct Result: Sendable {
    /// The shape of the result's tensor, of the whole batch.
    package let shape: Shape
    /// σ of each element, and whether it can be judged.
    package let limits: NoiseLimits
    /// What the chain gives without errors, in float64, row-major. Zeros stand for what is lost
    /// or not measured. Empty unless `keepsValues` asked for it.
    package let values: [Double]
  }

  private let results: [String: Result]
  /// How many steps of a sequence a direction of a layer reads before its state is lost, the
  /// smallest such number; nil where no state is lost.
  package let agreeingSteps: Int?

  /// - Parameter name: the result's, as in a fixture: `bilstm.h_n`.
  package subscript(name: String) -> Result? { results[name] }

  /// The root mean square σ of a sequence's state in a layer above which the state is lost: the
  /// replicas then say no more than that each has gone its own way.
  package static let lostDeviation = 1.0 / 16

  /// Some sequences of a batch, which alone are measured.
  package struct Sample: Sendable {
    /// The measured sequences, ascending.
    let sequences: [Int]
    let others: Others

    /// Where the σ of the sequences that are not measured comes from.
    package enum Others: Sendable {
      /// They borrow: at each step, a unit of theirs has the median σ that it has there in the
      /// measured ones, taken relative to the root mean square of the vector that it stands in.
      /// It is lost where it is in at least half of them. `oracle` holds the results of the whole
      /// batch without errors, which tell how large the vectors are.
      case borrowing(oracle: Results)
      /// They keep what was measured of them before.
      case keeping(NoiseEstimate)
    }

    package init(_ sequences: [Int], others: Others) {
      self.sequences = sequences
      self.others = others
    }
  }
}

extension NoiseEstimate {
  /// Runs a chain with its replicas and returns what the replicas are off by.
  ///
  /// Each sequence goes through all modules by itself, several at a time on all cores; its
  /// replicas are given up once their σ is known, so that those of a whole batch are never held
  /// together. A chain that mixes its sequences is run whole.
  ///
  /// - Parameters:
  ///   - variant: what is computed.
  ///   - model: how large the errors of its operations are.
  ///   - replicas: how many, a multiple of 16.
  ///   - sample: the sequences that are measured; nil to measure all.
  ///   - keepsValues: whether the results hold what the chain gives without errors.
  ///   - forcing: results of the whole batch that were computed elsewhere, from which each step
  ///     is computed in place of the chain's own, as `ChainScan.forcing` says; nil for none.
  /// - Throws: `InvalidValue` where a mistake in the variant makes a module hand on what the next
  ///   one cannot take. A chain without mistakes never throws.
  /// - Complexity: O(1 + replicas forward passes).
  package static func measure(
    _ variant: ChainVariant, _ model: RoundingModel, replicas: Int = 16,
    sample: Sample? = nil, keepsValues: Bool = false, forcing: Results? = nil
  ) throws(InvalidValue) -> NoiseEstimate {
    let groups = max(1, replicas / Replicas.scalarCount)
    let run = NoiseRun(variant, model, groups: groups, forcing: forcing)
    let scans = try run.scans(of: sample?.sequences)
    var results: [String: Result] = [:]
    for (name, var rows) in run.rows(scans, keepsValues: keepsValues) {
      switch sample?.others {
      case .borrowing(let oracle):
        rows.fill(name, variant.chain, from: sample?.sequences ?? [], oracle)
      case .keeping(let estimate):
        rows.keep(estimate[name]?.limits, besides: sample?.sequences ?? [])
      case nil: break
      }
      results[name] = Result(
        shape: rows.shape.shape, limits: rows.limits, values: rows.values)
    }
    let estimate = NoiseEstimate(
      results: results,
      agreeingSteps: (scans.compactMap(\.agreeingSteps)
        + [sample?.others.agreeingSteps].compactMap(\.self)).min())
    return run.leavesLastMoves ? estimate.moved(by: variant) : estimate
  }

  /// The estimate with the vectors of a single module's results in the places that the variant's
  /// moves put them into.
  private func moved(by variant: ChainVariant) -> NoiseEstimate {
    guard let configuration = variant.chain.modules[0].configuration else { return self }
    let contract = variant.chain.shapes.stages[0].contract(
      configuration, variant.chain.input.packing)
    let places = ResultPlaces(variant.modules[0].moves, configuration, contract)
    let sizes = [
      ("output", configuration.outputSize), ("h_n", configuration.outputSize),
      ("c_n", configuration.hiddenSize),
    ].map { ($0, places.isOfElements ? 1 : $1) }
    // For each number of a vector, the result that it belongs to and where it starts there.
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

extension NoiseEstimate.Sample.Others {
  /// How many steps the sequences that are not measured can be judged for, as far as is known.
  fileprivate var agreeingSteps: Int? {
    if case .keeping(let estimate) = self { estimate.agreeingSteps } else { nil }
  }
}
