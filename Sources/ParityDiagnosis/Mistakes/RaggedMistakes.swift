import ParityJudging
import RecurrentModel
import TensorCore

/// Sequences of different lengths.
enum RaggedMistakes {
  static let ofInput: [Mistake] = [
    Mistake(
      "padding-run-through", with: "the padding run through as if it were input",
      "pack the batch: a sequence ends at its own length",
      by: ["a padded batch without pack_padded_sequence"]
    ) { replay throws(NotApplicable) in
      let longest = try replay.requireRagged()
      replay.unpack(longest, masks: false)
    },
    Mistake(
      "padding-masked-after", with: "the padding run through, and set to 0 in output afterwards",
      "a sequence's final state is at its own length, and its reverse direction starts there",
      by: ["a mask on output in place of packing"]
    ) { replay throws(NotApplicable) in
      let longest = try replay.requireRagged()
      replay.unpack(longest, masks: true)
    },
    Mistake(
      "padding-read-first", with: "the reverse direction starting in the padding",
      "the reverse direction starts at each sequence's own last step",
      by: ["flipping a padded batch along T"]
    ) { replay throws(NotApplicable) in
      try replay.requireTwoDirections()
      _ = try replay.requireRagged()
      try replay.setReverseReading(.fromPadding)
    },
  ]

  static let ofResults: [Mistake] = [
    Mistake(
      "state-at-padded-step", with: "the final state taken from step T-1 of output",
      "a sequence shorter than T ends at its own last step: output[b, lengths[b]-1]",
      by: ["output[:, -1] of a ragged batch"]
    ) { replay throws(NotApplicable) in
      let longest = try replay.requireRagged()
      replay.takeState(of: .forward) { _, _ in longest - 1 }
    },
    Mistake(
      "batch-left-sorted", with: "the sequences in the order of falling lengths",
      "pack_padded_sequence(enforce_sorted=False) puts results back in the batch's order",
      mixesSequences: true
    ) { replay throws(NotApplicable) in
      let order = try replay.requireUnsorted()
      let (layout, rows) = (replay.input.outputLayout, replay.configuration.stateRows)
      replay.move { outputs in
        outputs.mappingStates { $0.takingSequences(order, rows: rows) }
          .with(
            output: outputs.output.map {
              $0.vectors(layout, to: layout) { (order[$0], $1) }
            })
      }
    },
    Mistake(
      "states-left-sorted", with: "the final states in the order of falling lengths",
      "the final states have the batch's order, as output has", mixesSequences: true
    ) { replay throws(NotApplicable) in
      let order = try replay.requireUnsorted()
      let rows = replay.configuration.stateRows
      replay.move { $0.mappingStates { $0.takingSequences(order, rows: rows) } }
    },
  ]
}

extension Replay {
  /// - Returns: the sequences by falling lengths.
  fileprivate func requireUnsorted() throws(NotApplicable) -> [Int] {
    _ = try requireRagged()
    let lengths = input.packing?.lengths ?? []
    let order = lengths.indices.sorted { (lengths[$1], $0) < (lengths[$0], $1) }
    try require(
      order != Array(lengths.indices), "the lengths fall already",
      needs: "lengths that do not fall")
    return order
  }

  /// - Parameter masks: whether `output`'s padding is set to 0.
  fileprivate mutating func unpack(_ longest: Int, masks: Bool) {
    let given = input
    let steps = given.layout.with(steps: longest)
    let tensor = given.input.vectors(given.layout, to: steps) { ($0, $1) }
      .rounded(to: given.input.elementType)
    setInput(tensor, h0: given.h0, c0: given.c0, packing: nil)
    move { outputs, _, quantity in
      // Zeros are exact, and judged.
      let filler = if case .isJudged = quantity { 1.0 } else { 0.0 }
      return outputs.with(
        output: outputs.output.map { output in
          output.vectors(steps, to: given.outputLayout, filler: filler) { sequence, step in
            step < (masks ? given.length(of: sequence) : longest) ? (sequence, step) : nil
          }
        })
    }
  }
}
