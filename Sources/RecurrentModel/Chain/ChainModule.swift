package import TensorCore

/// One module of a chain, with its parameters.
package struct ChainModule: Sendable {
  /// As in the names of its parameters and results, `bilstm.weight_ih_l0`; empty in a case of
  /// one recurrent module, whose parameters have no prefix.
  package let name: String
  package let layer: Layer

  package enum Layer: Sendable {
    /// (…) of indices to (…, embedding_dim); the weight is (num_embeddings, embedding_dim).
    /// In a forward pass, the row of `padding_idx` is as any other.
    case embedding(weight: Tensor, paddingIdx: Int?)
    case recurrent(RecurrentConfiguration, StateDict, select: Selection)
    case directionMerge(MergeMode)
    /// (…, in_features) to (…, out_features); the weight is (out_features, in_features).
    case linear(weight: Tensor, bias: Tensor?)
    /// - Parameter axis: `dim`; a negative one counts from the last.
    case softmax(axis: Int)
    case logSoftmax(axis: Int)
  }

  /// What a recurrent module hands on to the next.
  package enum Selection: String, Sendable, CaseIterable {
    case output
    /// The last layer's rows of h_n, (D, B, P) or (D, P).
    case hN = "h_n"
  }

  /// How the two directions are joined, by the names of Keras' `Bidirectional(merge_mode=…)`.
  package enum MergeMode: String, Sendable, CaseIterable {
    /// Side by side, the forward direction first.
    case concat
    case sum
    case mul
    case ave
  }

  package init(name: String, layer: Layer) {
    self.name = name
    self.layer = layer
  }

  /// The class, by PyTorch's name where there is one.
  package var className: String {
    switch layer {
    case .embedding: "Embedding"
    case .recurrent(let configuration, _, _): configuration.module.rawValue
    case .directionMerge: "DirectionMerge"
    case .linear: "Linear"
    case .softmax: "Softmax"
    case .logSoftmax: "LogSoftmax"
    }
  }

  /// By their names in the module, without its own.
  package var parameters: [String: Tensor] {
    switch layer {
    case .embedding(let weight, _): ["weight": weight]
    case .recurrent(_, let stateDict, _): stateDict.tensors
    case .linear(let weight, let bias):
      bias.map { ["weight": weight, "bias": $0] } ?? ["weight": weight]
    case .directionMerge, .softmax, .logSoftmax: [:]
    }
  }

  /// Of a recurrent module; nil of any other.
  package var configuration: RecurrentConfiguration? {
    if case .recurrent(let configuration, _, _) = layer { configuration } else { nil }
  }

  /// A name of one of its own parameters or results as it stands in a fixture.
  package func qualified(_ name: String) -> String { Results.name(name, of: self.name) }
}
