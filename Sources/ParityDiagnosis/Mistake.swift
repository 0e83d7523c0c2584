import RecurrentModel
import RoundingNoise
import TensorCore

/// A known way to get a recurrent module wrong, or what stands around one, as data: what it is
/// called, what it needs to show, and how it changes a replay.
///
/// ```swift
/// Mistake(
///   "cell-output-linear", with: "h' = o ⊙ c', without tanh", "PyTorch's h' = o ⊙ tanh(c')",
///   needs: [.lstm]
/// ) { $0.scan.step.cellOutput = .linear }
/// ```
///
/// A new one is one more element of a list under `Mistakes/`. Diagnosis then tries it in every
/// module of its kind, and the audit plants it, without another line.
///
/// It does not say where it was made: a mistake together with the modules that it is made in is a
/// `PlacedMistake`.
package struct Mistake: Sendable {
  /// A name for people to search for and for programs to tell mistakes apart: `gates-iofg`.
  package let name: String
  /// What was done, as it stands behind "with": "the gates in the order i, o, f, g".
  package let summary: String
  /// What PyTorch does instead, and so what to change, as a sentence.
  package let advice: String
  /// Frameworks or habits that do it; empty where none is known.
  package let origins: [String]
  /// A public issue about it: `owner/repository#number`.
  package let issue: String?
  /// The kind of module that it is made in.
  let kind: ModuleKind
  /// What that module, its input, or the modules around it must have for the mistake to show.
  let needs: [Requirement]
  /// Whether the results of a sequence then depend on others of its batch, so that the mistake
  /// can be tried on the whole batch only.
  let mixesSequences: Bool
  /// Whether it can be made in one kind of parameter alone, such as `weight_hh`, and is the same
  /// mistake then.
  let isOfEachParameter: Bool
  /// The largest share of a failing side's difference that may be left where this mistake
  /// explains it. What is left is rounding, which is less than half of any difference that can be
  /// seen.
  let largestResidual: Double
  /// What `largestResidual` is of a mistake that is known but for details, so that it does not
  /// reproduce the failing side within rounding. Where it leaves no more than this, over many
  /// numbers, it is named all the same.
  static let largestOfEstimates = 0.4
  /// The arithmetic that would make it no mistake, once it is declared; nil for most.
  let undeclared: Arithmetic?
  /// The way of storing weights that would make it no mistake, once it is stated; nil for most.
  let storage: WeightStorage?
  /// The numbers that a case must hold for it to be more than rounding, where these are rare:
  /// "results of 10⁻⁴ and smaller". nil for most. A set of cases need not have them.
  let numbers: String?
  /// The numbers that it may have been made with, the likeliest first, where it has one: the 4 of
  /// "every chunk of 4 steps". nil for a mistake without a number.
  let amounts: (@Sendable (Replay, Clues) -> [Double])?
  private let change: @Sendable (inout Replay, _ amount: Double) throws(NotApplicable) -> Void

  /// - Parameters:
  ///   - name: what it is called, such as `gates-iofg`.
  ///   - summary: what was done, as it stands behind "with".
  ///   - advice: what PyTorch does instead, as a sentence.
  ///   - origins: frameworks or habits that do it.
  ///   - evidence: a public issue about it, `owner/repository#number`.
  ///   - kind: the kind of module that it is made in.
  ///   - needs: what the case must have for it to show.
  ///   - mixesSequences: whether a sequence's results then depend on others of its batch.
  ///   - isOfEachParameter: whether it can be made in one kind of parameter alone.
  ///   - largestResidual: the largest share of the difference that may be left where it explains
  ///     a failure.
  ///   - undeclared: the arithmetic that would make it no mistake, once it is declared.
  ///   - storage: the way of storing weights that would.
  ///   - numbers: what a case must hold for it to be more than rounding, where that is rare.
  ///   - change: makes it in the module that the replay is turned to. It is called only where all
  ///     needs are met.
  init(
    _ name: String, with summary: String, _ advice: String, by origins: [String] = [],
    issue: String? = nil, in kind: ModuleKind = .recurrent, needs: [Requirement] = [],
    mixesSequences: Bool = false, isOfEachParameter: Bool = false, largestResidual: Double = 0.5,
    undeclared: Arithmetic? = nil, storage: WeightStorage? = nil,
    numbers: String? = nil,
    _ change: @escaping @Sendable (inout Replay) throws(NotApplicable) -> Void
  ) {
    self.name = name
    self.summary = summary
    self.advice = advice
    self.origins = origins
    self.issue = issue
    self.kind = kind
    self.needs = needs
    self.mixesSequences = mixesSequences
    self.isOfEachParameter = isOfEachParameter
    self.largestResidual = largestResidual
    self.undeclared = undeclared
    self.storage = storage
    self.numbers = numbers
    amounts = nil
    self.change = { replay, _ throws(NotApplicable) in try change(&replay) }
  }

  /// A mistake that has a number.
  ///
  /// - Parameters:
  ///   - summary: what was done, with `{n}` where the number stands.
  ///   - storage: the way of storing weights that would make it no mistake where it is made with
  ///     the likeliest number.
  ///   - amounts: the numbers to try, the likeliest first.
  init(
    _ name: String, with summary: String, _ advice: String, by origins: [String] = [],
    issue: String? = nil, needs: [Requirement] = [], storage: WeightStorage? = nil,
    amounts: @escaping @Sendable (Replay, Clues) -> [Double],
    _ change: @escaping @Sendable (inout Replay, _ amount: Double) throws(NotApplicable) -> Void
  ) {
    self.name = name
    self.summary = summary
    self.advice = advice
    self.origins = origins
    self.issue = issue
    kind = .recurrent
    self.needs = needs
    mixesSequences = false
    isOfEachParameter = false
    largestResidual = 0.5
    undeclared = nil
    self.storage = storage
    numbers = nil
    self.amounts = amounts
    self.change = change
  }

  /// Makes the mistake in each of some modules of the replay's chain, passing over those that
  /// cannot show it.
  ///
  /// - Parameters:
  ///   - modules: places in the chain.
  ///   - scope: the parameters in which alone it is made; a mistake that is not one of parameters,
  ///     or that the scope leaves whole, cannot show so.
  ///   - amount: the number that it is made with, where it has one; nil for the likeliest.
  /// - Throws: `NotApplicable` where none of them can show it.
  func apply(
    to replay: inout Replay, in modules: [Int], scope: ParameterScope = .all,
    amount: Double? = nil
  ) throws(NotApplicable) {
    try replay.make { replay throws(NotApplicable) in
      try applyOnce(to: &replay, in: modules, scope: scope, amount: amount)
    }
  }

  private func applyOnce(
    to replay: inout Replay, in modules: [Int], scope: ParameterScope, amount: Double?
  ) throws(NotApplicable) {
    var obstacle: NotApplicable?
    var isMade = false
    for module in modules {
      var changed = replay
      changed.turn(to: module, in: scope)
      do throws(NotApplicable) {
        for need in needs { try changed.require(need) }
        guard let amount = amount ?? amounts.map({ $0(changed, Clues()).first }) ?? 0 else {
          throw NotApplicable(needs: "more steps")
        }
        let formulas = kind == .recurrent ? changed.scan : ScanVariant()
        try change(&changed, amount)
        if kind == .recurrent { try changed.confineFormulas(insteadOf: formulas) }
        guard scope.isAll || changed.narrowing.changes && changed.narrowing.keeps else {
          throw NotApplicable(needs: "parameters of which some are changed")
        }
        replay = changed
        isMade = true
      } catch {
        obstacle = obstacle ?? error
      }
    }
    if !isMade { throw obstacle ?? noModule }
  }

  /// The reason where a chain has no module of its kind.
  private var noModule: NotApplicable {
    NotApplicable(needs: kind == .recurrent ? "a recurrent module" : needs.first?.need ?? "")
  }

  /// Whether only a chain of several modules can show it, and a recurrent module by itself
  /// cannot.
  var isOfChains: Bool { kind != .recurrent || needs.contains(where: \.isOfChains) }

  /// All known mistakes, in the order in which a computation goes through what they change,
  /// common ones before rare ones. Where two explain a failure equally well, the earlier is named
  /// first.
  package static let all: [Mistake] =
    ChainMistakes.all + WeightMistakes.all + GateMistakes.all + BiasMistakes.all
    + FormulaMistakes.all + StepMistakes.all + DirectionMistakes.ofParameters
    + LayerMistakes.ofParameters + InputMistakes.all + InitialStateMistakes.all
    + StateMistakes.all + RaggedMistakes.ofInput + ApproximationMistakes.all
    + PrecisionMistakes.all + LayerMistakes.ofResults + DirectionMistakes.ofResults
    + RaggedMistakes.ofResults + ResultMistakes.all

  /// Whether it is known but for details, as `largestOfEstimates` says.
  var isEstimate: Bool { largestResidual == Self.largestOfEstimates }

  /// The mistake's place in `all`.
  var rank: Int { Self.ranks[name] ?? 0 }

  /// The place in `all` of each mistake, by its name.
  static let ranks = Dictionary(
    all.enumerated().map { ($1.name, $0) }, uniquingKeysWith: { first, _ in first })
}

/// The kinds of modules that mistakes are made in.
enum ModuleKind: Sendable {
  case recurrent
  case embedding
  case linear
  case softmax

  /// - Returns: nil for a module that no mistake is made in by itself.
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
  /// Places in the chain, at least one.
  let modules: [Int]
  /// The parameters of these modules in which it is made.
  var scope = ParameterScope.all
  /// The number that it is made with, where it has one.
  var amount: Double?

  /// All that can have been got wrong in a chain: each mistake in each module of its kind, and
  /// those of recurrent modules in all recurrent modules together, since somebody who gets one
  /// wrong mostly gets all of them wrong.
  ///
  /// - Parameter suspects: the modules in which a mistake may have been made alone.
  static func all(in chain: Chain, suspects: ClosedRange<Int>) -> [PlacedMistake] {
    Mistake.all(concerning: chain).filter { $0.amounts == nil }.flatMap { mistake in
      let places = mistake.places(in: chain)
      let each = places.filter(suspects.contains).map {
        PlacedMistake(mistake: mistake, modules: [$0])
      }
      return mistake.kind == .recurrent && places.count > 1
        ? [PlacedMistake(mistake: mistake, modules: places)] + each : each
    }
  }

  /// The mistakes of a single module that have a number, each with all of its numbers.
  static func measured(in chain: Chain, _ clues: Clues) -> [PlacedMistake] {
    guard chain.isSingleModule else { return [] }
    let replay = Replay(chain)
    return Mistake.all.flatMap { mistake in
      let isMet = mistake.needs.allSatisfy { $0.isMet(replay) }
      return (isMet ? mistake.amounts?(replay, clues) : nil).map { amounts in
        amounts.map { PlacedMistake(mistake: mistake, modules: [0], amount: $0) }
      } ?? []
    }
  }

  /// The mistake's name, with what it is confined to: `gates-iofg(weight_hh)`; or with its number:
  /// `state-reset-in-chunks(4)`.
  var name: String { mistake.name + (amount.map { "(\($0.short))" } ?? scope.suffix) }

  /// What was done, as it stands behind "with".
  var summary: String {
    mistake.summary.replacing("{n}", with: amount?.short ?? "") + scope.text
  }

  func apply(to replay: inout Replay) throws(NotApplicable) {
    try mistake.apply(to: &replay, in: modules, scope: scope, amount: amount)
  }

  /// Whether nothing is wrong but how accurate the activations are.
  var isOfAccuracy: Bool { mistake.name == PrecisionMistakes.tanhFromSigmoid }

  /// Whether it is made in one recurrent module, and would show in that module by itself.
  var isOfOneRecurrentModule: Bool {
    !mistake.isOfChains && modules.count == 1
  }
}

extension Mistake {
  /// The mistakes that are worth looking for in a chain: where a recurrent module is by itself,
  /// none that concerns the modules around it.
  static func all(concerning chain: Chain) -> [Mistake] {
    all.filter { !$0.isOfChains || !chain.isSingleModule }
  }

  /// The places of the modules of the mistake's kind.
  func places(in chain: Chain) -> [Int] {
    chain.modules.indices.filter { ModuleKind(of: chain.modules[$0]) == kind }
  }
}

extension Double {
  /// The number as people write it: 4, 0.25.
  fileprivate var short: String {
    self == rounded() && magnitude < 1e6 ? "\(Int(self))" : "\(self)"
  }
}
