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
    ) { $0.scan.padding = .read(end: $0.longest, isMasked: true) },
    Mistake(
      "padding-read-first", with: "the reverse direction starting in the padding",
      "the reverse direction starts at each sequence's own last step",
      by: ["flipping a padded batch along T"],
      needs: [.twoDirections, .ragged, .unchangedReverseReading]
    ) { $0.scan.reverseReading = .fromPadding(end: $0.longest) },
    unmasked(
      "padding-read-first-unmasked",
      "the reverse direction starting in the padding, and output left unmasked there",
      needs: [.twoDirections], isMasked: false, .stops),
    unmasked(
      "padding-read-first-masked-at-end",
      "the reverse direction of every layer starting in the padding, and output masked after the "
        + "last layer alone",
      needs: [.twoDirections, .severalLayers], isMasked: true, .stops),
    unmasked(
      "padding-read-states-at-end",
      "the padding run through and left in output, the reverse direction starting in it, with the "
        + "forward direction's final states taken at each sequence's own end",
      needs: [.twoDirections], isMasked: false, .endsStates),
    unmasked(
      "output-unmasked",
      "output left unmasked: the forward direction goes on through the padding",
      needs: [], isMasked: false, .goesOnAlone),
    Mistake(
      "padded-axis-flipped-unmasked",
      with: "the whole padded axis flipped for the reverse direction, which reads as many steps as "
        + "the sequence has, and is flipped back over the padded axis",
      "flip each sequence within its own length",
      needs: [.twoDirections, .ragged, .unchangedPadding]
    ) {
      $0.scan.padding = .read(end: $0.longest, forward: .stops)
      $0.scan.reverseReading = .paddingForSequence(end: $0.longest)
    },
    Mistake(
      "padded-axis-flipped",
      with: "the whole padded axis flipped for the reverse direction, of which it reads as many "
        + "steps as the sequence has",
      "flip each sequence within its own length",
      needs: [.twoDirections, .ragged, .unchangedPadding]
    ) { $0.scan.reverseReading = .paddingForSequence(end: $0.longest) },
    lengths("lengths-one-less", "ending one step early", -1, needs: .packed),
    lengths("lengths-one-more", "ending one step late, beyond its length", 1, needs: .ragged),
    Mistake(
      "padding-in-front-moved-back", with: "the padding in front of each sequence, and not masked",
      "the padding is behind a sequence, and is not read", by: ["left-padding"],
      needs: [.ragged, .unchangedPadding]
    ) { $0.scan.padding = .inFront(end: $0.longest, isMovedBack: true) },
    Mistake(
      "padding-in-front",
      with: "the padding in front of each sequence, not masked, and output left on that axis",
      "the padding is behind a sequence, and is not read", by: ["left-padding"],
      needs: [.ragged, .unchangedPadding]
    ) { $0.scan.padding = .inFront(end: $0.longest, isMovedBack: false) },
    Mistake(
      "zeros-behind", with: "{n} more steps of zeros behind the sequence, which are run through",
      "the final states are those after the last step of the input",
      by: ["buffers of a fixed length"], needs: [.noPacking, .sequences, .stepsInOutput],
      amounts: { replay, _ in
        let own = replay.layout.steps
        let buffers = [8, 10, 16, 20, 25, 32, 50, 64, 100, 128].map { ($0 - own % $0) % $0 }
        var seen = Set([0])
        return (Array(1...16) + buffers).filter { seen.insert($0).inserted }.map(Double.init)
      },
      { replay, count in replay.scan.padding = .zerosBehind(Int(count)) }),
  ]

  private static func unmasked(
    _ name: String, _ summary: String, needs: [Requirement], isMasked: Bool,
    _ forward: ScanVariant.Forward
  ) -> Mistake {
    Mistake(
      name, with: summary,
      "a sequence ends at its own length: the reverse direction starts there, and output is 0 "
        + "behind it",
      needs: needs + [.ragged, .unchangedPadding]
    ) { $0.scan.padding = .read(end: $0.longest, isMasked: isMasked, forward: forward) }
  }

  private static func lengths(
    _ name: String, _ how: String, _ difference: Int, needs need: Requirement
  ) -> Mistake {
    Mistake(
      name, with: "each sequence \(how)", "a sequence has as many steps as lengths says",
      needs: [need, .severalSteps, .unchangedPadding]
    ) { $0.scan.padding = .lengthOff(by: difference, end: $0.longest) }
  }

  /// Mistakes in where the results stand.
  static let ofResults: [Mistake] = [
    Mistake(
      "last-step-for-h-n",
      with: "h_n taken from the last step of output, output[:, -1], in both directions",
      "the forward direction ends at a sequence's own last step, and the reverse at step 0",
      issue: "pytorch/pytorch#3587", needs: [.twoDirections, .severalSteps]
    ) { replay in
      let longest = replay.longest
      for direction in Direction.allCases {
        replay.takeState(of: direction) { _, _ in longest - 1 }
      }
    },
    Mistake(
      "last-output-repeated", with: "the last output repeated in the padding",
      "output is 0 behind a sequence's own length", by: ["Keras' masking"], needs: [.ragged]
    ) { replay in
      replay.move { outputs, contract in
        outputs.movingSteps(contract) { sequence, step in
          min(step, contract.length(of: sequence) - 1)
        }
      }
    },
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
