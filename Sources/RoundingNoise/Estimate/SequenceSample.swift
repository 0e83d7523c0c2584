package import RecurrentModel

extension Chain {
  /// Chooses some sequences of the batch on which noise is measured for all of it, where
  /// measuring all would take too long. They are evenly spaced, the same ones in every run, and
  /// as many as a forward pass of `work` multiplications takes, but at least `least`.
  ///
  /// What the others borrow from them is a guess, and may be too large or too small. So a case
  /// may pass on it, and its report then says so, but nothing else may: see `Judge`.
  ///
  /// - Returns: nil where the whole batch would be chosen, and where the chain mixes its
  ///   sequences.
  package func spacedSequences(work: Double, least: Int) -> [Int]? {
    guard let batch = shapes.batch else { return nil }
    let each = max(1, self.work / Double(max(1, batch.size)))
    let count = max(least, Int(min(work / each, Double(batch.size))))
    return count < batch.size ? (0..<count).map { $0 * batch.size / count } : nil
  }
}
