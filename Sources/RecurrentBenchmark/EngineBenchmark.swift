package import RecurrentEngine
package import RecurrentModel
import TensorCore

/// Measures the engine on one shape.
package struct EngineBenchmark {
  package struct Result: Sendable, Encodable {
    package let shape: String
    package let threads: Int
    package let instructionSet: String
    /// Of one forward pass, the median.
    package let seconds: Double
    package let repeats: Int
    /// 10⁹ multiplications and additions of products a second.
    package let gigaflops: Double
    /// What the multipliers of as many cores do, measured beside it.
    package let peakGigaflops: Double
    /// The peak, or what memory allows where that is less (the roofline of Williams,
    /// Waterman and Patterson, 2009): each step reads a direction's weights once, as
    /// fast as a core reads a buffer of their size. The input's products are made for
    /// many steps at once, so that a batch of one can be faster than this.
    package let boundGigaflops: Double
  }

  private let shape: BenchmarkShape
  private let call: RecurrentCall

  package init(_ shape: BenchmarkShape) throws(InvalidValue) {
    self.shape = shape
    var generator = SplitMix64(seed: 1)
    let type = shape.arithmetic.storage
    func tensor(_ axes: [Int], _ bound: Double) -> Tensor {
      let tensorShape = Shape(axes)
      let elements = (0..<tensorShape.elementCount).map { _ in
        Float.random(in: -Float(bound)...Float(bound), using: &generator)
      }
      return Tensor(elements, shape: tensorShape).rounded(to: type)
    }
    let bound = 1 / Double(shape.configuration.hiddenSize).squareRoot()
    var parameters: [String: Tensor] = [:]
    for parameter in shape.configuration.parameters {
      parameters[parameter.name] = tensor(parameter.shape.axes, bound)
    }
    call = RecurrentCall(
      shape.configuration, try StateDict(parameters, checkedAgainst: shape.configuration),
      try RecurrentInput(
        input: tensor([shape.steps, shape.batch, shape.configuration.inputSize], 1),
        packing: shape.isRagged ? Packing(lengths: shape.lengths) : nil,
        for: shape.configuration),
      in: shape.arithmetic)
  }

  /// - Parameters:
  ///   - seconds: how long to repeat, at least five times.
  package func run(
    threads: Int, on instructionSet: InstructionSet, for seconds: Double
  ) -> Result {
    let pass = Engine.forwardPass(
      call, threads: threads, instructionSet: instructionSet)
    let directions = shape.configuration.directions.count
    let cores = threads < directions ? 1 : directions * min(threads / directions, shape.batch)
    let machine = MachineLimits(instructionSet, shape.arithmetic)
    func bandwidth() -> Double {
      machine.gigabytesPerSecond(reading: shape.directionBytes, cores: cores)
    }
    // Beside the passes, whose clock it shares; the bandwidth before and after, since it
    // would take the weights out of the caches.
    var peaks: [Double] = []
    let before = bandwidth()
    let times = Stopwatch.times(
      for: seconds, between: { peaks.append(machine.peakGigaflops(cores: cores)) }
    ) { _ = pass.outputs(for: call.input) }
    let bound = max(before, bandwidth()) * shape.intensity
    let peak = peaks.sorted()[peaks.count / 2]
    let median = times.sorted()[times.count / 2]
    return Result(
      shape: shape.name, threads: threads, instructionSet: instructionSet.name, seconds: median,
      repeats: times.count, gigaflops: shape.operations / median / 1e9, peakGigaflops: peak,
      boundGigaflops: min(peak, bound))
  }
}

enum Stopwatch {
  /// After one run that counts for nothing.
  ///
  /// - Parameters:
  ///   - seconds: how long to repeat, at least five times.
  ///   - between: run at first, at last, and about every 100 ms.
  static func times(
    for seconds: Double, between: () -> Void, _ body: () -> Void
  ) -> [Double] {
    let clock = ContinuousClock()
    body()
    between()
    var times: [Double] = []
    let start = clock.now
    var last = start
    while times.count < 5 || clock.now - start < .seconds(seconds) {
      if clock.now - last > .milliseconds(100) {
        between()
        last = clock.now
      }
      times.append(clock.measure(body) / .seconds(1))
    }
    between()
    return times
  }
}
