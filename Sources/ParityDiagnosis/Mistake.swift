import RecurrentModel
import TensorCore

/// A known way to get a recurrent layer, or what stands around one, wrong, as data.
///
/// A new one is one more element of a list under `Mistakes/`: diagnosis tries it in every
/// module of its kind, and the audit plants it.
package struct Mistake: Sendable {
  /// For people to search for and for programs to tell apart: `gates-iofg`.
  package let name: String
  /// What was done, as it stands behind "with": "the gates in the order i, o, f, g".
  package let summary: String
  /// One sentence on what PyTorch does instead, and so what to change.
  package let advice: String
  /// Frameworks or habits that do it so; empty where none is known for it.
  package let origins: [String]
  /// A public issue about it, `owner/repository#number`.
  package let evidence: String?
  /// In which kind of module it is made.
  let kind: ModuleKind
  /// What that module must have, and what is around it.
  let needs: [Requirement]
  /// Whether a sequence's results then depend on others of its batch.
  let mixesSequences: Bool
  /// How much of a failing side's difference may be left where this explains it: what is
  /// left is rounding, which is less than half of what can be seen.
  let largestResidual: Double
  /// Arithmetic whose declaration would make it no mistake.
  let undeclared: Arithmetic?
  private let change: @Sendable (inout Replay) throws(NotApplicable) -> Void

  init(
    _ name: String, with summary: String, _ advice: String, by origins: [String] = [],
    evidence: String? = nil, in kind: ModuleKind = .recurrent, needs: [Requirement] = [],
    mixesSequences: Bool = false, largestResidual: Double = 0.5, undeclared: Arithmetic? = nil,
    _ change: @escaping @Sendable (inout Replay) throws(NotApplicable) -> Void
  ) {
    self.name = name
    self.summary = summary
    self.advice = advice
    self.origins = origins
    self.evidence = evidence
    self.kind = kind
    self.needs = needs
    self.mixesSequences = mixesSequences
    self.largestResidual = largestResidual
    self.undeclared = undeclared
    self.change = change
  }

  /// Makes it in each of some modules of the replay's chain that can show it.
  ///
  /// - Throws: `NotApplicable` where none can.
  package func apply(to replay: inout Replay, in modules: [Int]) throws(NotApplicable) {
    var obstacle: NotApplicable?
    var isMade = false
    for module in modules {
      var changed = replay
      changed.turn(to: module)
      do throws(NotApplicable) {
        for need in needs { try changed.require(need) }
        try change(&changed)
        replay = changed
        isMade = true
      } catch {
        obstacle = obstacle ?? error
      }
    }
    if !isMade { throw obstacle ?? noModule }
  }

  /// Where a chain has no module of its kind.
  private var noModule: NotApplicable {
    NotApplicable(needs: kind == .recurrent ? "a recurrent module" : needs.first?.need ?? "")
  }

  /// Whether a recurrent module by itself can't show it.
  var isOfChains: Bool { kind != .recurrent || needs.contains(where: \.isOfChains) }

  /// In the order in which a computation goes through them, the common ones first: where
  /// two explain a failure equally, the earlier is named first.
  package static let all: [Mistake] =
    ChainMistakes.all + WeightMistakes.all + GateMistakes.all + BiasMistakes.all
    + StepMistakes.all + DirectionMistakes.ofParameters + LayerMistakes.ofParameters
    + InputMistakes.all + RaggedMistakes.ofInput + PrecisionMistakes.all
    + LayerMistakes.ofResults + DirectionMistakes.ofResults + RaggedMistakes.ofResults
    + ResultMistakes.all

  /// Its place in `all`.
  var rank: Int { Self.ranks[name] ?? 0 }

  /// By name.
  static let ranks = Dictionary(
    all.enumerated().map { ($1.name, $0) }, uniquingKeysWith: { first, _ in first })
}

/// The kinds of modules that mistakes are made in.
enum ModuleKind: Sendable {
  case recurrent
  case embedding
  case linear
  case softmax

  /// nil for a module that no mistake is made in by itself.
  init?(of module: ChainModule) {
    switch module.layer {
    case .recurrent: self = .recurrent
    case .embedding: self = .embedding
    case .linear: self = .linear
    case .softmax, .logSoftmax: self = .softmax
    case .directionMerge: return nil
    }
  }
}

/// A mistake, and the modules of a chain in which it is made.
struct PlacedMistake: Sendable {
  let mistake: Mistake
  /// At least one.
  let modules: [Int]

  /// All that can be got wrong in a chain. Whoever gets a recurrent module wrong gets all of
  /// them wrong, or one of several.
  ///
  /// - Parameter suspects: the modules in which one by itself may be.
  static func all(in chain: Chain, suspects: ClosedRange<Int>) -> [PlacedMistake] {
    Mistake.all(concerning: chain).flatMap { mistake in
      let places = mistake.places(in: chain)
      let each = places.filter(suspects.contains).map {
        PlacedMistake(mistake: mistake, modules: [$0])
      }
      return mistake.kind == .recurrent && places.count > 1
        ? [PlacedMistake(mistake: mistake, modules: places)] + each : each
    }
  }

  /// Whether it is in one recurrent module and shows without the modules around it.
  var isOfOneRecurrentModule: Bool {
    !mistake.isOfChains && modules.count == 1
  }
}

extension Mistake {
  /// Those that may be looked for: a recurrent module by itself has nothing around it.
  static func all(concerning chain: Chain) -> [Mistake] {
    all.filter { !$0.isOfChains || !chain.isSingleModule }
  }

  func places(in chain: Chain) -> [Int] {
    chain.modules.indices.filter { ModuleKind(of: chain.modules[$0]) == kind }
  }
}
