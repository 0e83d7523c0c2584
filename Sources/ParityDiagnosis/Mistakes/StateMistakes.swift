import RecurrentModel
import RoundingNoise

/// States that are not carried from where they were made to where they are needed.
enum StateMistakes {
  static let all: [Mistake] = notCarried + StreamMistakes.all + resets + starts + shown

  private static let notCarried: [Mistake] = [
    Mistake(
      "state-never-carried", with: "every step starting from a state of zeros",
      "the state after a step is carried to the next one",
      by: ["a stream that is fed one step at a time without its state"],
      issue: "tracel-ai/burn#2701", needs: [.severalSteps, .unchangedStates]
    ) { $0.scan.states.reset = .always },
    Mistake(
      "state-restarted-at-every-step", with: "every step starting again from h_0 (and c_0)",
      "the state after a step is carried to the next one",
      by: ["a stream that is fed one step at a time with the state that it began with"],
      needs: [.severalSteps, .initialStates, .unchangedStates]
    ) {
      $0.scan.states.reset = .always
      $0.scan.states.resetsToInitial = true
    },
    lost("h", "c", isHidden: true),
    lost("c", "h", isHidden: false),
  ]

  private static func lost(_ name: String, _ other: String, isHidden: Bool) -> Mistake {
    Mistake(
      "\(name)-never-carried",
      with: "\(name) set to 0 before every step but the first: only \(other) is carried",
      "an LSTM carries both h and c from step to step",
      needs: [.lstm, .severalSteps, .unchangedStates]
    ) { replay in
      replay.scan.states.reset = .always
      replay.scan.states.resetsHidden = isHidden
      replay.scan.states.resetsCell = !isHidden
    }
  }

  private static let resets: [Mistake] = [
    Mistake(
      "state-reset-in-chunks", with: "every chunk of {n} steps starting from a state of zeros",
      "hand h_n (and c_n) of a chunk to the next one as h_0 (and c_0)",
      by: ["streams that are run chunk by chunk"], needs: [.severalSteps],
      amounts: { replay, clues in Self.chunkSizes(replay.longest, replay, clues) },
      { replay, size in replay.scan.states.reset = .chunks(Int(size)) }),
    Mistake(
      "state-restarted-in-chunks",
      with: "every chunk of {n} steps starting again from h_0 (and c_0)",
      "hand h_n (and c_n) of a chunk to the next one as h_0 (and c_0)",
      by: ["streams that are run chunk by chunk"], needs: [.severalSteps, .initialStates],
      amounts: { replay, clues in Self.chunkSizes(replay.longest, replay, clues) },
      { replay, size in
        replay.scan.states.reset = .chunks(Int(size))
        replay.scan.states.resetsToInitial = true
      }),
    Mistake(
      "state-reset-while-reading",
      with: "the state of each direction set to 0 after every {n} steps that it has read",
      "the state after a step is carried to the next one", needs: [.severalSteps, .twoDirections],
      amounts: { replay, clues in Self.chunkSizes(replay.longest, replay, clues) },
      { replay, size in replay.scan.states.reset = .whileReading(Int(size)) }),
    Mistake(
      "state-reset-at", with: "the state set to 0 before step {n}, started anew there",
      "the state after a step is carried to the next one",
      needs: [.severalSteps, oneDirection],
      amounts: { replay, clues in
        guard replay.longest > 2 else { return [] }
        if let first = clues.firstWrongStep, first > 1 { return [Double(first)] }
        return ([replay.longest / 2] + Array(2..<min(replay.longest, 9))).map(Double.init)
      },
      { replay, step in replay.scan.states.reset = .once(Int(step)) }),
  ]

  /// The sizes of chunks that are worth trying. In one direction, what is wrong starts with the
  /// second chunk; else small ones, round ones and halves.
  private static func chunkSizes(_ steps: Int, _ replay: Replay, _ clues: Clues) -> [Double] {
    let sizes = 2..<max(2, steps)
    // Where it starts with the first step, another mistake may have been made too.
    if let first = clues.firstWrongStep, sizes.contains(first), !replay.configuration.bidirectional
    {
      return [Double(first)]
    }
    let round = [
      30, 32, 40, 48, 50, 60, 64, 80, 96, 100, 120, 128, 150, 160, 192, 200, 240, 250, 256, 300,
      320, 400, 480, 500, 512, 640, 800, 1000, 1024,
    ]
    let halves = [steps / 2, (steps + 1) / 2, steps / 3, steps / 4]
    let all = [clues.firstWrongStep].compactMap(\.self) + halves + Array(2...24) + round
    var seen = Set<Int>()
    return all.filter { sizes.contains($0) && seen.insert($0).inserted }.map(Double.init)
  }

  private static let starts: [Mistake] = [
    Mistake(
      "sequence-starts-where-previous-ended",
      with: "each sequence starting from the state that the one before it in the batch ended with",
      "every sequence of a batch starts from its own row of h_0, or from zeros",
      issue: "alibaba/MNN#1573",
      needs: [.unchangedStates, InitialStateMistakes.severalSequences],
      mixesSequences: true
    ) { $0.scan.states.start = .previousSequence },
    Mistake(
      "layer-starts-where-below-ended",
      with: "each layer starting from the state that the layer below ended with",
      "every layer starts from its own row of h_0, or from zeros",
      needs: [.severalLayers, .sequences, .unchangedStates]
    ) { $0.scan.states.start = .layerBelow },
    Mistake(
      "reverse-starts-where-forward-ended",
      with: "the reverse direction starting from the state that the forward one ended with",
      "every direction starts from its own row of h_0, or from zeros",
      needs: [.twoDirections, .sequences, .unchangedStates]
    ) { $0.scan.states.start = .forwardDirection },
  ]

  private static let shown: [Mistake] = [
    Mistake(
      "cell-returned-for-h", with: "c in the place of h in output",
      "output holds h at every step; the cell state c is returned for the last step alone, as c_n",
      needs: [.lstm, .stepsInOutput, .noProjection, .unchangedShown]
    ) { $0.scan.shown = .cell },
    Mistake(
      "cell-handed-up",
      with: "c in the place of h in output, and in what a layer hands to the next",
      "output, and what the next layer reads, is h",
      needs: [.lstm, .noProjection, .severalLayers, .unchangedShown]
    ) { $0.scan.shown = .cellOfEveryLayer },
    Mistake(
      "output-before-step",
      with: "output a step late: each step holds the state before it, as h_0 at the first",
      "output[t] is the state after step t",
      needs: [.severalSteps, .unchangedTiming]
    ) { $0.scan.timing = .nextRead },
    Mistake(
      "output-step-late",
      with: "output a step late, shifted along its axis, with zeros at the first",
      "output[t] is the state after step t", needs: [.severalSteps, .unchangedTiming]
    ) { $0.scan.timing = .later(by: 1) },
    Mistake(
      "output-step-early", with: "output a step early, with zeros at the last",
      "output[t] is the state after step t", needs: [.severalSteps, .unchangedTiming]
    ) { $0.scan.timing = .later(by: -1) },
  ]

  static let oneDirection = Requirement("one direction") { !$0.configuration.bidirectional }
}
