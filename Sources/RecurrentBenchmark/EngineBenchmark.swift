package import RecurrentEngine
package import RecurrentModel
import TensorCore

/// Measures the engine's forward pass of one shape.
///
/// ```swift
/// let benchmark = try EngineBenchmark(shape)
/// let result = benchmark.run(threads: 1, on: instructionSet, for: 0.5)
/// print(result.gigaflops / result.peakGigaflops)
/// ```
package struct EngineBenchmark {
  /// What was measured.
  package struct Result: Sendable, Encodable {
    /// The name of the shape.
    package let shape: String
    package let threads: Int
    package let instructionSet: String
    /// The median of the times of a forward pass.
    package let seconds: Double
    /// The number of forward passes.
    package let repeats: Int
    /// How many multiplications and additions of matrix products were done, in 10⁹ a second.
    package let gigaflops: Double
    /// How many the multipliers of as many cores can do, measured at the same time.
    package let peakGigaflops: Double
    /// The peak, or what the memory allows where that is less: each step reads the matrices
    /// of a direction once, as fast as a core reads a buffer of their size. (The roofline of
    /// Williams, Waterman and Patterson, 2009.) The products with the input are made for
    /// many steps at once, so that a batch of one can be faster than this.
    package let boundGigaflops: Double
  }

  private let shape: BenchmarkShape
  private let call: RecurrentCall

  /// Draws parameters and an input, the same ones in every run.
  ///
  /// - Throws: `InvalidValue` where the shape has no module.
  /// - Complexity: O(parameters and inputs) in time and memory.
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

  /// Repeats the forward pass.
  ///
  /// - Parameter seconds: for how long; there are at least five passes.
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
    // The peak is measured between the passes, at the same frequency of the processor. The
    // bandwidth is measured before and after: it would take the matrices out of the caches.
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
  /// The times of the runs of `body` in seconds, but for a first one that is not counted.
  ///
  /// - Parameters:
  ///   - seconds: for how long `body` is repeated; there are at least five runs.
  ///   - between: is run before the first, after the last, and about every 100 ms.
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
