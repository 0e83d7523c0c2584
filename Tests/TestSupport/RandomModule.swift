package import RecurrentModel
package import TensorCore

/// Modules and inputs drawn at random, the same ones in every run.
package struct RandomModule: Sendable, CustomStringConvertible {
  package let call: RecurrentCall

  package var configuration: RecurrentConfiguration { call.configuration }
  package var stateDict: StateDict { call.stateDict }
  package var input: RecurrentInput { call.input }

  package var description: String {
    "\(configuration.module.rawValue) \(configuration) \(input.input.shape)"
  }

  /// - Parameters:
  ///   - type: of all tensors.
  ///   - isLarge: whether sizes go beyond some vectors of units and tiles of
  ///     sequences.
  package init(seed: UInt64, in type: ElementType = .float64, isLarge: Bool = false) throws {
    var generator = SplitMix64(seed: seed)
    func draw(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &generator) }
    func flip() -> Bool { Bool.random(using: &generator) }
    func tensor(_ axes: [Int], scale: Double = 1) -> Tensor {
      let shape = Shape(axes)
      let elements = (0..<shape.elementCount).map { _ in
        Double.random(in: -scale...scale, using: &generator)
      }
      return Tensor(elements, shape: shape).rounded(to: type)
    }

    let module = RecurrentModule.allCases[draw(0...RecurrentModule.allCases.count - 1)]
    let hidden = draw(2...(isLarge ? 150 : 9))
    let configuration = try RecurrentConfiguration(
      module: module, inputSize: draw(1...(isLarge ? 60 : 8)), hiddenSize: hidden,
      numLayers: module.isCell ? 1 : draw(1...3), bias: flip(),
      batchFirst: !module.isCell && flip(), bidirectional: !module.isCell && flip(),
      projSize: module == .lstm && flip() ? draw(1...hidden - 1) : 0,
      nonlinearity: module.recurrence == .rnn && flip() ? .relu : .tanh)
    var parameters: [String: Tensor] = [:]
    for parameter in configuration.parameters {
      // Larger ones of 0.8 would be chaotic.
      parameters[parameter.name] = tensor(
        parameter.shape.axes, scale: isLarge ? 1.5 / Double(hidden).squareRoot() : 0.8)
    }
    let stateDict = try StateDict(parameters, checkedAgainst: configuration)

    let (batch, steps) = (draw(1...(isLarge ? 17 : 5)), draw(1...7))
    let isPacked = !module.isCell && flip()
    let isBatched = isPacked || flip()
    let steppedAxes =
      isBatched
      ? (configuration.batchFirst ? [batch, steps] : [steps, batch]) : [steps]
    let inputAxes = module.isCell ? (isBatched ? [batch] : []) : steppedAxes
    let stateAxes = (module.isCell ? [] : [configuration.stateRows]) + (isBatched ? [batch] : [])
    let hasStates = flip()
    let lengths = (0..<batch).map { _ in draw(1...steps) }
    let input = try RecurrentInput(
      input: tensor(inputAxes + [configuration.inputSize], scale: 2),
      h0: hasStates ? tensor(stateAxes + [configuration.outputSize]) : nil,
      c0: hasStates && module.recurrence.hasCellState ? tensor(stateAxes + [hidden]) : nil,
      packing: isPacked
        ? Packing(lengths: lengths, totalLength: flip() ? steps + 1 : nil) : nil,
      for: configuration)
    call = RecurrentCall(configuration, stateDict, input, in: Arithmetic(of: type) ?? .float64)
  }
}
