import ArgumentParser

/// A regular expression that a part of a name must match: `--filter` for cases,
/// `--shape` for what is measured.
struct NameFilter {
  private let pattern: Regex<AnyRegexOutput>?

  /// - Parameters:
  ///   - text: nil for all names.
  ///   - option: the option that it is the value of, for the error.
  /// - Throws: `ValidationError` where `text` is no regular expression.
  init(_ text: String?, option: String) throws {
    do {
      pattern = try text.map { try Regex($0) }
    } catch {
      throw ValidationError("\(option): expected a regular expression, found '\(text ?? "")'.")
    }
  }

  /// Whether a part of a name matches.
  func matches(_ name: String) -> Bool { pattern.map { name.contains($0) } ?? true }
}
