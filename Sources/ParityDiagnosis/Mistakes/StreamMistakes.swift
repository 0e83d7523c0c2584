/// States that are lost between the chunks of a stream, whatever sizes these have.
enum StreamMistakes {
  static let all: [Mistake] = [
    notHandedOver(
      "states-not-handed-over", with: "every chunk but the first starting from a state of zeros",
      "hand h_n (and c_n) of a chunk to the next one as h_0 (and c_0)", .none,
      by: ["a stream whose module is called without states"]),
    notHandedOver(
      "states-restarted-in-every-chunk",
      with: "every chunk starting again from the h_0 (and c_0) of the first",
      "hand h_n (and c_n) of a chunk to the next one as h_0 (and c_0)", .initial,
      by: ["a stream whose states are not updated"], needs: [.givenInitialStates]),
    notHandedOver(
      "h-not-handed-over", with: "c handed from chunk to chunk, and h starting from 0 in each",
      "an LSTM goes on from both h_n and c_n", .cell, needs: [.lstm]),
    notHandedOver(
      "c-not-handed-over", with: "h handed from chunk to chunk, and c starting from 0 in each",
      "an LSTM goes on from both h_n and c_n", .hidden, needs: [.lstm]),
  ]

  private static func notHandedOver(
    _ name: String, with summary: String, _ advice: String, _ handedOver: HandedOver,
    by origins: [String] = [], needs: [Requirement] = []
  ) -> Mistake {
    Mistake(
      name, with: summary, advice, by: origins,
      needs: [.sequences, .chunks, .unchangedHandingOver] + needs
    ) { $0.handedOver = handedOver }
  }
}
