import ParityFixtures
import RecurrentModel
import TensorCore
import TestSupport

@testable import ParityJudging

/// The repository's fixtures, loaded once.
enum FixtureSuite {
  static let locations = Discovery(paths: [Repository.fixtures]).cases
  static let cases: [ParityCase] = locations.compactMap { try? ParityCase.load($0) }
  static let chains: [SequentialCase] = locations.compactMap {
    if case .sequential(let chain) = try? LoadedCase.load($0) { chain } else { nil }
  }
  /// Those that compare numbers with weights, and so must see a planted bug.
  static let comparing = cases.filter { blind[$0.location.name] == nil }
  /// The others, each with the reason.
  static let blind = [
    "article-printed": "no parameters", "article-printed-input": "expected to fail as it is",
    "gru-layout-only": "no parameters", "gru-zero-batch": "no number",
    "lstm-zero-batch": "no number",
  ]

  static func named(_ name: String) throws -> ParityCase {
    try ParityCase.load(
      locations.first { $0.name == name } ?? CaseLocation(name: name, path: name))
  }
}

extension FixtureSuite {
  static func chain(_ name: String) throws -> SequentialCase {
    guard let chain = chains.first(where: { $0.location.name == name }) else {
      throw CaseError.invalid(
        path: name, InvalidValue("module", expected: "a chain of this name", found: "none"))
    }
    return chain
  }
}

extension ParityCase {
  /// The case with another `state_dict`.
  func with(parameters: [String: Tensor]) throws -> ParityCase {
    guard let call else { return self }
    return with(
      call: call.with(
        stateDict: try StateDict(parameters, checkedAgainst: call.configuration)))
  }
}

extension Tensor {
  /// The tensor with its elements changed.
  func changing(_ change: (inout [Double]) -> Void) -> Tensor {
    var elements = elements(as: Double.self)
    change(&elements)
    return Tensor(elements, shape: shape).rounded(to: elementType)
  }
}
