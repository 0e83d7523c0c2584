package import RecurrentModel

/// A command line that is run for each case.
///
/// ```swift
/// let command = try EngineCommand(parsing: "python3 'my engine.py' {case} {out}")
/// ```
///
/// No shell runs it. Words are separated by blanks, and quotes and backslashes keep them
/// together as they do in a shell; variables, pipes and patterns mean nothing.
package struct EngineCommand: Sendable, Equatable {
  /// What stands for the path of the case.
  package static let casePlaceholder = "{case}"
  /// What stands for the path to write the outputs to, which has no ending.
  package static let outputPlaceholder = "{out}"

  /// The program and its arguments, with the placeholders in them.
  let words: [String]

  /// - Throws: `InvalidValue` where a quote is not closed, or a placeholder is missing.
  package init(parsing text: String) throws(InvalidValue) {
    words = try Self.words(of: text)
    for placeholder in [Self.casePlaceholder, Self.outputPlaceholder]
    where !words.contains(where: { $0.contains(placeholder) }) {
      throw InvalidValue("--engine", expected: "a command with \(placeholder)", found: text)
    }
  }

  /// The program and its arguments for one case.
  func words(case path: String, output: String) -> [String] {
    words.map { word in
      // The path of the case comes last, so that no placeholder is looked for in it.
      word.split(separator: Self.casePlaceholder, omittingEmptySubsequences: false)
        .map { $0.replacing(Self.outputPlaceholder, with: output) }.joined(separator: path)
    }
  }

  private static func words(of text: String) throws(InvalidValue) -> [String] {
    var words: [String] = []
    var word: String?
    var quote: Character?
    var characters = text.makeIterator()
    while let character = characters.next() {
      switch (character, quote) {
      case ("\\", nil), ("\\", "\""):
        word = (word ?? "") + (characters.next().map { String($0) } ?? "\\")
      case ("'", nil), ("\"", nil):
        (quote, word) = (character, word ?? "")
      case (let end, let open?) where end == open:
        quote = nil
      case (let blank, nil) where blank.isWhitespace:
        if let word { words.append(word) }
        word = nil
      default:
        word = (word ?? "") + String(character)
      }
    }
    if let quote {
      throw InvalidValue("--engine", expected: "a closing \(quote)", found: text)
    }
    if let word { words.append(word) }
    return words
  }
}
