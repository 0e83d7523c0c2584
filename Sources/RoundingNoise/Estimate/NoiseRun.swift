import RecurrentModel
import TensorComparison
import TensorCore

/// Runs the scans that measure the rounding noise of one chain, in parallel, and puts together
/// what they tell.
struct NoiseRun: Sendable {
  private let variant: ChainVariant
  private let model: RoundingModel
  /// How many groups of sixteen replicas there are.
  private let groups: Int
  private let prepared: PreparedChain<NoisyOperations>
  /// Results of the whole batch that each step is computed from, as `ChainScan.forcing` says.
  private let forcing: Results?
  /// For each sequence of the batch, the first with the same input, initial states and length,
  /// whose draws it shares: equal sequences err alike. nil where nothing is told apart.
  private let sequenceTwins: [Int]?

  init(_ variant: ChainVariant, _ model: RoundingModel, groups: Int, forcing: Results? = nil) {
    self.variant = variant
    self.forcing = forcing
    self.model = model
    self.groups = groups
    sequenceTwins = variant.chain.sequenceTwins
    prepared = PreparedChain(variant) { NoisyMatrix($0, variant.emulation) }
  }

  /// What one scan tells: that of one sequence, or of the whole batch where the chain mixes its
  /// sequences.
  struct Scan: Sendable {
    fileprivate let results: [(name: String, result: ScanResult)]
    let agreeingSteps: Int?
  }

  fileprivate struct ScanResult: Sendable {
    /// The shape of the whole batch's tensor, whichever sequences were scanned.
    let shape: ChainShape
    var vectors: [(start: Int, sigmas: [Double]?, values: [Double])] = []
    var spread = ReplicaSpread()
  }

  /// Whether moves within the results of a single module are made when the scans of all sequences
  /// are together: some of these moves put a sequence's results in the place of another's.
  var leavesLastMoves: Bool {
    variant.chain.isSingleModule && !variant.modules[0].moves.isEmpty
  }

  /// Whether the results of a sequence depend on others, so that the whole batch must be scanned
  /// at once: a module's sequences do not start from their own states, or a module of a chain of
  /// several moves results between sequences.
  private var mixesSequences: Bool {
    variant.modules.contains { way in
      way.scan.states.start == .previousSequence
        || !variant.chain.isSingleModule
          && (way.moves + way.movesHandedOn).contains(where: \.mixesSequences)
    }
  }

  /// Scans the sequences, one at a time where the chain keeps them apart, each with every group
  /// of replicas.
  ///
  /// - Parameter sequences: which of the batch; nil for all.
  func scans(of sequences: [Int]?) throws(InvalidValue) -> [Scan] {
    let batch = mixesSequences ? nil : variant.chain.shapes.batch
    let parts: [[Int]?] = batch.map { (sequences ?? Array(0..<$0.size)).map { [$0] } } ?? [nil]
    let scans = concurrentMap(parts.count * groups) { index in
      Result { () throws(InvalidValue) in
        try scan(of: parts[index / groups], group: index % groups)
      }
    }
    var all: [Scan] = []
    for scan in scans { all.append(try scan.get()) }
    return all
  }

  private func scan(of sequences: [Int]?, group: Int) throws(InvalidValue) -> Scan {
    let part = sequences.flatMap { variant.chain.selecting(sequences: $0) }
    var scan = ChainScan(
      prepared: prepared, chain: part ?? variant.chain, sequences: sequences,
      operations: { [model, emulation = variant.emulation] place, units in
        NoisyOperations(
          model: model, emulation: emulation,
          draws: NoiseDraws(
            module: place.module, layer: place.layer, direction: place.direction.rawValue,
            sequence: place.sequence, group: group, units: units), step: 0)
      },
      isLost: { [model] in LostReplicas($0, model).holds($1) })
    scan.leavesLastMoves = leavesLastMoves
    scan.sequenceTwins = sequenceTwins
    scan.forcing = forcing
    if let sequences, let batch = variant.chain.shapes.batch {
      scan.forcing = forcing?.selecting(sequences: sequences, batch)
    }
    let output = try scan.run()
    return Scan(
      results: output.results.map { ($0, result($1, scan)) },
      agreeingSteps: output.agreeingSteps)
  }

  /// What is kept of a result: σ of each vector, so that the replicas need not be held.
  private func result(
    _ tensor: ScanTensor<NoisyVector>, _ scan: ChainScan<NoisyOperations>
  ) -> ScanResult {
    var axes = tensor.shape.shape.axes
    if scan.sequences != nil, let axis = tensor.shape.batchAxis,
      let batch = variant.chain.shapes.batch
    {
      axes[axis] = batch.size
    }
    var shape = tensor.shape
    shape.shape = Shape(axes)
    var result = ScanResult(shape: shape)
    let rowSize = axes.last ?? 1
    for piece in 0..<tensor.pieces {
      for (row, number) in scan.rowNumbers(of: tensor.shape).enumerated() {
        let place = row * tensor.pieces + piece
        let vector = tensor.vectors[place]
        let isLost = tensor.isLost[place]
        result.vectors.append(
          (
            start: number * rowSize + piece * vector.count,
            sigmas: isLost ? nil : vector.sigmas(model), values: vector.values
          ))
        if !isLost { result.spread.add(vector) }
      }
    }
    return result
  }

  /// Puts the scans together, by the results' names.
  func rows(_ scans: [Scan], keepsValues: Bool) -> [String: NoiseRows] {
    var rows: [String: NoiseRows] = [:]
    func blank(_ shape: ChainShape) -> NoiseRows {
      NoiseRows(shape, groups: groups, keepsValues: keepsValues)
    }
    // A batch without sequences makes no scan, and still has results.
    if scans.isEmpty {
      for (name, shape) in variant.chain.resultShapes { rows[name] = blank(shape) }
    }
    for scan in scans {
      for (name, result) in scan.results {
        var own = rows.removeValue(forKey: name) ?? blank(result.shape)
        for vector in result.vectors { own.add(vector.sigmas, vector.values, at: vector.start) }
        own.spread.add(result.spread)
        rows[name] = own
      }
    }
    return rows
  }
}
