import RealModule
package import RecurrentModel
package import TensorComparison
package import TensorCore

/// The rounding error that a forward pass is expected to have, element by element.
package struct NoiseEstimate: Sendable {
  /// By `output`, `h_n` and `c_n`.
  package let tensors: [String: NoiseLimits]
  /// How many steps some direction of some layer reads of a sequence before it is
  /// lost; nil where none is.
  package let agreeingSteps: Int?
}

extension NoiseEstimate {
  /// Above this root mean square σ of a sequence's state in a layer, its steps
  /// are lost: the replicas say no more than that they have parted.
  package static let lostDeviation = 1.0 / 16

  /// Runs the module with replicas. O(1 + replicas forward passes).
  ///
  /// - Parameters:
  ///   - replicas: a multiple of 16.
  ///   - roundsOperands: as in `RoundingModel`.
  package init(
    _ configuration: RecurrentConfiguration, _ stateDict: StateDict, _ input: RecurrentInput,
    _ arithmetic: Arithmetic, replicas: Int = 16, roundsOperands: Bool = false
  ) {
    let model = RoundingModel(arithmetic, roundsOperands: roundsOperands)
    let cells = (0..<configuration.numLayers).map { layer in
      configuration.directions.map {
        NoisyCell(configuration, stateDict, layer: layer, $0, model)
      }
    }
    let (batch, rows) = (input.layout.batch, configuration.stateRows)
    let layout = input.outputLayout
    let groups = max(1, replicas / Replicas.scalarCount)
    var output = NoiseRows(
      rows: batch * layout.steps, size: configuration.outputFeatures, groups)
    var hN = NoiseRows(rows: rows * batch, size: configuration.outputSize, groups)
    var cN = NoiseRows(rows: rows * batch, size: configuration.hiddenSize, groups)
    var agreeingSteps: Int?
    let scans = concurrentMap(batch * groups) { index in
      NoiseScan(
        configuration: configuration, cells: cells, input: input, sequence: index / groups,
        group: index % groups, model: model
      ).run()
    }
    for sequence in 0..<batch {
      for group in 0..<groups {
        let scan = scans[sequence * groups + group]
        for (step, sigmas) in scan.output.enumerated() {
          output.add(sigmas, row: layout.row(sequence: sequence, step: step))
        }
        for row in 0..<rows {
          hN.add(scan.h[row], row: row * batch + sequence)
          cN.add(scan.c[row], row: row * batch + sequence)
        }
        output.spread.add(scan.spread.output)
        hN.spread.add(scan.spread.h)
        cN.spread.add(scan.spread.c)
        agreeingSteps = [agreeingSteps, scan.agreeingSteps].compactMap(\.self).min()
      }
    }
    tensors = ["output": output.limits, "h_n": hN.limits, "c_n": cN.limits]
    self.agreeingSteps = agreeingSteps
  }
}

/// The σ of a tensor's elements, row after row; 0 where none was added, which is
/// padding. Several groups of replicas add to σ² as one.
private struct NoiseRows {
  private let size: Int
  private let groups: Double
  private var sigma: [Double]
  private var isJudged: [Bool]
  var spread = ReplicaSpread()

  init(rows: Int, size: Int, _ groups: Int) {
    self.size = size
    self.groups = Double(groups)
    sigma = [Double](repeating: 0, count: rows * size)
    isJudged = [Bool](repeating: true, count: rows * size)
  }

  /// - Parameter sigmas: nil for what is lost.
  mutating func add(_ sigmas: [Double?], row: Int) {
    for (unit, sigma) in sigmas.enumerated() {
      let place = row * size + unit
      self.sigma[place] = .hypot(self.sigma[place], (sigma ?? 0) / groups.squareRoot())
      if sigma == nil { isJudged[row * size + unit] = false }
    }
  }

  var limits: NoiseLimits {
    NoiseLimits(
      sigma: sigma, isJudged: isJudged,
      independentCount: spread.independentCount)
  }
}
