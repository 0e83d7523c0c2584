import JSON
import Testing

@Suite struct JSONParserTests {
  @Test func readsEveryKindOfValue() throws {
    let value = try JSONParser.parse(
      #" {"a": [1, -2.5e3, true, null], "b": {"c": "d\"\\\u00e9\ud83d\ude00\n"}, "": ""} "#)
    #expect(
      value
        == .object([
          "a": .array([.integer(1), .number(-2500), .boolean(true), .null]),
          "b": .object(["c": .string("d\"\\é😀\n")]), "": .string(""),
        ]))
    #expect(try JSONParser.parse("9223372036854775807") == .integer(.max))
    #expect(try JSONParser.parse("9223372036854775808") == .number(0x1p63))
  }

  @Test(arguments: [
    "", "{", "[1,]", "{\"a\": 1,}", "{\"a\" 1}", "{a: 1}", "[1 2]", "01", "+1", "1.", ".5", "1e",
    "-",
    "NaN", "Infinity", "1e400", "truth", "'a'", "\"a", "\"\\x\"", "\"\\u12g4\"", "\"\\ud800\"",
    "\"\\udc00\"", "\"a\nb\"", "1 2", "{} {}", "\u{FEFF}{}", "\"\\u12", "[", "{\"a\":", "\"\\",
  ])
  func refusesWhatIsNoJSON(text: String) {
    #expect(throws: JSONError.self) { try JSONParser.parse(text) }
  }

  @Test func saysWhere() {
    let error = #expect(throws: JSONError.self) {
      try JSONParser.parse("{\n  \"a\": nonsense\n}")
    }
    #expect(error?.place == "line 2, column 8")
    #expect(error?.found == "'nonsense'")
  }

  @Test func aKeyThatStandsTwiceIsAnError() {
    let error = #expect(throws: JSONError.self) {
      try JSONParser.parse(#"{"a": 1, "b": {"c": 2, "\u0063": 3}}"#)
    }
    #expect(error?.place == "line 1, column 24")
    #expect(error?.expected == "every key once")
  }

  @Test func deepNestingIsAnErrorAndQuick() {
    let deep = String(repeating: "[", count: 100_000)
    #expect(throws: JSONError.self) { try JSONParser.parse(deep) }
    let wide = "[" + Array(repeating: "{}", count: 100_000).joined(separator: ",") + "]"
    #expect(throws: Never.self) { try JSONParser.parse(wide) }
  }
}
