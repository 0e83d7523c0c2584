import ParityJudging
import RecurrentModel
import RoundingNoise
import TensorComparison
import TensorCore

/// Finds out where a difference starts that no known mistake explains.
///
/// The final states tell the layer: what is wrong in one spoils all above it. In the last layer,
/// `output` tells the first step that is off, in the order in which the direction reads, and at
/// that step the unit that is off most.
struct FaultSearch {
  let evidence: Evidence
  let contract: LayoutContract
  let configuration: RecurrentConfiguration
  /// For each tensor of the evidence, in its order, how far each element is off in units of σ; 0
  /// for an element that passes.
  private let excess: [[Double]]
  /// Whether every element could be judged. Where rounding has been amplified too much for some,
  /// nobody knows whether these are right.
  let judgesAll: Bool

  /// - Parameter evidence: of a case of one recurrent module.
  /// - Returns: nil for a chain of several modules.
  /// - Complexity: O(17 forward passes).
  init?(_ evidence: Evidence) {
    guard let call = evidence.chain.call,
      let noise = evidence.noise(of: ChainVariant(evidence.chain))
    else { return nil }
    self.evidence = evidence
    contract = call.contract
    configuration = call.configuration
    var judgesAll = true
    excess = evidence.outputs.named.map { name, given in
      guard let exact = evidence.exact[name] else { return [] }
      let limits = evidence.limits(noise, name, given, exact: exact)
      judgesAll = judgesAll && !limits.isJudged.contains(false)
      return Self.excess(given, exact, limits)
    }
    self.judgesAll = judgesAll
  }

  static func excess(
    _ given: Tensor, _ exact: Tensor, _ limits: NoiseLimits
  ) -> [Double] {
    (0..<given.count).map { offset in
      let (own, right) = (given.double(at: offset), exact.double(at: offset))
      guard limits.isJudged[offset], own != right, !(own.isNaN && right.isNaN) else { return 0 }
      guard own.isFinite, right.isFinite else { return .infinity }
      let sigma = limits.sigma[offset]
      let z = sigma > 0 ? abs(own - right) / sigma : .infinity
      return z <= limits.largestZ ? 0 : z
    }
  }

  private func excess(of name: String) -> [Double] {
    let index = evidence.outputs.named.firstIndex { $0.name == name }
    return index.map { excess[$0] } ?? []
  }

  /// Where the difference starts; nil where no element is beyond rounding.
  func place() -> FaultPlace? {
    let output = deviations(in: "output")
    let states = deviations(in: "h_n") + deviations(in: "c_n")
    let last = configuration.numLayers - 1
    var found: FaultPlace?
    if let layer = states.compactMap(\.place.layer).min(), layer < last {
      found = lowerLayer(layer, states.filter { $0.place.layer == layer })
    } else if !output.isEmpty {
      found = lastLayer(output)
    } else if let worst = states.max(by: { $0.z < $1.z }) {
      found = state(worst, among: states)
    }
    if let sequence = found?.sequence { found?.sequence = evidence.sequences[sequence] }
    return found
  }

  /// The first layer whose final states are off, and the directions in which they are: a mistake in
  /// a layer does not show in those below it. nil where the final states are right, or not there.
  var firstWrongStates: (layer: Int, directions: [Direction])? {
    let states = deviations(in: "h_n") + deviations(in: "c_n")
    guard let layer = states.compactMap(\.place.layer).min() else { return nil }
    let own = states.filter { $0.place.layer == layer }.map(\.place.direction)
    // Where there is one direction, places do not name it.
    return (layer, configuration.directions.filter { own.contains($0) || own.contains(nil) })
  }

  /// The first step at which the last layer's forward direction is off in `output`; nil where none
  /// is.
  var firstWrongStep: Int? {
    deviations(in: "output").filter { $0.place.direction != .reverse }.compactMap(\.place.step)
      .min()
  }

  /// An element that is off by more than rounding.
  struct Deviation {
    let place: ElementPlace
    let z: Double
    let tensor: String
    /// The layer of an element of a state; 0 in a cell.
    var layer: Int { place.layer ?? 0 }
  }

  /// The elements of a result that are off; none of a result that is not there.
  func deviations(in name: String) -> [Deviation] {
    guard let tensor = evidence.outputs[name] else { return [] }
    let features = max(tensor.shape.axes.last ?? 1, 1)
    return deviations(of: excess(of: name), in: name, features)
  }

  /// - Parameters:
  ///   - excess: for each element of a result, how far it is off; 0 for one that is not.
  ///   - features: the size of the result's last axis.
  func deviations(of excess: [Double], in name: String, _ features: Int) -> [Deviation] {
    excess.enumerated().compactMap { offset, z in
      guard z > 0 else { return nil }
      return Deviation(
        place: ElementPlace(
          of: offset, isOutput: name == "output", features: features, contract), z: z,
        tensor: name)
    }
  }

  /// The place of a difference that starts in a layer below the last.
  private func lowerLayer(_ layer: Int, _ off: [Deviation]) -> FaultPlace {
    var place = FaultPlace()
    place.layer = layer
    let directions = Set(off.map(\.place.direction?.rawValue))
    if directions.count == 1, configuration.bidirectional {
      place.direction = off.first?.place.direction
    }
    let units = Set(off.filter { $0.tensor == "h_n" }.map(\.place.unit))
    if units.count == 1, configuration.projSize == 0, configuration.hiddenSize > 1 {
      place.unit = units.first
    }
    place.remark = "its steps are not among the outputs, only its final state"
    return place
  }

  /// The place of a difference that starts in the last layer, whose steps `output` holds.
  private func lastLayer(_ off: [Deviation]) -> FaultPlace {
    func position(_ off: Deviation) -> Int {
      let step = off.place.step ?? 0
      return off.place.direction == .reverse
        ? contract.length(of: off.place.sequence) - 1 - step : step
    }
    let first = off.map(position).min() ?? 0
    let earliest = off.filter { position($0) == first }
    var place = FaultPlace()
    guard let worst = earliest.max(by: { $0.z < $1.z }) else { return place }
    place.sequence = worst.place.sequence
    place.step = worst.place.step
    place.layer = configuration.numLayers - 1
    if Set(earliest.map(\.place.direction?.rawValue)).count == 1 {
      place.direction = worst.place.direction
    }
    let together = earliest.filter {
      $0.place.sequence == worst.place.sequence && $0.place.direction == worst.place.direction
    }
    // A projection mixes the units before they can be seen.
    if configuration.projSize == 0 || together.count == 1 && configuration.projSize > 1 {
      place.unit = worst.place.unit
    }
    if off.count == 1 {
      place.remark = "no other element of output is off"
    } else if configuration.projSize == 0 {
      place.gate = gate(of: worst.place, isLastStep: isLastStep(worst.place))
    }
    return place
  }

  /// Whether the step is the last one that the place's direction reads.
  private func isLastStep(_ place: ElementPlace) -> Bool {
    place.direction == .reverse
      ? place.step == 0 : place.step == contract.length(of: place.sequence) - 1
  }

  /// The gate that is wrong, as far as the cell state tells it, which is known after the last
  /// step only: where the cell state is right and h is not, the output gate is left.
  private func gate(of place: ElementPlace, isLastStep: Bool) -> String? {
    guard let cells = evidence.outputs["c_n"], isLastStep else { return nil }
    let layer = place.layer ?? configuration.numLayers - 1
    let row = configuration.stateRow(layer: layer, place.direction ?? .forward)
    let offset =
      (row * contract.layout.batch + place.sequence) * configuration.hiddenSize + place.unit
    guard offset < cells.count else { return nil }
    return excess(of: "c_n")[offset] == 0 ? "o" : nil
  }

  /// The place of a difference that only the final states show.
  private func state(_ worst: Deviation, among off: [Deviation]) -> FaultPlace {
    var place = FaultPlace()
    place.sequence = worst.place.sequence
    place.layer = worst.place.layer
    place.direction = worst.place.direction
    if configuration.projSize == 0 || worst.tensor == "c_n" { place.unit = worst.place.unit }
    // An element that is off alone may have been changed afterwards.
    if configuration.module.isCell, off.count > 1 {
      place.gate = gate(of: worst.place, isLastStep: true)
    } else {
      let tensors = Set(off.map(\.tensor)).sorted().joined(separator: " and ")
      place.remark = off.count == 1 ? "only this element of \(worst.tensor)" : "only \(tensors)"
    }
    return place
  }
}
