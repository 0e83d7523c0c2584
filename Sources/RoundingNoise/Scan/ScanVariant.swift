/// How one recurrent module goes about its steps: as PyTorch's, or as somebody's who got a
/// step, or the order of the steps, wrong.
///
/// What can be had by other parameters, inputs or arguments, or by moving results about, is
/// not here: see `ChainVariant`.
package struct ScanVariant: Sendable, Equatable {
  // MARK: A step

  /// GRU's n = tanh(W_in x + b_in + W_hn (r ⊙ h) + b_hn), as before cuDNN and in
  /// Keras' `reset_after=False`.
  package var resetsBeforeProduct = false
  /// GRU's b_hn is 0 at the first step that each direction reads.
  package var skipsFirstHiddenBias = false
  /// 1 is added to the sum of LSTM's forget gate.
  package var addsOneToForget = false
  /// LSTM's h' = o ⊙ c'.
  package var leavesCellLinear = false
  /// In place of the sigmoids of LSTM and GRU: slope · x + ½, cut off at 0 and 1.
  package var hardSigmoidSlope: Double?
  /// In place of the tanh of LSTM and GRU.
  package var activatesByReLU = false
  /// tanh x as 2σ(2x) − 1 in float32.
  package var makesTanhFromSigmoid = false

  // MARK: The order of the steps

  package enum ReverseReading: Sendable, Equatable {
    /// From the end of each sequence.
    case fromLastStep
    /// As the forward direction does.
    case fromFirstStep
    /// From the end of the padding.
    ///
    /// - Parameter end: as many steps as the longest sequence of the batch has.
    case fromPadding(end: Int)
  }

  package var reverseReading = ReverseReading.fromLastStep
  /// Whether the reverse direction's results are put back in the sequence's order.
  package var flipsReverseBack = true

  package enum Steps: Sendable {
    case all
    /// The state stays what it was.
    case firstSkipped
    case lastSkipped
    /// The final state is one step further.
    case lastTwice
  }

  package var steps = Steps.all

  package enum Padding: Sendable, Equatable {
    case skipped
    /// As if it were input.
    ///
    /// - Parameter end: as many steps as the longest sequence of the batch has.
    case read(end: Int)
    /// The same, with its results set to 0 afterwards.
    case readAndMasked(end: Int)
  }

  package var padding = Padding.skipped

  /// Whether `output` is the first layer's.
  package var returnsFirstLayer = false

  package init() {}
}
