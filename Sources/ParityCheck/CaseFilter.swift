import ArgumentParser

/// `--filter`: a regular expression that a part of a case's name must match.
struct CaseFilter {
  private let pattern: Regex<AnyRegexOutput>?

  init(_ text: String?) throws {
    do {
      pattern = try text.map { try Regex($0) }
    } catch {
      throw ValidationError("--filter: expected a regular expression, found '\(text ?? "")'.")
    }
  }

  func matches(_ name: String) -> Bool {
    guard let pattern else { return true }
    return name.contains(pattern)
  }
}
