import TensorArchives
import TensorComparison
import TensorCore
import TestSupport

@testable import ArchiveComparison

/// Two tensors, written and compared as files are.
enum Pair {
  static func compare(
    actual: [String: Tensor], expected: [String: Tensor], ending: String = ".npz",
    _ change: (inout ComparisonRules) -> Void = { _ in }
  ) throws -> [String: TensorResult] {
    let folder = try TemporaryFolder()
    let paths = (folder.path + "/expected" + ending, folder.path + "/actual" + ending)
    try TensorContainer.write(expected, to: paths.0)
    try TensorContainer.write(actual, to: paths.1)
    var rules = ComparisonRules()
    change(&rules)
    let pair = try ArchivePair(
      expected: NamedTensors(try TensorContainer.open(paths.0)),
      actual: NamedTensors(try TensorContainer.open(paths.1)), rules: rules)
    return Dictionary(pair.results().map { ($0.name, $0.result) }, uniquingKeysWith: { $1 })
  }

  /// Two tensors of one shape.
  static func compare(
    _ actual: Tensor, _ expected: Tensor, ending: String = ".npz", _ limits: Limits? = nil
  ) throws -> ComparedTensor {
    let results = try compare(actual: ["a": actual], expected: ["a": expected], ending: ending) {
      $0.byName = limits.map { ["a": $0] } ?? [:]
      $0.isDetailed = true
    }
    guard case .compared(let tensor) = results["a"] else {
      throw NotCompared(results: "\(results)")
    }
    return tensor
  }

  struct NotCompared: Error {
    let results: String
  }
}

extension TensorResult {
  var isMissing: Bool { if case .missing = self { true } else { false } }
  var isExtra: Bool { if case .extra = self { true } else { false } }
  var isUnreadable: Bool { if case .unreadable = self { true } else { false } }
}
