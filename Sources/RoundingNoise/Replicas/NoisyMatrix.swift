import RealModule
import RecurrentKernels

/// A weight matrix with its bias, whose products with a vector are computed in doubles and in all
/// replicas at once, each with its own rounding error.
struct NoisyMatrix: Sendable {
  let rows: Int
  let columns: Int
  /// The weights, packed for the kernels: in panels of `RK_NOISE_ROWS` rows, whose elements stand
  /// side by side for each column. Zeros fill the last panel.
  private let panels: [Double]
  private let panelCount: Int
  private let bias: [Double]?
  /// For each row, the first row with the same weights, whose draws it shares: sums of the same
  /// terms err alike, and errors that are alike do not average out.
  private let twins: [Int]
  /// For each row, the first row with the same weights and the same bias. Where that is another
  /// than the twin, the row has draws of its own beside the shared ones: where a sum begins with
  /// the bias, as our engine's does, sums of the same terms err differently.
  let biasTwins: [Int]
  /// For each row, and for the bias, a power of two of which all weights are multiples.
  private let granules: [Double]
  private let biasGranule: Double
  /// Whether a weight or bias is below the smallest normal float32, and not zero.
  private let hasSubnormals: Bool
  /// What `ScanMatrix` says of roundings that 16-bit types have beside the result's.
  private let isStoredBeforeBias: Bool
  private let biasSums: [Double]?

  init(_ matrix: ScanMatrix, _ emulation: Emulation?) {
    rows = matrix.rows
    columns = matrix.columns
    let own = emulation.map { matrix.weights.map($0.weight) } ?? matrix.weights
    let bias = emulation.map { matrix.bias.map($0.bias) } ?? matrix.bias
    self.bias = matrix.hasBias ? bias : nil
    isStoredBeforeBias = matrix.isStoredBeforeBias && matrix.hasBias
    biasSums = matrix.biasSums
    let height = RK_NOISE_ROWS
    panelCount = (rows + height - 1) / height
    panels = Self.packed(own, rows: rows, columns: columns, height: height)
    // By rows and not by columns, of which there may be none.
    let rowSlices = (0..<matrix.rows).map {
      own[$0 * matrix.columns..<($0 + 1) * matrix.columns]
    }
    let twins = rowSlices.firstPlaces
    self.twins = twins
    biasTwins = zip(twins, bias).map { [Double($0), $1] }.firstPlaces
    granules = rowSlices.map(\.granule)
    biasGranule = bias.granule
    hasSubnormals = own.contains(where: \.isTiny) || bias.contains(where: \.isTiny)
  }

  /// Whether two rows have the same weights.
  var hasTwins: Bool { twins.indices.contains { twins[$0] != $0 } }

  /// W x + b.
  ///
  /// - Complexity: O(rows · columns · replicas); O(rows · columns) where x is the same in all
  ///   replicas.
  func product(
    with x: NoisyVector, _ noise: NoisyOperations, _ operation: NoiseDraws.Operation
  ) -> NoisyVector {
    let x = noise.emulation?.vector(x) ?? x
    let height = panelCount * RK_NOISE_ROWS
    var sums = [Double](repeating: 0, count: 4 * height)
    var exact = [Replicas](repeating: .zero, count: height)
    multiply(x, into: &sums, &exact, noise.kernels.noise)
    let runs = Self.runs(of: x.values)
    let granule = noise.model.operandRoundoff == 0 ? x.granule : 0
    let storesCoarser = noise.model.storesCoarser
    let isFlushed =
      noise.model.flushesOperands && (hasSubnormals || x.values.contains(where: \.isTiny))
    return NoisyVector(
      count: rows,
      numbers: { row in
        var sum = ProductSum(
          count: Double(columns), value: sums[row], magnitudes: sums[height + row],
          squares: sums[2 * height + row], squaredPartialSums: sums[3 * height + row])
        if !runs.isEmpty {
          sum.equalTerms = equalTerms(row, x.values, runs, noise.model.sumRoundoff)
        }
        if storesCoarser, isStoredBeforeBias { sum.storedBefore = sum.value }
        if storesCoarser, let biasSums {
          sum.storedBefore = .hypot(sum.storedBefore, biasSums[row])
        }
        if let bias { sum.add(bias[row]) }
        if isFlushed { sum.flushed = flushedTerms(row, x.values, sum.value) }
        let replicas =
          x.replicas == nil
          ? Replicas(repeating: sum.value) : exact[row] + (bias.map { $0[row] } ?? 0)
        let isExact =
          granule > 0
          && noise.model.isExact(sum, granule: min(granule * granules[row], biasGranule))
        let deviation = isExact ? 0 : noise.model.product(sum)
        let number = noise.perturbed(sum.value, replicas, deviation, operation, twins[row])
        return biasTwins[row] == twins[row]
          ? number
          : noise.perturbed(number.value, number.replicas, deviation, operation, biasTwins[row])
      })
  }

  /// Neighbours in a vector that are nearly equal, as those of saturated units are.
  private struct Run {
    let places: Range<Int>
    /// How far each of the numbers is from their median, ascending.
    let deviations: [Double]

    /// How many of the numbers are within `deviation` of the median.
    func count(within deviation: Double) -> Int {
      deviations.prefix { $0 <= deviation }.count
    }
  }

  /// The runs in a vector: three or more numbers that are not zero, and differ from the first by
  /// at most a thousandth.
  private static func runs(of x: [Double]) -> [Run] {
    var (runs, start) = ([Run](), 0)
    for place in 1..<max(1, x.count + 1)
    where place == x.count || !(abs(x[place] - x[start]) <= 0x1p-10 * abs(x[start])) {
      if place - start > 2, x[start] != 0 {
        let own = x[start..<place].sorted()
        let median = own[own.count / 2]
        runs.append(
          Run(places: start..<place, deviations: own.map { abs($0 - median) }.sorted()))
      }
      start = place
    }
    return runs
  }

  /// What `ProductSum.equalTerms` is for the product of a row with a vector.
  ///
  /// Terms that differ by less than the partial sums are rounded by are rounded alike too.
  ///
  /// - Parameter runs: the vector's, in which the terms are equal where the weights are too.
  private func equalTerms(
    _ row: Int, _ x: [Double], _ runs: [Run], _ roundoff: Double
  ) -> Double {
    var (sum, squares, column) = (bias?[row] ?? 0, 0.0, 0)
    for run in runs {
      while column < run.places.lowerBound {
        sum += weight(row, column) * x[column]
        column += 1
      }
      while column < run.places.upperBound {
        let first = column
        let own = weight(row, first)
        repeat { column += 1 } while column < run.places.upperBound && weight(row, column) == own
        let next = sum + Double(column - first) * own * x[first]
        let mean = (abs(sum) + abs(next)) / 2
        let alike = min(column - first, run.count(within: roundoff * mean / abs(own)))
        if alike > 2, next != sum {
          let size = Double(alike) * mean
          squares += size * size
        }
        sum = next
      }
    }
    return squares.squareRoot()
  }

  /// What `ProductSum.flushed` is for the product of a row with a vector.
  ///
  /// - Parameter sum: the product, with the bias.
  private func flushedTerms(_ row: Int, _ x: [Double], _ sum: Double) -> Double {
    var flushed = sum.isTiny ? abs(sum) : 0
    if let bias, bias[row].isTiny { flushed += abs(bias[row]) }
    for column in 0..<columns {
      let weight = weight(row, column)
      if weight.isTiny || x[column].isTiny { flushed += abs(weight * x[column]) }
    }
    return flushed
  }

  private func weight(_ row: Int, _ column: Int) -> Double {
    let height = RK_NOISE_ROWS
    return panels[row / height * height * columns + row % height + column * height]
  }

  private func multiply(
    _ x: NoisyVector, into sums: inout [Double], _ exact: inout [Replicas],
    _ kernels: rk_noise_kernels
  ) {
    let height = exact.count
    sums.withUnsafeMutableBufferPointer { sums in
      exact.withUnsafeMutableBytes { exact in
        guard let sums = sums.baseAddress, let exact = exact.baseAddress else { return }
        var places = rk_noise_sums(
          values: sums, magnitudes: sums + height, squares: sums + 2 * height,
          squared_partial_sums: sums + 3 * height)
        func run(_ replicas: UnsafeRawPointer?) {
          kernels.products(
            panels, Int64(panelCount), Int64(columns), x.values,
            replicas?.assumingMemoryBound(to: Double.self), &places,
            exact.assumingMemoryBound(to: Double.self))
        }
        if let replicas = x.replicas {
          replicas.withUnsafeBytes { run($0.baseAddress) }
        } else {
          run(nil)
        }
      }
    }
  }

  private static func packed(
    _ weights: [Double], rows: Int, columns: Int, height: Int
  ) -> [Double] {
    let panelCount = (rows + height - 1) / height
    var packed = [Double](repeating: 0, count: panelCount * height * columns)
    for row in 0..<rows {
      let start = row / height * height * columns + row % height
      for column in 0..<columns {
        packed[start + column * height] = weights[row * columns + column]
      }
    }
    return packed
  }
}

extension Double {
  /// Whether the number is subnormal in float32, or smaller, and not zero.
  fileprivate var isTiny: Bool { self != 0 && abs(self) < 0x1p-126 }
}
