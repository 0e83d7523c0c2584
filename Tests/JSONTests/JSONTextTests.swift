import JSON
import Testing

/// Text that is written is read back as the same value.
@Suite struct JSONTextTests {
  @Test(arguments: [
    "", "a\"b\\c", "line\nline\ttab\r\u{1}\u{1F}\u{7F}", "ünïcödé 𝄞 \u{2028}", "/", "\\u0041",
  ])
  func stringsReadBackAsTheyWere(text: String) throws {
    let value = JSONValue.object([text: .array([.string(text), .null, .object([:]), .array([])])])
    #expect(try JSONParser.parse(value.text) == value)
    #expect(try JSONParser.parse(value.compactText) == value)
  }

  @Test func numbersReadBackAsTheyWere() throws {
    let value = JSONValue.array([
      .integer(.max), .integer(.min), .number(0.1), .number(-1e-300), .number(1e300),
      .boolean(false),
    ])
    #expect(try JSONParser.parse(value.text) == value)
    #expect(try JSONParser.parse(value.compactText) == value)
  }

  @Test func compactTextHasNoSpace() {
    let value = JSONValue.object(["b": .array([.integer(1), .integer(2)]), "a": .object([:])])
    #expect(value.compactText == #"{"a":{},"b":[1,2]}"#)
  }
}
