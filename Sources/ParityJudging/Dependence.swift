import RecurrentEngine
import RecurrentModel
import TensorComparison
import TensorCore

/// Which results of a chain do not move with its input: they would be the same for any other, so
/// that comparing them says nothing about how the input is read.
///
/// ```swift
/// Dependence(chain).fixedResults  // ["output"] of a softmax over one class
/// ```
struct Dependence {
  private let chain: Chain

  init(_ chain: Chain) { self.chain = chain }

  /// Results that move by less than this, relative to their largest number, do not move: rounding
  /// moves them as much.
  private static let smallestMove = 1e-6

  /// The names of the results that are the same for two other inputs.
  ///
  /// - Complexity: O(3 forward passes) on the first steps of two sequences, and on the whole input
  ///   only for what does not move there.
  var fixedResults: [String] {
    let fixed = chain.firstSteps.map { Self.fixed(in: $0) } ?? chain.resultShapes.map(\.name)
    return fixed.isEmpty ? [] : Self.fixed(in: chain).filter(fixed.contains)
  }

  private static func fixed(in chain: Chain) -> [String] {
    guard let own = results(chain) else { return [] }
    let others = [1.0, -1].compactMap { sign in
      chain.with(input: chain.changedInput(sign)).flatMap(results)
    }
    guard others.count == 2 else { return [] }
    return own.named.compactMap { name, tensor in
      let isMoved = others.contains { results in
        results[name].map { moves(tensor, $0) } ?? true
      }
      return isMoved || tensor.count == 0 ? nil : name
    }
  }

  private static func results(_ chain: Chain) -> Results? {
    try? chain.results(in: chain.arithmetic.computation) { _, call in
      Engine.forwardPass(call).outputs(for: call.input)
    }
  }

  private static func moves(_ tensor: Tensor, _ other: Tensor) -> Bool {
    let size = (0..<tensor.count).map { abs(tensor.double(at: $0)) }.filter(\.isFinite).max() ?? 0
    return (0..<tensor.count).contains {
      let (own, other) = (tensor.double(at: $0), other.double(at: $0))
      return own.isFinite != other.isFinite || abs(own - other) > smallestMove * size
    }
  }
}

extension Chain {
  /// The chain on the first three steps of two of its sequences; nil where it mixes its sequences
  /// or has no steps.
  fileprivate var firstSteps: Chain? {
    let part =
      shapes.batch.map { batch in
        selecting(sequences: Array(0..<min(2, batch.size)))
      } ?? self
    return part?.beginning(steps: 3)
  }

  /// Another input of about the same size: other indices, or ± the numbers with something added
  /// to every second one and subtracted from the others.
  fileprivate func changedInput(_ sign: Double) -> Tensor {
    if let indices = input.tensor.integers, case .embedding(let weight, _) = modules[0].layer {
      let rows = Int64(max(1, weight.shape.axes[0]))
      return Tensor(indices.map { ($0 + (sign > 0 ? 1 : 2)) % rows }, shape: input.tensor.shape)
    }
    let numbers = input.tensor.elements(as: Double.self)
    let finite = numbers.filter(\.isFinite)
    let squares = finite.reduce(0) { $0 + $1 * $1 }
    let size = (squares / Double(max(1, finite.count))).squareRoot()
    let added = size > 0 && size.isFinite ? size : 1
    return Tensor(
      numbers.enumerated().map { place, number in
        sign * number + (place % 2 == 0 ? added : -added)
      }, shape: input.tensor.shape
    ).rounded(to: input.tensor.elementType)
  }

  fileprivate func with(input tensor: Tensor) -> Chain? {
    let other = ChainInput(tensor, h0: input.h0, c0: input.c0, packing: input.packing)
    return try? Chain(modules, input: other, in: arithmetic, activations)
  }
}
