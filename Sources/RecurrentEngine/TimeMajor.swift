import TensorCore

/// The vectors of a batch of sequences, (T, B, F).
struct TimeMajor<Scalar: FloatingElement> {
  let steps: Int
  let batch: Int
  let features: Int
  var elements: [Scalar]

  init(steps: Int, batch: Int, features: Int) {
    self.steps = steps
    self.batch = batch
    self.features = features
    elements = [Scalar](repeating: 0, count: steps * batch * features)
  }

  func start(step: Int, sequence: Int) -> Int { (step * batch + sequence) * features }

  mutating func setRow(step: Int, sequence: Int, to row: Slice<UnsafeBufferPointer<Scalar>>) {
    let start = start(step: step, sequence: sequence)
    elements.replaceSubrange(start..<start + features, with: row)
  }

  func copyRow(step: Int, sequence: Int, to target: inout [Scalar], at targetStart: Int) {
    let start = start(step: step, sequence: sequence)
    target.replaceSubrange(
      targetStart..<targetStart + features, with: elements[start..<start + features])
  }
}
