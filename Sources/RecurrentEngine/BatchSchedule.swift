import RecurrentModel

/// The order in which the sequences of a batch are run: the longest first, so that
/// those that still run at a position are always the first ones.
struct BatchSchedule: Sendable {
  let sequences: [Int]
  /// Of each, descending.
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

  /// Every `count`-th, so that the parts have about the same work.
  func parts(_ count: Int) -> [BatchSchedule] {
    (0..<count).map { part in
      let own = stride(from: part, to: sequences.count, by: count)
      return BatchSchedule(own.map { sequences[$0] }, own.map { lengths[$0] })
    }
  }

  /// How many of the sequences have a step at this position.
  ///
  /// - Parameter before: how many had one at an earlier position.
  func running(at position: Int, of before: Int) -> Int {
    var running = before
    while running > 0, lengths[running - 1] <= position { running -= 1 }
    return running
  }

  var positions: Int { lengths.first ?? 0 }
}
