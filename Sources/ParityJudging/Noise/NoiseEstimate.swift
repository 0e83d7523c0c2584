import RealModule
package import RecurrentModel
package import TensorComparison
package import TensorCore

/// The rounding error that a forward pass is expected to have, element by element.
package struct NoiseEstimate: Sendable {
  /// By `output`, `h_n` and `c_n`.
  package let tensors: [String: NoiseLimits]
  /// What the errors are about, by the same names: the oracle's results, or what an
  /// emulation makes of them. Zeros for sequences that were not measured.
  let values: [String: [Double]]
  /// How many steps some direction of some layer reads of a sequence before it is
  /// lost; nil where none is.
  package let agreeingSteps: Int?

  init(
    tensors: [String: NoiseLimits], values: [String: [Double]], agreeingSteps: Int?
  ) {
    self.tensors = tensors
    self.values = values
    self.agreeingSteps = agreeingSteps
  }
}

extension NoiseEstimate {
  /// Above this root mean square σ of a sequence's state in a layer, its steps
  /// are lost: the replicas say no more than that they have parted.
  package static let lostDeviation = 1.0 / 16

  /// What becomes of the sequences that are not measured.
  enum Unmeasured: Sendable {
    /// They are not judged.
    case unjudged
    /// At each step a unit has the median σ that it has there in the measured
    /// sequences, each relative to its vector, and is lost where it is in most of them.
    /// The oracle's results tell how large the vectors are.
    case borrowing(RecurrentOutput)
  }

  /// Runs the module with replicas. O(1 + replicas forward passes).
  ///
  /// - Parameter replicas: a multiple of 16.
  package init(
    _ call: RecurrentCall, _ arithmetic: Arithmetic, replicas: Int = 16
  ) {
    self.init(call, RoundingModel(arithmetic), replicas: replicas)
  }

  /// - Parameters:
  ///   - model: how the operations err.
  ///   - variant: what is computed.
  ///   - replicas: a multiple of 16.
  ///   - sequences: which of the batch are measured, ascending; nil for all.
  init(
    _ call: RecurrentCall, _ model: RoundingModel, _ variant: ScanVariant = ScanVariant(),
    replicas: Int = 16,
    sequences: [Int]? = nil,
    unmeasured: Unmeasured = .unjudged
  ) {
    let (configuration, stateDict, input) = (call.configuration, call.stateDict, call.input)
    let cells = (0..<configuration.numLayers).map { layer in
      configuration.directions.map { direction in
        ScanCell<StepNoise>(configuration, stateDict, layer: layer, direction, variant) {
          NoisyMatrix($0, model.emulation)
        }
      }
    }
    let (batch, rows) = (input.layout.batch, configuration.stateRows)
    let layout = input.outputLayout
    let groups = max(1, replicas / Replicas.scalarCount)
    func tensor(rows: Int, size: Int) -> NoiseRows {
      NoiseRows(rows: rows, size: size, groups, keepsValues: model.emulation != nil)
    }
    var output = tensor(rows: batch * layout.steps, size: configuration.outputFeatures)
    var hN = tensor(rows: rows * batch, size: configuration.outputSize)
    var cN = tensor(rows: rows * batch, size: configuration.hiddenSize)
    var agreeingSteps: Int?
    let measured = sequences ?? Array(0..<batch)
    let scans = concurrentMap(measured.count * groups) { index in
      NoiseScan(
        configuration: configuration, cells: cells, input: input,
        sequence: measured[index / groups], group: index % groups, model: model,
        variant: variant
      ).run()
    }
    for (index, scan) in scans.enumerated() {
      let sequence = measured[index / groups]
      for (step, sigmas) in scan.output.enumerated() {
        let row = layout.row(sequence: sequence, step: step)
        output.add(sigmas, scan.values.output[step], row: row)
      }
      for row in 0..<rows {
        hN.add(scan.h[row], scan.values.h[row], row: row * batch + sequence)
        cN.add(scan.c[row], scan.values.c[row], row: row * batch + sequence)
      }
      output.spread.add(scan.spread.output)
      hN.spread.add(scan.spread.h)
      cN.spread.add(scan.spread.c)
      agreeingSteps = [agreeingSteps, scan.agreeingSteps].compactMap(\.self).min()
    }

    var exact: [String: [Double]] = [:]
    if case .borrowing(let oracle) = unmeasured, measured.count < batch {
      for (name, tensor) in oracle.named { exact[name] = tensor.elements(as: Double.self) }
    }
    for sequence in Set(0..<batch).subtracting(measured) {
      func fill(_ tensor: inout NoiseRows, _ name: String, row: Int, from rows: [Int]) {
        if let exact = exact[name] {
          tensor.borrow(row: row, from: rows, exact: exact)
        } else {
          tensor.disregard(row: row)
        }
      }
      for step in 0..<input.length(of: sequence) {
        fill(
          &output, "output", row: layout.row(sequence: sequence, step: step),
          from: measured.map {
            layout.row(sequence: $0, step: min(step, input.length(of: $0) - 1))
          })
      }
      for row in 0..<rows {
        let sources = measured.map { row * batch + $0 }
        fill(&hN, "h_n", row: row * batch + sequence, from: sources)
        fill(&cN, "c_n", row: row * batch + sequence, from: sources)
      }
    }
    tensors = ["output": output.limits, "h_n": hN.limits, "c_n": cN.limits]
    values = ["output": output.values, "h_n": hN.values, "c_n": cN.values]
    self.agreeingSteps = agreeingSteps
  }
}
