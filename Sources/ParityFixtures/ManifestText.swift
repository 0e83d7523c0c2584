import JSON
import RecurrentModel

extension JSONValue {
  /// The value that the text of a manifest stands for.
  ///
  /// - Throws: `InvalidValue`, with line and column, where the text is no JSON.
  static func manifest(_ text: String) throws(InvalidValue) -> JSONValue {
    do {
      return try JSONParser.parse(text)
    } catch {
      throw InvalidValue(
        "manifest, \(error.place)", expected: error.expected, found: error.found)
    }
  }
}
