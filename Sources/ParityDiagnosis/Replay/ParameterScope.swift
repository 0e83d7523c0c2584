import RecurrentModel

/// Which parameters of a recurrent module a mistake is made in, where it is not made in all that
/// it concerns: those of one kind, one layer or one direction. A mistake in the formulas of a step
/// can be made in one layer or one direction too.
///
/// ```swift
/// ParameterScope(part: .weightHH, layer: 1, direction: .reverse).text
/// // ", in weight_hh of layer 1's reverse direction only"
/// ```
struct ParameterScope: Sendable, Equatable {
  /// nil for every kind.
  var part: Part?
  /// nil for every layer.
  var layer: Int?
  /// nil for both directions.
  var direction: Direction?

  /// Some of the kinds of parameters.
  enum Part: String, CaseIterable {
    case weightIH = "weight_ih"
    case weightHH = "weight_hh"
    case biasIH = "bias_ih"
    case biasHH = "bias_hh"
    case weights
    case biases

    var roles: [ParameterSpecification.Role] {
      switch self {
      case .weightIH: [.weightIH]
      case .weightHH: [.weightHH]
      case .biasIH: [.biasIH]
      case .biasHH: [.biasHH]
      case .weights: [.weightIH, .weightHH]
      case .biases: [.biasIH, .biasHH]
      }
    }
  }

  static let all = ParameterScope()

  var isAll: Bool { self == .all }

  func includes(_ parameter: ParameterSpecification) -> Bool {
    part.map { $0.roles.contains(parameter.role) } ?? true
      && layer.map { $0 == parameter.layer } ?? true
      && direction.map { $0 == parameter.direction } ?? true
  }

  /// What stands behind a mistake's name: `(weight_hh, layer 1, reverse)`; empty for all.
  var suffix: String {
    let parts = [part?.rawValue, layer.map { "layer \($0)" }, direction.map { "\($0)" }]
    return isAll ? "" : "(" + parts.compactMap(\.self).joined(separator: ", ") + ")"
  }

  /// The scope as it stands behind a mistake's summary; empty for all parameters.
  var text: String {
    guard !isAll else { return "" }
    let place: String? =
      switch (layer, direction) {
      case (let layer?, let direction?): "layer \(layer)'s \(direction) direction"
      case (let layer?, nil): "layer \(layer)"
      case (nil, let direction?): "the \(direction) direction"
      case (nil, nil): nil
      }
    guard let part else { return ", in \(place ?? "") only" }
    let article = part == .weights || part == .biases ? "the " : ""
    return ", in \(article)\(part.rawValue)\(place.map { " of " + $0 } ?? "") only"
  }
}

extension PlacedMistake {
  /// The mistakes of a single module, each made in part of the parameters that it concerns, those
  /// first that are made in most.
  ///
  /// - Parameter wrong: the layer and the directions in which something is wrong first; nil where
  ///   that is not known.
  static func scoped(
    in chain: Chain, wrong: (layer: Int, directions: [Direction])?
  ) -> [PlacedMistake] {
    guard chain.isSingleModule, let configuration = chain.modules[0].configuration else {
      return []
    }
    let layers: [Int?] = [nil] + (wrong.map { [$0.layer] } ?? Array(0..<configuration.numLayers))
    let directions: [Direction?] =
      wrong.map { $0.directions.count == 1 ? [nil, $0.directions[0]] : [nil] }
      ?? [nil] + configuration.directions.map(\.self)
    return scoped(
      in: chain, [nil] + ParameterScope.Part.allCases.map(\.self), layers, directions)
  }

  /// The mistakes of a single module, each made in one layer, or in one direction, alone.
  static func inPlaces(of chain: Chain) -> [PlacedMistake] {
    guard chain.isSingleModule, let configuration = chain.modules[0].configuration else {
      return []
    }
    return scoped(
      in: chain, [nil], [nil] + (0..<configuration.numLayers).map(\.self),
      [nil] + configuration.directions.map(\.self))
  }

  private static func scoped(
    in chain: Chain, _ parts: [ParameterScope.Part?], _ layers: [Int?], _ directions: [Direction?]
  ) -> [PlacedMistake] {
    let scopes = directions.flatMap { direction in
      layers.flatMap { layer in
        parts.map { ParameterScope(part: $0, layer: layer, direction: direction) }
      }
    }.filter { !$0.isAll }.sorted { $0.specificity < $1.specificity }
    let mistakes = Mistake.all(concerning: chain).filter {
      $0.kind == .recurrent && $0.amounts == nil
    }
    return scopes.flatMap { scope in
      mistakes.filter { scope.part == nil || $0.isOfEachParameter }.map {
        PlacedMistake(mistake: $0, modules: [0], scope: scope)
      }
    }
  }
}

extension ParameterScope {
  /// How many things it says.
  var specificity: Int {
    (part == nil ? 0 : 1) + (layer == nil ? 0 : 1) + (direction == nil ? 0 : 1)
  }
}
