package import RecurrentModel
import RoundingNoise
import TensorCore

/// Tells errors that follow from one number being off, such as a factor on the weights or on the
/// cell state of every step, from those of rounding, which follow no such thing.
///
/// ```swift
/// SystematicErrors(chain).best(explaining: outputs, exact: exact)
/// // a factor of 0.999 on c at every step explains 0.98 of the squared differences
/// ```
package struct SystematicErrors {
  private let chain: Chain

  package init(_ chain: Chain) { self.chain = chain }

  /// One number that is off, and how much of the differences that explains.
  package struct Explanation: Sendable {
    /// What is off, with the number: "c times 0.999 at every step".
    package let text: String
    /// The share of the squared differences that it explains, from 0 to 1.
    package let share: Double
  }

  /// The number that explains most of the differences between `outputs` and `exact`; nil where none
  /// explains any.
  ///
  /// - Parameter sigma: what each difference of a tensor is divided by; nil to divide by nothing.
  /// - Complexity: O(two forward passes in doubles) for each of some ten numbers.
  package func best(
    explaining outputs: Results, exact: Results,
    inUnitsOf sigma: (String) -> [Double]? = { _ in nil }
  ) -> Explanation? {
    let given = Self.vector(outputs, exact, sigma)
    let squares = Self.product(given, given)
    guard squares > 0, squares.isFinite else { return nil }
    func share(_ kind: Kind, _ amount: Double) -> (share: Double, slope: Double) {
      guard let moved = results(kind, amount) else { return (0, 0) }
      let direction = Self.vector(moved, exact, sigma)
      let own = Self.product(direction, direction)
      let common = Self.product(given, direction)
      guard own > 0, own.isFinite, common.isFinite else { return (0, 0) }
      return (common / squares * (common / own), common / own)
    }
    let candidates = Kind.allCases.compactMap { kind -> Explanation? in
      let small = share(kind, Self.step)
      guard small.share > 0 else { return nil }
      // Far from the right results, they do not move in proportion.
      let amount = Self.step * small.slope
      let whole = abs(amount) < 0.5 ? share(kind, amount) : (share: 0, slope: 0)
      return Explanation(
        text: kind.text(amount * (whole.share > small.share ? whole.slope : 1)),
        share: max(small.share, whole.share))
    }
    return candidates.max { $0.share < $1.share }
  }

  /// Fewer differences than this could follow anything by chance.
  package static let leastCount = 16

  /// How much is changed at first: enough for the results to move by far more than doubles round,
  /// and so little that they move in proportion.
  private static let step = 0x1p-12

  /// The finite differences, each in units of its σ.
  private static func vector(
    _ outputs: Results, _ exact: Results, _ sigma: (String) -> [Double]?
  ) -> [Double] {
    outputs.named.flatMap { name, tensor -> [Double] in
      guard let right = exact[name], right.shape == tensor.shape else { return [] }
      let sigma = sigma(name)
      return (0..<right.count).map { place in
        let difference = (tensor.double(at: place) - right.double(at: place)) / (sigma?[place] ?? 1)
        return difference.isFinite ? difference : 0
      }
    }
  }

  private static func product(_ a: [Double], _ b: [Double]) -> Double {
    zip(a, b).reduce(0) { $0 + $1.0 * $1.1 }
  }
}

extension SystematicErrors {
  /// A number that can be off in every recurrent module of a chain.
  private enum Kind: String, CaseIterable {
    case weightIH = "weight_ih"
    case weightHH = "weight_hh"
    case biases
    case biasShift
    case input
    case cell
    case hidden
    case sigmoid
    case sigmoidShift
    case tanh

    /// - Parameter amount: by how much it is off.
    func text(_ amount: Double) -> String {
      func short(_ number: Double, _ digits: Double) -> String {
        "\((number * digits).rounded() / digits)"
      }
      let digits = 10 / max(1e-12, abs(amount))
      let scale = [10.0, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8].first { $0 >= digits } ?? 1e9
      let (factor, shift) = (short(1 + amount, scale), short(amount, scale))
      return switch self {
      case .weightIH, .weightHH: "\(rawValue) times \(factor)"
      case .biases: "the biases times \(factor)"
      case .biasShift: "\(shift) added to every bias"
      case .input: "the input times \(factor)"
      case .cell: "c times \(factor) at every step"
      case .hidden: "h times \(factor) at every step"
      case .sigmoid: "σ times \(factor)"
      case .sigmoidShift: "\(shift) added to σ"
      case .tanh: "tanh times \(factor)"
      }
    }
  }

  /// What the chain gives with a number off; nil where it has no such number.
  private func results(_ kind: Kind, _ amount: Double) -> Results? {
    var variant = ChainVariant(chain)
    switch kind {
    case .weightIH, .weightHH, .biases, .biasShift:
      let roles: [ParameterSpecification.Role] =
        switch kind {
        case .weightIH: [.weightIH]
        case .weightHH: [.weightHH]
        default: [.biasIH, .biasHH]
        }
      for (place, module) in chain.modules.enumerated() {
        guard case .recurrent(let configuration, let stateDict, let select) = module.layer else {
          continue
        }
        let changed = configuration.parameters.reduce(into: [String: Tensor]()) { tensors, own in
          let elements: [Double] = stateDict.tensors[own.name]?.elements() ?? []
          let isChanged = roles.contains(own.role)
          tensors[own.name] = Tensor(
            // Of the two biases one is enough.
            elements.map {
              guard isChanged else { return $0 }
              return kind == .biasShift
                ? own.role == .biasIH ? $0 + amount : $0 : $0 * (1 + amount)
            }, shape: own.shape)
        }
        guard let stateDict = try? StateDict(changed, checkedAgainst: configuration),
          (try? variant.replaceLayer(
            at: place, by: .recurrent(configuration, stateDict, select: select))) != nil
        else { return nil }
      }
    case .input:
      let input = chain.input
      guard input.tensor.elementType.isFloatingPoint else { return nil }
      let elements: [Double] = input.tensor.elements()
      let scaled = Tensor(elements.map { $0 * (1 + amount) }, shape: input.tensor.shape)
      guard
        (try? variant.setInput(
          ChainInput(scaled, h0: input.h0, c0: input.c0, packing: input.packing))) != nil
      else { return nil }
    case .cell, .hidden, .sigmoid, .sigmoidShift, .tanh:
      for place in variant.modules.indices {
        switch kind {
        case .cell: variant.modules[place].scan.step.offsets.cell = amount
        case .hidden: variant.modules[place].scan.step.offsets.hidden = amount
        case .sigmoid: variant.modules[place].scan.step.offsets.sigmoid = amount
        case .sigmoidShift: variant.modules[place].scan.step.offsets.sigmoidShift = amount
        default: variant.modules[place].scan.step.offsets.tanh = amount
        }
      }
    }
    return try? variant.exactResults()
  }
}
