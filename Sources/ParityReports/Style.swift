package import ParityJudging

/// Text for a terminal: colours where they are wanted, and never a control
/// character that came out of a file.
package struct Style: Sendable {
  private let isColored: Bool

  package init(isColored: Bool) { self.isColored = isColored }

  package enum Color: Int, Sendable {
    case red = 31
    case green = 32
    case yellow = 33
    case magenta = 35
  }

  package func colored(_ text: String, _ color: Color) -> String {
    isColored ? "\u{1B}[\(color.rawValue)m\(text)\u{1B}[0m" : text
  }

  package func faint(_ text: String) -> String {
    isColored ? "\u{1B}[2m\(text)\u{1B}[0m" : text
  }

  /// `text` in the colour of a case's status.
  package func status(_ status: CaseStatus, _ text: String) -> String {
    switch status {
    case .passed: colored(text, .green)
    case .failed: colored(text, .red)
    case .invalid, .unreadable: colored(text, .magenta)
    case .inconclusive, .skipped: colored(text, .yellow)
    }
  }

  /// `text` on one line, with control characters written out as escapes.
  package static func printable(_ text: String) -> String {
    var printable = ""
    for scalar in text.unicodeScalars {
      switch scalar.properties.generalCategory {
      case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate:
        printable += "\\u{\(String(scalar.value, radix: 16))}"
      default:
        printable.unicodeScalars.append(scalar)
      }
    }
    return printable
  }

  /// The width of a column for all of `names`, which come out of files.
  static func width(of names: [String]) -> Int { names.map { printable($0).count }.max() ?? 0 }

  /// `text` at the left of a column of `width` characters. What is longer is not cut.
  package static func padded(_ text: String, to width: Int) -> String {
    text + String(repeating: " ", count: max(0, width - text.count))
  }

  /// `text` at the right of a column of `width` characters. What is longer is not cut.
  package static func aligned(_ text: String, to width: Int) -> String {
    String(repeating: " ", count: max(0, width - text.count)) + text
  }
}
