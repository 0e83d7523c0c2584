import ParityJudging
import RecurrentModel
import TensorCore

/// A known way to get a chain of modules wrong, as data: one of its modules becomes another.
package struct SequentialMistake: Sendable {
  /// For people to search for and for programs to tell apart: `merge-sum`.
  package let name: String
  /// What was done to a module, as it stands behind "with" and the module's name.
  package let deed: String
  /// One sentence on what the case says instead.
  package let advice: String
  /// A public issue about it.
  package let evidence: String?
  /// What a case needs to show it.
  let need: String
  /// nil where the module gives it no place.
  let change: @Sendable (SequentialModule.Layer) -> SequentialModule.Layer?

  init(
    _ name: String, with deed: String, _ advice: String, evidence: String? = nil,
    needs need: String,
    _ change: @escaping @Sendable (SequentialModule.Layer) -> SequentialModule.Layer?
  ) {
    self.name = name
    self.deed = deed
    self.advice = advice
    self.evidence = evidence
    self.need = need
    self.change = change
  }

  /// Each module that it can be made in, and the chain with it.
  func applied(to sequential: Sequential) -> [(module: SequentialModule, chain: Sequential)] {
    sequential.modules.indices.compactMap { index in
      let module = sequential.modules[index]
      return change(module.layer).map { layer in
        var modules = sequential.modules
        modules[index] = SequentialModule(name: module.name, layer: layer)
        return (module, Sequential(modules))
      }
    }
  }

  /// The common ones first.
  package static let all = merges + selections + embeddings + linears + softmaxes

  private static let merges: [SequentialMistake] =
    SequentialModule.MergeMode.allCases.map { wrong in
      SequentialMistake(
        "merge-\(wrong.rawValue)", with: "the two directions joined by \(wrong.rawValue)",
        "the case's mode is another (Keras' Bidirectional joins by concat unless it is told)",
        needs: "a DirectionMerge"
      ) {
        guard case .directionMerge(let mode, _) = $0, mode != wrong else { return nil }
        return .directionMerge(wrong)
      }
    } + [
      SequentialMistake(
        "merge-reverse-first", with: "the reverse direction put first",
        "the forward direction's half comes first", needs: "a DirectionMerge by concat"
      ) {
        guard case .directionMerge(.concat, _) = $0 else { return nil }
        return .directionMerge(.concat, exchanging: true)
      }
    ]

  private static let selections: [SequentialMistake] = [
    SequentialMistake(
      "last-step-of-both-directions", with: "output[:, -1] taken in place of h_n",
      "the reverse direction's last state stands at step 0: take h_n",
      evidence: "pytorch/pytorch#3587", needs: "a module that hands on its h_n"
    ) { selecting(.lastStep, in: $0) { $0.bidirectional } },
    SequentialMistake(
      "first-layer-handed-on", with: "the first layer's final states taken",
      "h_n is ordered by layer, and the last layer's rows are the last",
      needs: "several layers and a module that hands on its h_n"
    ) { selecting(.firstLayer, in: $0) { $0.numLayers > 1 } },
  ]

  private static func selecting(
    _ wrong: SequentialModule.Selection, in layer: SequentialModule.Layer,
    where applies: (RecurrentConfiguration) -> Bool
  ) -> SequentialModule.Layer? {
    guard case .recurrent(let configuration, let stateDict, .hN) = layer, applies(configuration)
    else { return nil }
    return .recurrent(configuration, stateDict, select: wrong)
  }

  private static let embeddings: [SequentialMistake] = [
    SequentialMistake(
      "padding-row-zeroed", with: "the row of padding_idx taken as zeros",
      "padding_idx keeps gradients from that row; a forward pass uses it as it stands",
      needs: "an Embedding whose padding row is not 0"
    ) {
      guard case .embedding(let weight, let padding?) = $0 else { return nil }
      let rows = rowsOf(padding, weight)
      guard rows.contains(where: { weight.double(at: $0) != 0 }) else { return nil }
      return .embedding(
        weight: weight.mapping { rows.contains($0) ? 0 : $1 }, paddingIdx: padding)
    },
    SequentialMistake(
      "indices-from-one", with: "every index taken as one more",
      "indices count from 0: row 0 is the first", needs: "an Embedding of several rows"
    ) {
      guard case .embedding(let weight, let padding) = $0, weight.shape.axes[0] > 1 else {
        return nil
      }
      let size = weight.shape.axes[1]
      let starts = (0..<weight.shape.axes[0]).map { ($0 + 1) % weight.shape.axes[0] * size }
      return .embedding(
        weight: weight.gathering(blocksOf: size, at: starts, shape: weight.shape),
        paddingIdx: padding)
    },
  ]

  private static func rowsOf(_ row: Int, _ weight: Tensor) -> Range<Int> {
    let size = weight.shape.axes[1]
    return row * size..<(row + 1) * size
  }

  private static let linears: [SequentialMistake] = [
    SequentialMistake(
      "linear-bias-dropped", with: "the bias left out", "PyTorch adds it to every output",
      needs: "a Linear with a bias that is not 0"
    ) {
      guard case .linear(let weight, let bias?) = $0 else { return nil }
      guard (0..<bias.count).contains(where: { bias.double(at: $0) != 0 }) else { return nil }
      return .linear(weight: weight, bias: nil)
    },
    SequentialMistake(
      "linear-transposed", with: "the weight read as its transpose",
      "a Linear's weight is (out_features, in_features)", needs: "a square Linear"
    ) {
      guard case .linear(let weight, let bias) = $0 else { return nil }
      let (rows, columns) = (weight.shape.axes[0], weight.shape.axes[1])
      guard rows == columns, rows > 1 else { return nil }
      let offsets = (0..<weight.count).map { $0 % columns * columns + $0 / columns }
      return .linear(weight: weight.gathering(offsets, shape: weight.shape), bias: bias)
    },
  ]

  private static let softmaxes: [SequentialMistake] = [
    SequentialMistake(
      "softmax-without-logarithm", with: "probabilities in place of their logarithms",
      "LogSoftmax gives logarithms", needs: "a LogSoftmax"
    ) {
      guard case .softmax(true, let axis) = $0 else { return nil }
      return .softmax(isLogarithm: false, axis: axis)
    },
    SequentialMistake(
      "softmax-with-logarithm", with: "logarithms in place of probabilities",
      "Softmax gives probabilities", needs: "a Softmax"
    ) {
      guard case .softmax(false, let axis) = $0 else { return nil }
      return .softmax(isLogarithm: true, axis: axis)
    },
    SequentialMistake(
      "softmax-over-first-axis", with: "the sum taken over the first axis",
      "the case's dim is another", needs: "a softmax over another axis than the first"
    ) {
      guard case .softmax(let isLogarithm, let axis) = $0, axis != 0 else { return nil }
      return .softmax(isLogarithm: isLogarithm, axis: 0)
    },
  ]
}
