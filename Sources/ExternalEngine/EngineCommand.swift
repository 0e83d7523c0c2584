package import RecurrentModel

/// A command line that starts a user's program: for each case, or once for many.
///
/// ```swift
/// let command = try EngineCommand(parsing: "python3 'my engine.py' {case} {out}")
/// let server = try EngineCommand(parsing: "python3 'my engine.py'", as: .server)
/// ```
///
/// No shell runs it. Words are separated by blanks, and quotes and backslashes keep them
/// together as they do in a shell; variables, pipes and patterns mean nothing.
package struct EngineCommand: Sendable, Equatable {
  /// What stands for the path of the case.
  package static let casePlaceholder = "{case}"
  /// What stands for the path to write the outputs to, which has no ending.
  package static let outputPlaceholder = "{out}"

  /// How the program is given its cases. The raw value is the option that says so.
  package enum Kind: String, Sendable {
    /// In its arguments, a process for each case.
    case process = "--engine"
    /// Line by line on its standard input, as long as it runs.
    case server = "--engine-server"
  }

  let kind: Kind
  /// The program and its arguments, with the placeholders in them.
  let words: [String]

  /// - Throws: `InvalidValue` where a quote is not closed, where a placeholder is missing, and
  ///   where a server's command has one or no word at all.
  package init(parsing text: String, as kind: Kind = .process) throws(InvalidValue) {
    self.kind = kind
    words = try Self.words(of: text, kind)
    let isServer = kind == .server
    if isServer, words.isEmpty {
      throw InvalidValue(kind.rawValue, expected: "a command", found: text)
    }
    for placeholder in [Self.casePlaceholder, Self.outputPlaceholder]
    where words.contains(where: { $0.contains(placeholder) }) == isServer {
      throw InvalidValue(
        kind.rawValue,
        expected: "a command \(isServer ? "without" : "with") \(placeholder)", found: text)
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

  private static func words(of text: String, _ kind: Kind) throws(InvalidValue) -> [String] {
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
      throw InvalidValue(kind.rawValue, expected: "a closing \(quote)", found: text)
    }
    if let word { words.append(word) }
    return words
  }
}
