import RealModule
import TensorComparison

/// The σ of a tensor's elements, row after row; 0 where none was added, which is
/// padding. Several groups of replicas add to σ² as one.
struct NoiseRows {
  private let size: Int
  private let groups: Double
  private var sigma: [Double]
  private var isJudged: [Bool]
  /// What the σ are about; empty unless kept.
  private(set) var values: [Double]
  var spread = ReplicaSpread()

  init(rows: Int, size: Int, _ groups: Int, keepsValues: Bool) {
    self.size = size
    self.groups = Double(groups)
    sigma = [Double](repeating: 0, count: rows * size)
    isJudged = [Bool](repeating: true, count: rows * size)
    values = [Double](repeating: 0, count: keepsValues ? rows * size : 0)
  }

  /// - Parameters:
  ///   - sigmas: nil for what is lost.
  ///   - values: as many, or none.
  mutating func add(_ sigmas: [Double?], _ values: [Double], row: Int) {
    for (unit, sigma) in sigmas.enumerated() {
      let place = row * size + unit
      self.sigma[place] = .hypot(self.sigma[place], (sigma ?? 0) / groups.squareRoot())
      if sigma == nil { isJudged[place] = false }
    }
    if !self.values.isEmpty {
      for (unit, value) in values.enumerated() { self.values[row * size + unit] = value }
    }
  }

  /// A row that nothing is known of.
  mutating func disregard(row: Int) {
    for place in row * size..<(row + 1) * size { isJudged[place] = false }
  }

  /// Unit by unit the median of what these rows' σ are of their root mean square, times
  /// this row's own; lost where most of them are.
  ///
  /// - Parameter exact: the tensor without rounding errors.
  mutating func borrow(row: Int, from rows: [Int], exact: [Double]) {
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

  private func rms(_ row: Int, _ exact: [Double]) -> Double {
    let finite = exact[row * size..<(row + 1) * size].filter(\.isFinite)
    let squares = finite.reduce(0) { $0 + $1 * $1 }
    return finite.isEmpty ? 0 : (squares / Double(finite.count)).squareRoot()
  }

  var limits: NoiseLimits {
    NoiseLimits(
      sigma: sigma, isJudged: isJudged, independentCount: spread.independentCount)
  }
}
