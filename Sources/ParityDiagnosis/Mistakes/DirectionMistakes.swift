import RecurrentModel
import RoundingNoise
import TensorCore

/// Two directions that are taken for each other, or a reverse direction that is misunderstood.
enum DirectionMistakes {
  /// Mistakes in what the directions compute.
  static let ofParameters: [Mistake] = [
    Mistake(
      "direction-parameters-swapped", with: "the parameters of the two directions exchanged",
      "the parameters that end in _reverse are the reverse direction's", needs: [.twoDirections]
    ) { replay in
      replay.changeParameters { current, parameter in
        current.tensor(like: parameter, parameter.direction == .forward ? .reverse : .forward)
      }
    },
    Mistake(
      "reverse-shares-forward-parameters",
      with: "the forward direction's parameters in both directions",
      "load the parameters that end in _reverse into the reverse direction",
      needs: [.twoDirections], isOfEachParameter: true
    ) { replay in
      replay.changeParameters { current, parameter in current.tensor(like: parameter, .forward) }
    },
    Mistake(
      "forward-shares-reverse-parameters",
      with: "the reverse direction's parameters in both directions",
      "load the parameters without _reverse into the forward direction",
      needs: [.twoDirections], isOfEachParameter: true
    ) { replay in
      replay.changeParameters { current, parameter in current.tensor(like: parameter, .reverse) }
    },
    Mistake(
      "reads-backwards", with: "the sequence read backwards, from its last step to its first",
      "one direction reads from the first step to the last",
      by: ["Keras' go_backwards=True"],
      needs: [StateMistakes.oneDirection, .severalSteps, .unchangedForwardReading]
    ) { $0.scan.forwardReading = .fromLastStep },
    Mistake(
      "reads-backwards-left",
      with: "the sequence read backwards, and output in the order in which it was read",
      "one direction reads from the first step to the last",
      by: ["Keras' go_backwards=True"],
      needs: [StateMistakes.oneDirection, .severalSteps, .unchangedForwardReading]
    ) { $0.scan.forwardReading = .fromLastStepNotFlippedBack },
    Mistake(
      "reverse-reads-forward", with: "the reverse direction reading from the first step",
      "the reverse direction reads each sequence from its last step to its first",
      needs: [.twoDirections, .severalSteps, .unchangedReverseReading]
    ) { $0.scan.reverseReading = .fromFirstStep },
    Mistake(
      "reverse-not-flipped-back",
      with: "the reverse direction's results in the order in which it read",
      "put them back in the sequence's order: output[:, t, H:] belongs to step t",
      by: ["flip, run, and no flip back", "Keras' go_backwards=True"],
      needs: [.twoDirections, .severalSteps]
    ) { $0.scan.flipsReverseBack = false },
  ]

  /// Mistakes in where their results stand.
  static let ofResults: [Mistake] =
    [
      Mistake(
        "output-halves-swapped", with: "the halves of output exchanged",
        "output[..., :H] is the forward direction's and output[..., H:] the reverse's",
        needs: [.twoDirections, .sequences]
      ) { replay in
        replay.move { outputs, _ in outputs.with(output: outputs.output?.halvesExchanged) }
      },
      Mistake(
        "final-states-directions-swapped",
        with: "each layer's directions exchanged in the final states",
        "h_n[2·layer] is the forward direction's and h_n[2·layer + 1] the reverse's",
        needs: [.twoDirections, .sequences]
      ) { $0.moveStates($0.configuration.directionsExchanged) },
      Mistake(
        "reverse-state-at-last-step",
        with: "the reverse direction's final state taken from the last step of output",
        "the reverse direction ends at the first step: h_n[-1] is output[:, 0, H:]",
        by: ["output[:, -1] taken for both directions"], issue: "pytorch/pytorch#3587",
        needs: [.twoDirections, .severalSteps]
      ) { replay in
        replay.takeState(of: .reverse) { $0.length(of: $1) - 1 }
      },
      Mistake(
        "output-halves-interleaved",
        with: "the halves of output interleaved, unit by unit",
        "output[..., :H] is the forward direction's and output[..., H:] the reverse's",
        needs: [.twoDirections, .sequences, .severalUnits]
      ) { replay in
        replay.move(takingVectorsApart: true) { outputs, _ in
          outputs.with(
            output: outputs.output.map { output in
              let features = output.shape.axes.last ?? 1
              return output.gathering(
                (0..<output.count).map { offset in
                  let (row, place) = offset.quotientAndRemainder(dividingBy: features)
                  return row * features + place % 2 * (features / 2) + place / 2
                }, shape: output.shape)
            })
        }
      },
    ] + [.sum, .ave, .mul].map(merge)

  private static func merge(_ mode: ChainModule.MergeMode) -> Mistake {
    let summary =
      switch mode {
      case .concat: "the two directions side by side"
      case .sum: "the two directions added"
      case .ave: "the two directions averaged"
      case .mul: "the two directions multiplied"
      }
    return Mistake(
      "merge-\(mode.rawValue)", with: summary,
      "PyTorch's output has them side by side, as Keras' merge_mode='concat'; a DirectionMerge "
        + "joins them as the case says",
      by: ["Keras' Bidirectional(merge_mode='\(mode.rawValue)')"],
      needs: [.twoDirections, .notMerged(by: mode)]
    ) { replay throws(NotApplicable) in
      try replay.merge(mode)
    }
  }
}
