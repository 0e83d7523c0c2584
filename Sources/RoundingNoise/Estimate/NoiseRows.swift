import RealModule
import RecurrentModel
import TensorComparison
import TensorCore

/// The σ of one result's elements while they are collected, vector by vector; 0 where none was
/// added, which is padding. Several groups of replicas add to σ² as one.
struct NoiseRows {
  let shape: ChainShape
  /// Elements of a vector of the last axis.
  private let size: Int
  private let groups: Double
  private var sigma: [Double]
  private var isJudged: [Bool]
  /// What the σ are about; empty unless kept.
  private(set) var values: [Double]
  var spread = ReplicaSpread()

  /// - Parameter shape: of the whole batch's tensor.
  init(_ shape: ChainShape, groups: Int, keepsValues: Bool) {
    self.shape = shape
    size = shape.shape.axes.last ?? 1
    self.groups = Double(groups)
    let count = shape.shape.elementCount
    sigma = [Double](repeating: 0, count: count)
    isJudged = [Bool](repeating: true, count: count)
    values = [Double](repeating: 0, count: keepsValues ? count : 0)
  }

  /// - Parameters:
  ///   - sigmas: nil for what is lost.
  ///   - start: the offset of the first of them.
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

  var limits: NoiseLimits {
    NoiseLimits(
      sigma: sigma, isJudged: isJudged, independentCount: spread.independentCount)
  }
}

// MARK: - Sequences that are not measured

extension NoiseRows {
  /// The rows of one sequence, in the order of the others of their own.
  private func rows(of sequence: Int) -> [Int] {
    let axes = shape.shape.axes
    guard let axis = shape.batchAxis else { return [] }
    let inner = axes[(axis + 1)...].dropLast().reduce(1, *)
    return (0..<axes[..<axis].reduce(1, *)).flatMap { block in
      (0..<inner).map { (block * axes[axis] + sequence) * inner + $0 }
    }
  }

  /// Gives the sequences that were not measured what they borrow from those that were.
  ///
  /// - Parameter name: of the result.
  mutating func fill(_ name: String, _ chain: Chain, from sample: NoiseEstimate.Sample) {
    guard let batch = chain.shapes.batch, let exact = sample.oracle[name] else { return }
    // A packed sequence's rows of an output are its steps, and behind them padding.
    let isOfSteps = chain.isOutput(name)
    func rows(_ sequence: Int) -> [Int] {
      let all = self.rows(of: sequence)
      let lengths = isOfSteps ? chain.input.packing?.lengths : nil
      return Array(all.prefix(lengths?[sequence] ?? all.count))
    }
    let sources = sample.sequences.map(rows)
    for sequence in Set(0..<batch.size).subtracting(sample.sequences) {
      for (step, row) in rows(sequence).enumerated() {
        borrow(row: row, from: sources.map { $0[min(step, $0.count - 1)] }, exact: exact)
      }
    }
  }

  /// Unit by unit the median of what the measured vectors' σ are of their root mean square,
  /// times this vector's own; lost where most of them are.
  ///
  /// - Parameter exact: the tensor without rounding errors.
  private mutating func borrow(row: Int, from rows: [Int], exact: Tensor) {
    let (own, scales) = (rms(row, exact), rows.map { rms($0, exact) })
    for unit in 0..<size {
      let judged = rows.indices.filter { isJudged[rows[$0] * size + unit] }
      let place = row * size + unit
      isJudged[place] = judged.count * 2 > rows.count
      let shares = judged.map { index in
        let sigma = sigma[rows[index] * size + unit]
        return sigma == 0 ? 0 : sigma / scales[index]
      }.sorted()
      let share = shares.isEmpty ? 0 : shares[shares.count / 2]
      sigma[place] = share.isFinite ? share * own : 0
    }
  }

  private func rms(_ row: Int, _ exact: Tensor) -> Double {
    let finite = (row * size..<(row + 1) * size).map(exact.double(at:)).filter(\.isFinite)
    let squares = finite.reduce(0) { $0 + $1 * $1 }
    return finite.isEmpty ? 0 : (squares / Double(finite.count)).squareRoot()
  }
}
