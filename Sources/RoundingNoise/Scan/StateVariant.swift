/// Which states the steps of a recurrent module start from, where these are not PyTorch's: the
/// state after the step before, and before the first step the initial one.
package struct StateVariant: Sendable, Equatable {
  /// At which steps a direction forgets what the steps before have made.
  package enum Reset: Sendable, Equatable {
    case never
    /// At every step but the first that is read.
    case always
    /// Where the module is called on this many steps at a time: at the start of each chunk, which
    /// for the reverse direction is the end of it. The chunk that stands first has the initial
    /// state.
    case chunks(Int)
    /// After every so many steps that a direction has read.
    case whileReading(Int)
    /// Before this step alone.
    case once(Int)
  }

  package var reset = Reset.never
  /// Whether a reset puts the initial state in the place of the carried one, and not zeros.
  package var resetsToInitial = false
  /// Whether h is reset.
  package var resetsHidden = true
  /// Whether c is reset.
  package var resetsCell = true

  /// What a direction of a layer starts from.
  package enum Start: Sendable {
    /// The initial states of its own.
    case own
    /// What the sequence before it in the batch ended with.
    case previousSequence
    /// What the layer below ended with; the first layer starts from its own.
    case layerBelow
    /// What the forward direction ended with, in the reverse direction.
    case forwardDirection
  }

  package var start = Start.own

  package init() {}
}

extension StateVariant {
  /// What the state is before a step is read.
  enum Source {
    case carried
    case zeros
    case initial
  }

  /// - Parameters:
  ///   - position: how many steps the direction has read.
  ///   - step: the step that it reads next.
  func source(position: Int, step: Int, backwards: Bool) -> Source {
    let isReset =
      switch reset {
      case .never: false
      case .always: position > 0
      case .whileReading(let size): position > 0 && position % size == 0
      case .once(let place): step == place
      case .chunks(let size):
        backwards ? position == 0 || (step + 1) % size == 0 : position > 0 && step % size == 0
      }
    guard isReset else { return .carried }
    if case .chunks(let size) = reset, backwards, step < size { return .initial }
    return resetsToInitial ? .initial : .zeros
  }

  /// The step behind which a direction's final state is taken.
  func finalStep(of count: Int, backwards: Bool) -> Int {
    guard backwards else { return count - 1 }
    return if case .chunks(let size) = reset { (count - 1) / size * size } else { 0 }
  }
}
