import RecurrentModel
import RoundingNoise
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
      try replay.setPadding(.read(end: longest))
    },
    Mistake(
      "padding-masked-after", with: "the padding run through, and set to 0 in output afterwards",
      "a sequence's final state is at its own length, and its reverse direction starts there",
      by: ["a mask on output in place of packing"]
    ) { replay throws(NotApplicable) in
      let longest = try replay.requireRagged()
      try replay.setPadding(.readAndMasked(end: longest))
    },
    Mistake(
      "padding-read-first", with: "the reverse direction starting in the padding",
      "the reverse direction starts at each sequence's own last step",
      by: ["flipping a padded batch along T"]
    ) { replay throws(NotApplicable) in
      try replay.requireTwoDirections()
      let longest = try replay.requireRagged()
      try replay.setReverseReading(.fromPadding(end: longest))
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
      replay.move(mixingSequences: true) { outputs, contract in
        outputs.takingSequences(order, contract, isWhole: true)
      }
    },
    Mistake(
      "states-left-sorted", with: "the final states in the order of falling lengths",
      "the final states have the batch's order, as output has", mixesSequences: true
    ) { replay throws(NotApplicable) in
      let order = try replay.requireUnsorted()
      replay.move(mixingSequences: true) { outputs, contract in
        outputs.takingSequences(order, contract, isWhole: false)
      }
    },
  ]
}

extension Replay {
  /// - Returns: the sequences by falling lengths.
  fileprivate func requireUnsorted() throws(NotApplicable) -> [Int] {
    _ = try requireRagged()
    let lengths = packing?.lengths ?? []
    let order = lengths.indices.sorted { (lengths[$1], $0) < (lengths[$0], $1) }
    try require(
      order != Array(lengths.indices), "the lengths fall already",
      needs: "lengths that do not fall")
    return order
  }
}
