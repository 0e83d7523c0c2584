extension JSONValue {
  /// The value as JSON text, indented by two spaces a level. Keys are sorted, so that the same
  /// value always gives the same text.
  package var text: String { text(indent: "") }

  /// The same text in one line, without a space between the values.
  package var compactText: String { text(indent: nil) }

  /// - Parameter indent: what stands before a line; nil for no lines.
  private func text(indent: String?) -> String {
    let inner = indent.map { $0 + "  " }
    func block(_ open: String, _ items: [String], _ close: String) -> String {
      guard let indent, let inner, !items.isEmpty else {
        return open + items.joined(separator: ",") + close
      }
      let lines = items.map { inner + $0 }.joined(separator: ",\n")
      return "\(open)\n\(lines)\n\(indent)\(close)"
    }
    return switch self {
    case .null: "null"
    case .boolean(let value): "\(value)"
    case .integer(let value): "\(value)"
    case .number(let value): "\(value)"
    case .string(let value): Self.quoted(value)
    case .array(let values):
      block("[", values.map { $0.text(indent: inner) }, "]")
    case .object(let values):
      block(
        "{",
        values.sorted { $0.key < $1.key }.map {
          Self.quoted($0.key) + (indent == nil ? ":" : ": ") + $0.value.text(indent: inner)
        }, "}")
    }
  }

  private static func quoted(_ text: String) -> String {
    let characters = text.unicodeScalars.map { scalar in
      switch scalar {
      case "\"": "\\\""
      case "\\": "\\\\"
      case "\n": "\\n"
      case "\0"..."\u{1F}":
        "\\u" + String(repeating: "0", count: scalar.value < 16 ? 3 : 2)
          + String(scalar.value, radix: 16)
      default: String(scalar)
      }
    }
    return "\"\(characters.joined())\""
  }
}
