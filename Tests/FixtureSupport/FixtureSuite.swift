package import ParityFixtures
import RecurrentModel
import TestSupport

/// The fixtures of the repository's catalogue, loaded once.
package enum FixtureSuite {
  package static let locations = Discovery(paths: [Repository.fixtures]).cases.filter {
    Repository.catalogue.contains($0.name)
  }
  package static let all: [ParityCase] = locations.compactMap { try? ParityCase.load($0) }
  /// One recurrent module by itself each.
  package static let modules = all.filter(\.isSingleModule)
  /// Several modules with parameters each.
  package static let chains = all.filter { !$0.isSingleModule && $0.chain != nil }
  /// Modules that compare numbers with weights, and so must see a planted bug.
  package static let comparing = modules.filter { blind[$0.location.name] == nil }
  /// The other modules, each with the reason.
  package static let blind = [
    "article-printed": "no parameters", "article-printed-input": "expected to fail as it is",
    "gru-layout-only": "no parameters", "gru-zero-batch": "no number",
    "lstm-zero-batch": "no number",
  ]

  /// - Throws: `CaseError` where there is none, or it can't be loaded.
  package static func named(_ name: String) throws -> ParityCase {
    try ParityCase.load(
      locations.first { $0.name == name } ?? CaseLocation(name: name, path: name))
  }
}
