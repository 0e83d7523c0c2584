import ParityJudging
import RecurrentModel
import RoundingNoise
import TensorCore

/// A bug that the audit plants into a case: a known mistake, or a number that is off.
struct Plant: Sendable {
  /// The row of the audit's table that it belongs to: the name of a mistake, or the kind of
  /// number.
  let kind: String
  /// Which one of its kind: the name of a module or of a parameter; empty where the kind says it
  /// all.
  let detail: String
  /// Makes the bug in a replay.
  let change: @Sendable (inout Replay) throws(NotApplicable) -> Void

  /// What an implementation with this bug would give, stored as the case stores its outputs.
  ///
  /// - Returns: nil where a module of that implementation would refuse what it is handed.
  /// - Throws: `NotApplicable` where the bug cannot show in the chain.
  /// - Complexity: O(one forward pass).
  func results(of chain: Chain) throws(NotApplicable) -> Results? {
    var replay = Replay(chain)
    do throws(NotApplicable) {
      try change(&replay)
    } catch {
      if error.isRefused { return nil }
      throw error
    }
    return (try? replay.results())?.stored(in: chain.arithmetic)
  }

  /// All bugs that can be planted into a chain.
  static func all(in chain: Chain) -> [Plant] { mistakes(in: chain) + numbers(in: chain) }

  /// Every known mistake: those of recurrent modules in all of them at once, and others in each
  /// module of their kind. A mistake for which the chain has no module is planted too, and says
  /// what it needs.
  private static func mistakes(in chain: Chain) -> [Plant] {
    Mistake.all(concerning: chain).flatMap { mistake in
      let places = mistake.places(in: chain)
      func plant(_ modules: [Int], _ detail: String = "") -> Plant {
        Plant(kind: mistake.name, detail: detail) { replay throws(NotApplicable) in
          try mistake.apply(to: &replay, in: modules)
        }
      }
      return mistake.kind == .recurrent || places.isEmpty
        ? [plant(places)] : places.map { plant([$0], chain.modules[$0].name) }
    }
  }

  /// 10 % more and 10 % less in the largest element of each parameter.
  private static func numbers(in chain: Chain) -> [Plant] {
    chain.modules.indices.flatMap { index in
      let module = chain.modules[index]
      return module.parameters.keys.sorted().flatMap { name in
        [1.1, 0.9].map { factor in
          Plant(
            kind: "largest \(module.kind(of: name)) " + (factor > 1 ? "+10%" : "-10%"),
            detail: module.qualified(name)
          ) { replay throws(NotApplicable) in
            try replay.make { replay throws(NotApplicable) in
              replay.turn(to: index)
              try replay.scaleLargest(of: name, by: factor)
            }
          }
        }
      }
    }
  }

  /// Changes as small as rounding, which every case must let pass.
  static func controls(of chain: Chain) -> [Plant] {
    let inDoubles = Plant(kind: "control", detail: "doubles, rounded once") {
      _ throws(NotApplicable) in
    }
    guard chain.firstRecurrent == 0 else { return [inDoubles] }
    return [
      inDoubles,
      Plant(kind: "control", detail: "the sums in another order") { replay throws(NotApplicable) in
        try replay.make { replay throws(NotApplicable) in
          try replay.require(.severalFeatures)
          replay.reverseFeatures()
        }
      },
    ]
  }
}

extension ChainModule {
  /// What a parameter is called whatever its module, layer and direction are: `weight_ih`,
  /// `linear bias`.
  fileprivate func kind(of parameter: String) -> String {
    let role = configuration?.parameters.first { $0.name == parameter }?.role
    return role?.rawValue ?? "\(className.lowercased()) \(parameter)"
  }
}

extension Results {
  /// The results in the type in which modules of this arithmetic return them.
  func stored(in arithmetic: Arithmetic) -> Results {
    mapping { $1.rounded(to: arithmetic.storage) }
  }
}

extension Replay {
  /// Multiplies the largest element of a parameter that the input reaches.
  ///
  /// - Throws: `NotApplicable` where there is none that is not 0.
  fileprivate mutating func scaleLargest(
    of name: String, by factor: Double
  ) throws(NotApplicable) {
    func scaled(_ tensor: Tensor, among isSeen: (Int) -> Bool = { _ in true })
      throws(NotApplicable) -> Tensor
    {
      let offsets = (0..<tensor.count).filter {
        isSeen($0) && tensor.double(at: $0) != 0 && tensor.double(at: $0).isFinite
      }
      let largest = offsets.max { abs(tensor.double(at: $0)) < abs(tensor.double(at: $1)) }
      guard let largest else {
        throw NotApplicable(needs: "parameters other than 0")
      }
      return tensor.mapping { $0 == largest ? $1 * factor : $1 }.rounded(to: tensor.elementType)
    }
    switch layer {
    case .embedding(let weight, let padding):
      let rows = Set((chain.input.tensor.integers ?? []).map { Int($0) })
      let size = max(1, weight.shape.axes[1])
      try setLayer(
        .embedding(weight: scaled(weight) { rows.contains($0 / size) }, paddingIdx: padding))
    case .linear(let weight, let bias):
      let changed = try bias.map { bias throws(NotApplicable) in
        try name == "bias" ? scaled(bias) : bias
      }
      try setLayer(
        .linear(weight: name == "weight" ? scaled(weight) : weight, bias: changed))
    case .recurrent:
      guard let parameter = configuration.parameters.first(where: { $0.name == name }) else {
        return
      }
      if parameter.role == .weightHH { try require(.hiddenStates) }
      let changed = try scaled(tensor(parameter))
      changeParameters { $1.name == name ? changed : nil }
    case .directionMerge, .softmax, .logSoftmax: break
    }
  }

  /// Puts the features of the input, and the first layer's columns for them, in reverse order, so
  /// that the same terms are summed in another order.
  fileprivate mutating func reverseFeatures() {
    let last = chain.input.tensor.shape.rank - 1
    let order = Array((0..<configuration.inputSize).reversed())
    changeParameters { current, parameter in
      parameter.role == .weightIH && parameter.layer == 0
        ? current.tensor(parameter).selecting(order, along: 1) : nil
    }
    setInput(chain.input.tensor.selecting(order, along: last), h0: h0, c0: c0)
  }
}
