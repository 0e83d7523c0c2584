package import RecurrentModel

/// How one recurrent module goes through its steps: as PyTorch does, which is what a new variant
/// says, or with something in a step, or in the order of the steps, done otherwise.
///
/// ```swift
/// var scan = ScanVariant()
/// scan.step.resetsBeforeProduct = true  // GRU as in Keras' reset_after=False
/// ```
///
/// It holds only what cannot be had in a simpler way. A mistake that amounts to other parameters,
/// inputs or arguments, or to results in other places, is made with these: see `ChainVariant`.
package struct ScanVariant: Sendable, Equatable {
  /// The formulas of a step.
  package var step = StepVariant()
  /// The layer in which alone a step has these formulas; nil for every layer.
  package var stepLayer: Int?
  /// The direction in which alone it has them; nil for both.
  package var stepDirection: Direction?
  /// Which states the steps start from.
  package var states = StateVariant()

  // MARK: The order of the steps

  /// In which order a direction reads the steps of a sequence, where that is not PyTorch's.
  package enum ForwardReading: Sendable, Equatable {
    case fromFirstStep
    /// Like the reverse direction.
    case fromLastStep
    /// Like the reverse direction, with the results left in the order of the reading.
    case fromLastStepNotFlippedBack
  }

  package var forwardReading = ForwardReading.fromFirstStep

  /// In which order the reverse direction reads the steps of a sequence.
  package enum ReverseReading: Sendable, Equatable {
    /// From the end of the sequence, as in PyTorch.
    case fromLastStep
    /// From the first step on, like the forward direction.
    case fromFirstStep
    /// From the end of the padding.
    ///
    /// - Parameter end: how many steps the longest sequence of the batch has.
    case fromPadding(end: Int)
    /// From the end of the padding, and only as many steps as the sequence has: its first ones
    /// are not read where there is padding.
    ///
    /// - Parameter end: how many steps the longest sequence of the batch has.
    case paddingForSequence(end: Int)
  }

  package var reverseReading = ReverseReading.fromLastStep
  /// Whether the reverse direction's results are put back in the sequence's order.
  package var flipsReverseBack = true

  /// Which steps of a sequence are run.
  package enum Steps: Sendable {
    case all
    /// The first step that each direction reads is not run: the state stays what it was.
    case firstSkipped
    /// The last step that each direction reads is not run.
    case lastSkipped
    /// The last step that each direction reads is run once more for the final state. `output`
    /// stays the same.
    case lastTwice
  }

  package var steps = Steps.all

  /// What is read beside a sequence's own steps.
  package enum Padding: Sendable, Equatable {
    /// Nothing, as in PyTorch.
    case skipped
    /// The steps between the sequence's end and that of the longest sequence, as if they were
    /// input.
    ///
    /// - Parameters:
    ///   - end: how many steps the longest sequence of the batch has.
    ///   - isMasked: whether `output` is set to 0 there afterwards.
    ///   - forward: what the forward direction does there.
    case read(end: Int, isMasked: Bool = false, forward: Forward = .goesOn)
    /// Zeros before the sequence, as many as there are steps behind it to the end of the longest.
    ///
    /// - Parameters:
    ///   - end: how many steps the longest sequence of the batch has.
    ///   - isMovedBack: whether `output` is put back to where the sequence's steps are, and else
    ///     stands as it is computed.
    case inFront(end: Int, isMovedBack: Bool)
    /// Some steps more than the sequence has, or fewer.
    ///
    /// - Parameter end: how many steps the longest sequence of the batch has.
    case lengthOff(by: Int, end: Int)
    /// This many steps of zeros behind the sequence, which `output` does not show.
    case zerosBehind(Int)
  }

  /// What the forward direction does with the padding, which the reverse one reads.
  package enum Forward: Sendable {
    case goesOn
    /// It goes on, but its final states are those at the sequence's own end.
    case endsStates
    /// The same, and the reverse direction does not read the padding.
    case goesOnAlone
    /// It does not read it, and gives zeros there.
    case stops
  }

  package var padding = Padding.skipped

  /// What `output` holds at each step.
  package enum Shown: Sendable {
    /// The last layer's h.
    case hidden
    /// The first layer's h.
    case firstLayer
    /// The last layer's c.
    case cell
    /// The last layer's c, and each layer hands c on to the next.
    case cellOfEveryLayer
  }

  package var shown = Shown.hidden

  /// At which step `output` holds the state after a step.
  package enum Timing: Sendable, Equatable {
    case own
    /// At the step that the direction reads next, so that each step holds the state from which it
    /// starts.
    case nextRead
    /// So many steps later, along the axis, with zeros where there is no such state.
    case later(by: Int)
  }

  package var timing = Timing.own

  package init() {}

  /// The formulas of a step in a direction of a layer.
  func step(_ layer: Int, _ direction: Direction) -> StepVariant {
    (stepLayer ?? layer) == layer && (stepDirection ?? direction) == direction
      ? step : StepVariant()
  }
}

/// What a step computes, where that is not PyTorch's formula.
package struct StepVariant: Sendable, Equatable {
  /// GRU's n is tanh(W_in x + b_in + W_hn (r ⊙ h) + b_hn), as before cuDNN and in Keras'
  /// `reset_after=False`.
  package var resetsBeforeProduct = false
  /// GRU's b_hn is 0 at the first step that each direction reads.
  package var skipsFirstHiddenBias = false
  /// GRU's r is 1.
  package var ignoresReset = false
  /// What is added to the sum of LSTM's forget gate.
  package var addedToForget = 0.0
  /// LSTM's f is 1 − i.
  package var couplesGates = false
  /// LSTM's c' is cut off at this and at its negative; nil where it is not.
  package var cellClip: Double?
  /// What LSTM multiplies with o.
  package var cellOutput = CellOutput.activated
  /// Each unit's h' is put in the place of its h before the next unit is computed.
  package var updatesInPlace = false
  /// What is normalised to a mean of 0 and a variance of 1.
  package var normalization = Normalization.none
  /// How each vector of the input is rounded to 8-bit integers before the product; nil where it is
  /// not.
  package var inputRounding: Rounding8?
  /// The same of h.
  package var hiddenRounding: Rounding8?
  /// Shares of the old states that are kept, as zoneout does outside of training.
  package var keptOfHidden = 0.0
  package var keptOfCell = 0.0

  /// By how much of themselves numbers are off at every step.
  package var offsets = Offsets()

  /// What stands in the place of the sigmoid; nil for the sigmoid.
  package var sigmoid: ActivationVariant?
  /// What stands in the place of tanh; nil for tanh.
  package var tanh: TanhVariant?

  /// By how much of itself each of these is off: 0.01 for 1 % more.
  package struct Offsets: Sendable, Equatable {
    package var cell = 0.0
    package var hidden = 0.0
    package var sigmoid = 0.0
    /// What is added to every σ.
    package var sigmoidShift = 0.0
    package var tanh = 0.0
  }

  package enum Normalization: Sendable {
    case none
    /// The sums of each gate, over the units.
    case gates
    /// The same, and the cell state that tanh is taken of.
    case gatesAndCell
    /// The sums of all gates together.
    case joined
  }

  /// How vectors are rounded to 8-bit integers.
  package enum Rounding8: Sendable {
    /// From −127 to 127, by their largest absolute value.
    case symmetric
    /// To 128 steps between their least and their largest number, of which 0 is one.
    case range
  }

  package init() {}

  package enum CellOutput: Sendable {
    /// tanh(c'), as in PyTorch.
    case activated
    /// c'.
    case linear
    /// σ(c').
    case squashed
    /// tanh(c), of the c before the step.
    case old
  }

  package enum TanhVariant: Sendable, Equatable {
    /// ReLU, in an LSTM or a GRU.
    case relu
    /// σ, in the candidate: LSTM's g, GRU's n, an RNN's h'.
    case sigmoid
    /// 2σ(2x) − 1, with σ(2x) in float32.
    case fromSigmoid
    case other(ActivationVariant)
  }
}
