package import RecurrentModel

/// A command line to run for each case, as in `python3 mine.py {case} {out}`.
///
/// There is no shell: words are separated by blanks, and quotes and backslashes keep them
/// together as they do in a shell.
package struct EngineCommand: Sendable, Equatable {
  /// Stands for the path of the case.
  package static let casePlaceholder = "{case}"
  /// Stands for the path to write the outputs to, without an ending.
  package static let outputPlaceholder = "{out}"

  /// At least one.
  let words: [String]

  /// - Throws: `InvalidValue` where a quote is open at the end, there is no word, or a
  ///   placeholder is missing.
  package init(parsing text: String) throws(InvalidValue) {
    words = try Self.words(of: text)
    for placeholder in [Self.casePlaceholder, Self.outputPlaceholder]
    where !words.contains(where: { $0.contains(placeholder) }) {
      throw InvalidValue("--engine", expected: "a command with \(placeholder)", found: text)
    }
  }

  /// The words for one case.
  func words(case path: String, output: String) -> [String] {
    words.map { word in
      // What stands in the path itself is no placeholder.
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
