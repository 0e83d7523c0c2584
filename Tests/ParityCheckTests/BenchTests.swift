import Foundation
import Testing

/// `parity-check bench`: that it measures, and which shapes. How fast is not tested.
@Suite struct BenchTests {
  @Test func benchMeasures() throws {
    let names = try Tool("bench", "--list").lines
    #expect(names.count == 19 && names.contains("lstm-1024-1024-1-64-50"))
    let run = try Tool("bench", "--shape", "^gru-5-6", "--seconds", "0", "--json")
    let result = try #require(
      try JSONSerialization.jsonObject(with: Data(run.output.utf8)) as? [String: Any])
    #expect(result["shape"] as? String == "gru-5-6-1-1-4")
    for key in ["seconds", "gigaflops", "peakGigaflops", "boundGigaflops"] {
      #expect((result[key] as? Double ?? 0) > 0, "\(key)")
    }
    #expect(try Tool("bench", "--shape", "^rnn-128", "--seconds", "0").lines.count == 3)
    let own = try Tool("bench", "--shape", "gru-3-5-2-7-4-ragged-float64", "--seconds", "0")
    #expect(own.lines.last?.hasPrefix("gru-3-5-2-7-4-ragged-float64 ") == true)
    for unknown in ["nothing", "lstm-0-5-1-1-1", "lstm-1-5-1-1", "lstm-1-5-1-1-1-odd"] {
      #expect(try Tool("bench", "--shape", unknown).status == 2, "\(unknown)")
    }
  }
}
