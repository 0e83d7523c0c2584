import RecurrentModel
import RoundingNoise
import TensorCore

/// Mistakes with packed sequences of different lengths.
enum RaggedMistakes {
  /// Mistakes in which steps are read.
  static let ofInput: [Mistake] = [
    Mistake(
      "padding-run-through", with: "the padding run through as if it were input",
      "pack the batch: a sequence ends at its own length",
      by: ["a padded batch without pack_padded_sequence"], needs: [.ragged, .unchangedPadding]
    ) { $0.scan.padding = .read(end: $0.longest) },
    Mistake(
      "padding-masked-after", with: "the padding run through, and set to 0 in output afterwards",
      "a sequence's final state is at its own length, and its reverse direction starts there",
      by: ["a mask on output in place of packing"], needs: [.ragged, .unchangedPadding]
    ) { $0.scan.padding = .readAndMasked(end: $0.longest) },
    Mistake(
      "padding-read-first", with: "the reverse direction starting in the padding",
      "the reverse direction starts at each sequence's own last step",
      by: ["flipping a padded batch along T"],
      needs: [.twoDirections, .ragged, .unchangedReverseReading]
    ) { $0.scan.reverseReading = .fromPadding(end: $0.longest) },
  ]

  /// Mistakes in where the results stand.
  static let ofResults: [Mistake] = [
    Mistake(
      "state-at-padded-step", with: "the final state taken from step T-1 of output",
      "a sequence shorter than T ends at its own last step: output[b, lengths[b]-1]",
      by: ["output[:, -1] of a ragged batch"], needs: [.ragged]
    ) { replay in
      let longest = replay.longest
      replay.takeState(of: .forward) { _, _ in longest - 1 }
    },
    leftSorted(
      "batch-left-sorted", with: "the sequences in the order of falling lengths",
      "pack_padded_sequence(enforce_sorted=False) puts results back in the batch's order",
      isWhole: true),
    leftSorted(
      "states-left-sorted", with: "the final states in the order of falling lengths",
      "the final states have the batch's order, as output has", isWhole: false),
  ]

  private static func leftSorted(
    _ name: String, with summary: String, _ advice: String, isWhole: Bool
  ) -> Mistake {
    Mistake(
      name, with: summary, advice, needs: [.ragged, .unsorted], mixesSequences: true
    ) { replay in
      let order = replay.sequencesByLength
      replay.move(mixingSequences: true) { outputs, contract in
        outputs.takingSequences(order, contract, isWhole: isWhole)
      }
    }
  }
}
