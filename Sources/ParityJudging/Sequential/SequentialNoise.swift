import RecurrentModel
import TensorComparison
import TensorCore

extension NoiseEstimate {
  /// Runs a chain with replicas, which go from module to module. O(1 + replicas forward
  /// passes).
  ///
  /// - Parameters:
  ///   - input: as the chain's first module takes it.
  ///   - replicas: a multiple of 16.
  init(
    _ sequential: Sequential, _ input: Tensor, _ model: RoundingModel, replicas: Int
  ) throws(InvalidValue) {
    let groups = max(1, replicas / Replicas.scalarCount)
    var rows: [String: NoiseRows] = [:]
    var agreeingSteps: Int?
    for group in 0..<groups {
      var scan = SequentialScan(sequential: sequential, model: model, group: group)
      for (name, tensor) in try scan.run(input) {
        var own =
          rows[name]
          ?? NoiseRows(
            rows: tensor.rows.count, size: tensor.size, groups,
            keepsValues: model.emulation != nil)
        for (row, vector) in tensor.rows.enumerated() {
          let isLost = tensor.isLost[row]
          own.add(
            isLost ? vector.values.map { _ in nil } : vector.sigmas(model), vector.values, row: row)
          if !isLost { own.spread.add(vector) }
        }
        rows[name] = own
      }
      agreeingSteps = [agreeingSteps, scan.agreeingSteps].compactMap(\.self).min()
    }
    self.init(
      tensors: rows.mapValues(\.limits), values: rows.mapValues(\.values),
      agreeingSteps: agreeingSteps)
  }
}
