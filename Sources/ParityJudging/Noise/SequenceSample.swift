import RecurrentModel

/// Some sequences of a batch, the same ones in every run, which stand for all of it
/// where all of it would take too long.
enum SequenceSample {
  /// Those to measure the rounding noise on; nil where a forward pass has no more
  /// than `work` multiplications, and so all are measured.
  ///
  /// What the others borrow from them is a guess, and may be too large or too small:
  /// a verdict of "passed" that rests on it says so, and no other verdict does.
  static func sequences(of call: RecurrentCall, work: Double) -> [Int]? {
    let sample = sequences(of: call, work: work, least: 8)
    return sample.count < call.input.layout.batch ? sample : nil
  }

  /// Evenly spaced over the batch, as many as take `work` multiplications in one
  /// forward pass, and at least `least`.
  static func sequences(of call: RecurrentCall, work: Double, least: Int) -> [Int] {
    let batch = call.input.layout.batch
    let each = call.work / Double(max(1, batch))
    let count = min(batch, max(least, Int(min(work / max(each, 1), Double(batch)))))
    return (0..<count).map { $0 * batch / count }
  }
}
