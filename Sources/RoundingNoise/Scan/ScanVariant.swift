/// How one recurrent module goes through its steps: as PyTorch does, which is what a new variant
/// says, or with something in a step, or in the order of the steps, done otherwise.
///
/// ```swift
/// var scan = ScanVariant()
/// scan.resetsBeforeProduct = true  // GRU as in Keras' reset_after=False
/// ```
///
/// It holds only what cannot be had in a simpler way. A mistake that amounts to other parameters,
/// inputs or arguments, or to results in other places, is made with these: see `ChainVariant`.
package struct ScanVariant: Sendable, Equatable {
  // MARK: A step

  /// GRU's n is tanh(W_in x + b_in + W_hn (r ⊙ h) + b_hn), as before cuDNN and in Keras'
  /// `reset_after=False`.
  package var resetsBeforeProduct = false
  /// GRU's b_hn is 0 at the first step that each direction reads.
  package var skipsFirstHiddenBias = false
  /// 1 is added to the sum of LSTM's forget gate.
  package var addsOneToForget = false
  /// LSTM's h' is o ⊙ c', without tanh.
  package var leavesCellLinear = false
  /// LSTM and GRU have slope · x + ½, cut off at 0 and 1, in place of the sigmoid; nil for the
  /// sigmoid.
  package var hardSigmoidSlope: Double?
  /// LSTM and GRU have ReLU in place of tanh.
  package var activatesByReLU = false
  /// tanh x is computed as 2σ(2x) − 1, with σ(2x) in float32.
  package var makesTanhFromSigmoid = false

  // MARK: The order of the steps

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

  /// What becomes of the steps between a sequence's end and that of the longest sequence.
  package enum Padding: Sendable, Equatable {
    /// They are not read, as in PyTorch.
    case skipped
    /// They are read as if they were input.
    ///
    /// - Parameter end: how many steps the longest sequence of the batch has.
    case read(end: Int)
    /// The same, but `output` is set to 0 there afterwards.
    ///
    /// - Parameter end: how many steps the longest sequence of the batch has.
    case readAndMasked(end: Int)
  }

  package var padding = Padding.skipped

  /// Whether `output` is the first layer's, in place of the last layer's.
  package var returnsFirstLayer = false

  package init() {}
}
