import RealModule
import RecurrentModel
import TensorComparison
import TensorCore

/// Collects the σ of one result, vector by vector, from the scans of its sequences. An element to
/// which nothing is added is padding, with σ 0. Where there are several groups of replicas, σ² is
/// the mean of what the groups say.
struct NoiseRows {
  let shape: ChainShape
  /// How many elements a vector has: the size of the last axis.
  private let size: Int
  private let groups: Double
  private var sigma: [Double]
  private var isJudged: [Bool]
  /// What the chain gives without errors; empty unless it is kept.
  private(set) var values: [Double]
  var spread = ReplicaSpread()

  /// - Parameter shape: of the result's tensor, of the whole batch.
  init(_ shape: ChainShape, groups: Int, keepsValues: Bool) {
    self.shape = shape
    size = shape.shape.axes.last ?? 1
    self.groups = Double(groups)
    let count = shape.shape.elementCount
    sigma = [Double](repeating: 0, count: count)
    isJudged = [Bool](repeating: true, count: count)
    values = [Double](repeating: 0, count: keepsValues ? count : 0)
  }

  /// Adds what one group of replicas says of a vector.
  ///
  /// - Parameters:
  ///   - sigmas: σ of each element; nil where the vector is lost.
  ///   - values: what the elements are without errors.
  ///   - start: the offset of the first element in the result.
  mutating func add(_ sigmas: [Double]?, _ values: [Double], at start: Int) {
    for (unit, value) in values.enumerated() {
      let place = start + unit
      if let sigmas {
        sigma[place] = .hypot(sigma[place], sigmas[unit] / groups.squareRoot())
      } else {
        isJudged[place] = false
      }
      if !self.values.isEmpty { self.values[place] = value }
    }
  }

  /// What has been collected.
  var limits: NoiseLimits {
    NoiseLimits(
      sigma: sigma, isJudged: isJudged, independentCount: spread.independentCount)
  }
}

// MARK: - Sequences that are not measured

extension NoiseRows {
  /// The rows of the tensor that belong to one sequence, in ascending order, which in an `output`
  /// is the order of its steps.
  private func rows(of sequence: Int) -> [Int] {
    let axes = shape.shape.axes
    guard let axis = shape.batchAxis else { return [] }
    let inner = axes[(axis + 1)...].dropLast().reduce(1, *)
    return (0..<axes[..<axis].reduce(1, *)).flatMap { block in
      (0..<inner).map { (block * axes[axis] + sequence) * inner + $0 }
    }
  }

  /// Gives each sequence that was not measured what it borrows from those that were, as
  /// `NoiseEstimate.Sample.Others` says.
  ///
  /// - Parameters:
  ///   - name: the result's.
  ///   - measured: the sequences that were.
  ///   - oracle: the results of the whole batch without errors.
  mutating func fill(
    _ name: String, _ chain: Chain, from measured: [Int], _ oracle: Results
  ) {
    guard let batch = chain.shapes.batch, let exact = oracle[name] else { return }
    // The rows of an `output` that belong to a packed sequence are its steps, and behind them
    // padding, which has no error.
    let isOfSteps = chain.isOutput(name)
    func rows(_ sequence: Int) -> [Int] {
      let all = self.rows(of: sequence)
      let lengths = isOfSteps ? chain.input.packing?.lengths : nil
      return Array(all.prefix(lengths?[sequence] ?? all.count))
    }
    let sources = measured.map(rows)
    let longest = sources.map(\.count).max() ?? 0
    let lent: [Loan] = (0..<longest).map { step in
      loan(of: sources.map { $0[min(step, $0.count - 1)] }, exact)
    }
    for sequence in Set(0..<batch.size).subtracting(measured) {
      for (step, row) in rows(sequence).enumerated() {
        let (scale, lent) = (rms(row, exact), lent[min(step, lent.count - 1)])
        for unit in 0..<size {
          let share = lent.shares[unit]
          sigma[row * size + unit] = share.isFinite ? share * scale : 0
          isJudged[row * size + unit] = lent.isJudged[unit]
        }
      }
    }
  }

  /// Gives each sequence that was not measured what was measured of it before.
  mutating func keep(_ limits: NoiseLimits?, besides measured: [Int]) {
    guard let limits, let axis = shape.batchAxis else { return }
    for sequence in Set(0..<shape.shape.axes[axis]).subtracting(measured) {
      for row in rows(of: sequence) {
        for place in row * size..<(row + 1) * size {
          sigma[place] = limits.sigma[place]
          isJudged[place] = limits.isJudged[place]
        }
      }
    }
  }

  private typealias Loan = (shares: [Double], isJudged: [Bool])

  /// What measured rows lend to a row of another sequence: for each unit, the median of what their
  /// σ are relative to the root mean squares of the rows, and whether the unit can be judged: it is
  /// lost where it is in at least half of the rows.
  ///
  /// - Parameter exact: the result's tensor without rounding errors.
  private func loan(of rows: [Int], _ exact: Tensor) -> Loan {
    let scales = rows.map { rms($0, exact) }
    var lent: Loan = ([], [])
    for unit in 0..<size {
      let judged = rows.indices.filter { isJudged[rows[$0] * size + unit] }
      let shares = judged.map { index -> Double in
        let sigma = sigma[rows[index] * size + unit]
        return sigma == 0 ? 0 : sigma / scales[index]
      }.sorted()
      lent.shares.append(shares.isEmpty ? 0 : shares[shares.count / 2])
      lent.isJudged.append(judged.count * 2 > rows.count)
    }
    return lent
  }

  /// The root mean square of a row's finite elements.
  private func rms(_ row: Int, _ exact: Tensor) -> Double {
    let finite = (row * size..<(row + 1) * size).map(exact.double(at:)).filter(\.isFinite)
    let squares = finite.reduce(0) { $0 + $1 * $1 }
    return finite.isEmpty ? 0 : (squares / Double(finite.count)).squareRoot()
  }
}
