import RecurrentModel
import TensorCore

/// Says what is right of a failing side's results where no known mistake explains them, and what
/// that tells of the mistake: "sequence 0", "steps 0 to 3 of output", "h_n[0] (layer 0, forward)".
///
/// Whoever looks for the mistake need not look there.
struct RightParts {
  private let faults: FaultSearch
  private let output: [FaultSearch.Deviation]
  private let states: [FaultSearch.Deviation]

  /// - Parameter faults: of results of which some element is off.
  init(_ faults: FaultSearch) {
    self.faults = faults
    output = faults.deviations(in: "output")
    states = faults.deviations(in: "h_n") + faults.deviations(in: "c_n")
  }

  private var evidence: Evidence { faults.evidence }
  private var configuration: RecurrentConfiguration { faults.configuration }
  private var contract: LayoutContract { faults.contract }

  /// What is right, each a clause; empty where one element alone is off, since its place says it
  /// all, and where some could not be judged.
  ///
  /// - Complexity: O(17 forward passes).
  var clauses: [String] {
    guard !isOneElement, faults.judgesAll else { return [] }
    let right = [sequences, direction, steps, stateRows].compactMap(\.self)
    let told = right + [ownSteps].compactMap(\.self)
    return told.isEmpty ? ["no part of \(names)"] : told
  }

  /// Whether one element alone is off: it was changed afterwards, and no mistake explains it.
  var isOneElement: Bool { output.count + states.count == 1 }

  private var names: String { evidence.outputs.named.map(\.name).joined(separator: ", ") }

  /// The sequences of the batch that are right altogether.
  private var sequences: String? {
    let wrong = Set((output + states).map(\.place.sequence))
    let right = evidence.sequences.indices.filter { !wrong.contains($0) }
    guard !right.isEmpty, evidence.chain.shapes.batch != nil else { return nil }
    return NumberRanges(right.map { evidence.sequences[$0] }).text("sequence")
  }

  /// The direction of `output` that is right.
  private var direction: String? {
    guard configuration.bidirectional, !output.isEmpty else { return nil }
    let wrong = Set(output.compactMap(\.place.direction))
    return configuration.directions.first { !wrong.contains($0) }.map {
      "the \($0) direction of output"
    }
  }

  /// The steps of `output` that are right in all sequences, where there are some.
  private var steps: String? {
    guard evidence.outputs["output"] != nil, !configuration.module.isCell else { return nil }
    guard !output.isEmpty else { return "output" }
    let count = evidence.sequences.indices.map { contract.length(of: $0) }.max() ?? 0
    return Self.steps(count: count, wrong: Set(output.compactMap(\.place.step)))
  }

  /// - Parameters:
  ///   - count: of all steps.
  ///   - wrong: those at which something is off.
  static func steps(count: Int, wrong: Set<Int>) -> String? {
    let right = (0..<count).filter { !wrong.contains($0) }
    guard !right.isEmpty else { return nil }
    if let period = NumberRanges(wrong.sorted()).period {
      return
        "all steps of output but every \(period.ordinal) (\(NumberRanges(wrong.sorted()).list))"
    }
    if let period = NumberRanges(right).period {
      return "every \(period.ordinal) step of output (\(NumberRanges(right).list))"
    }
    return NumberRanges(right).text("step").map { "\($0) of output" }
  }

  /// The rows of `h_n` and `c_n` that are right, with what they stand for, and the lowest ones that
  /// are not.
  private var stateRows: String? {
    let named = ["h_n", "c_n"].filter { evidence.outputs[$0] != nil }
    let wrong = Dictionary(grouping: states, by: \.tensor).mapValues {
      Set($0.map { configuration.stateRow(layer: $0.layer, $0.place.direction ?? .forward) })
    }
    let whole = named.filter { wrong[$0] == nil }
    guard whole.count < named.count, configuration.stateRows > 1 else {
      return whole.isEmpty ? nil : whole.joined(separator: " and ")
    }
    let rows = (0..<configuration.stateRows).map { row in
      named.filter { wrong[$0]?.contains(row) != true }.map { "\($0)[\(row)]" }
    }
    let right = rows.indices.filter { !rows[$0].isEmpty }
    guard !right.isEmpty else { return nil }
    guard right.count <= Self.rowsTold else {
      return NumberRanges(right).text("row").map { "\($0) of \(named.joined(separator: " and "))" }
    }
    let told = right.map { rows[$0].joined(separator: " and ") + place(ofRow: $0) }
    let firstWrong = rows.indices.first { rows[$0].count < named.count } ?? 0
    let wrongThere = named.filter { wrong[$0]?.contains(firstWrong) == true }.map {
      "\($0)[\(firstWrong)]"
    }
    return told.joined(separator: ", ") + ", but not "
      + wrongThere.joined(separator: " and ") + place(ofRow: firstWrong)
  }

  /// How many rows are listed one by one.
  private static let rowsTold = 6

  private func place(ofRow row: Int) -> String {
    let (layer, direction) = row.quotientAndRemainder(dividingBy: configuration.directions.count)
    return configuration.bidirectional
      ? " (layer \(layer), \(configuration.directions[direction]))" : " (layer \(layer))"
  }

  /// What follows from the results' own h of the step before, in the last layer: which steps are
  /// wrong by themselves, or that `c_n` follows and h does not.
  ///
  /// - Returns: nil where that tells no more.
  private var ownSteps: String? {
    guard !configuration.module.isCell, evidence.outputs["output"] != nil,
      faults.firstWrongStates.map({ $0.layer == configuration.numLayers - 1 }) ?? true,
      let forced = OwnSteps(faults)
    else { return nil }
    if forced.wrongCells?.isEmpty == true, forced.wrongSteps.count == forced.count {
      let projection = configuration.projSize > 0 ? " or weight_hr, the projection" : ""
      return "c_n, given the h that output holds: what is wrong is how h is made of c, by the "
        + "output gate\(projection)"
    }
    let wrong = forced.wrongSteps
    guard wrong.count < forced.count, wrong.count < Set(output.compactMap(\.place.step)).count
    else {
      return nil
    }
    if wrong.isEmpty { return "each step, given the h before it" }
    return NumberRanges(wrong.sorted()).text("step").map {
      "each step, given the h before it, but \($0)"
    }
  }

  /// That the results have nothing in common with the right ones, as a sentence; nil where they do.
  var resemblance: String? {
    guard let name = ["output", "h_n"].first(where: { evidence.outputs[$0] != nil }),
      let given = evidence.outputs[name], let exact = evidence.exact[name],
      given.shape == exact.shape, given.count >= Self.countForResemblance
    else { return nil }
    let values: [Double] = given.elements()
    let expected: [Double] = exact.elements()
    let pairs = zip(values, expected).filter { $0.isFinite && $1.isFinite }
    let correlation = Self.correlation(pairs)
    guard correlation.magnitude < Self.leastCorrelation else { return nil }
    let shown = (correlation * 100).rounded() / 100
    return "\(name) does not resemble PyTorch's (correlation \(shown == 0 ? 0 : shown)): other "
      + "weights, another input or another run than this case's?"
  }

  /// That dropout between the layers may be on, where the first layer is right and all that the
  /// others give is wrong; nil elsewhere.
  var dropoutBetweenLayers: String? {
    let rows = configuration.directions.count * evidence.sequences.count
    let wrong = states.filter { $0.tensor == "h_n" }
    let vectors = Set(
      wrong.map { [$0.layer, $0.place.direction?.rawValue ?? 0, $0.place.sequence] })
    guard configuration.numLayers > 1, faults.judgesAll, !wrong.contains(where: { $0.layer == 0 }),
      vectors.count == rows * (configuration.numLayers - 1)
    else { return nil }
    return "layer 0 is right in every sequence and no layer above it: is dropout between the "
      + "layers on (call eval()), or is what layer 0 hands on changed on its way?"
  }

  /// Fewer numbers may part by chance.
  private static let countForResemblance = 32
  /// Below which results are said to have nothing in common.
  private static let leastCorrelation = 0.3

  /// Pearson's, and 1 where it is not defined.
  private static func correlation(_ pairs: [(Double, Double)]) -> Double {
    let count = Double(pairs.count)
    let (a, b) = pairs.reduce((0, 0)) { ($0.0 + $1.0 / count, $0.1 + $1.1 / count) }
    let (ab, aa, bb) = pairs.reduce((0, 0, 0)) {
      (
        $0.0 + ($1.0 - a) * ($1.1 - b), $0.1 + ($1.0 - a) * ($1.0 - a),
        $0.2 + ($1.1 - b) * ($1.1 - b)
      )
    }
    let correlation = ab / (aa * bb).squareRoot()
    return correlation.isFinite ? correlation : 1
  }
}
