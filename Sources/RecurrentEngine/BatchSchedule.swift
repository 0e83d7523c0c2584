import RecurrentModel

/// The order in which the sequences of a batch are computed: the longest first. At every
/// position, those that still have a step are then the first ones, without gaps.
///
/// A position counts the steps that are computed, from 0; in the reverse direction, position 0
/// is a sequence's last step.
struct BatchSchedule: Sendable {
  /// The numbers of the sequences in the batch, the longest first.
  let sequences: [Int]
  /// The number of steps of each of `sequences`.
  let lengths: [Int]

  init(_ input: RecurrentInput) {
    let lengths = (0..<input.layout.batch).map(input.length(of:))
    // Equal lengths keep their order, whatever the sort.
    let order = lengths.indices.sorted { (-lengths[$0], $0) < (-lengths[$1], $1) }
    self.init(order, order.map { lengths[$0] })
  }

  private init(_ sequences: [Int], _ lengths: [Int]) {
    self.sequences = sequences
    self.lengths = lengths
  }

  /// The batch in `count` parts. Each takes every `count`-th sequence, so that all have about
  /// the same work.
  func parts(_ count: Int) -> [BatchSchedule] {
    (0..<count).map { part in
      let own = stride(from: part, to: sequences.count, by: count)
      return BatchSchedule(own.map { sequences[$0] }, own.map { lengths[$0] })
    }
  }

  /// The number of sequences that have a step at a position.
  ///
  /// - Parameter before: how many had one at an earlier position.
  func running(at position: Int, of before: Int) -> Int {
    var running = before
    while running > 0, lengths[running - 1] <= position { running -= 1 }
    return running
  }

  /// The number of steps of the longest sequence.
  var positions: Int { lengths.first ?? 0 }
}
