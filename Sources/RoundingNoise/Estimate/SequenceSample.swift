package import RecurrentModel

extension Chain {
  /// Some sequences of the batch, the same ones in every run, which stand for all of it where
  /// all of it would take too long: evenly spaced, and as many as a forward pass of `work`
  /// multiplications takes.
  ///
  /// What the others borrow from them is a guess, and may be too large or too small: a
  /// verdict of "passed" that rests on it says so, and no other verdict does.
  ///
  /// - Returns: nil where these are all, or where sequences are not told apart.
  package func spacedSequences(work: Double, least: Int) -> [Int]? {
    guard let batch = shapes.batch else { return nil }
    let each = max(1, self.work / Double(max(1, batch.size)))
    let count = max(least, Int(min(work / each, Double(batch.size))))
    return count < batch.size ? (0..<count).map { $0 * batch.size / count } : nil
  }
}
