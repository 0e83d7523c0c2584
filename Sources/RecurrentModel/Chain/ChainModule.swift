package import TensorCore

/// One module of a chain, with its parameters.
///
/// ```swift
/// let module = ChainModule(name: "hidden2tag", layer: .linear(weight: weight, bias: bias))
/// module.className            // Linear
/// module.qualified("weight")  // hidden2tag.weight
/// ```
package struct ChainModule: Sendable {
  /// The module's name, which stands before those of its parameters and results: `bilstm` in
  /// `bilstm.weight_ih_l0` and `bilstm.h_n`. It is empty in a case of one recurrent module, whose
  /// names have no prefix.
  package let name: String
  package let layer: Layer

  /// What the module is, with its arguments and parameters.
  package enum Layer: Sendable {
    /// From indices (…) to vectors (…, embedding_dim). The weight is
    /// (num_embeddings, embedding_dim). In a forward pass, the row that `paddingIdx` names is
    /// used like any other.
    case embedding(weight: Tensor, paddingIdx: Int?)
    /// An LSTM, GRU or RNN. `select` says which of its results the next module is given.
    case recurrent(RecurrentConfiguration, StateDict, select: Selection)
    /// Joins the two directions of what a bidirectional module hands on. PyTorch has no such
    /// module; it is what Keras' `Bidirectional` does behind its layers.
    case directionMerge(MergeMode)
    /// From (…, in_features) to (…, out_features). The weight is (out_features, in_features).
    case linear(weight: Tensor, bias: Tensor?)
    /// - Parameter axis: PyTorch's `dim`; a negative one counts from the last axis.
    case softmax(axis: Int)
    /// - Parameter axis: PyTorch's `dim`; a negative one counts from the last axis.
    case logSoftmax(axis: Int)
  }

  /// Which of a recurrent module's results the next module is given.
  package enum Selection: String, Sendable, CaseIterable {
    case output
    /// The last layer's rows of h_n: (D, B, P), or (D, P) without a batch.
    case hN = "h_n"
  }

  /// How the two directions are joined. The names are those of Keras'
  /// `Bidirectional(merge_mode=…)`.
  package enum MergeMode: String, Sendable, CaseIterable {
    /// Side by side, the forward direction first.
    case concat
    case sum
    case mul
    /// The mean of the two.
    case ave
  }

  package init(name: String, layer: Layer) {
    self.name = name
    self.layer = layer
  }

  /// The name of the module's class: PyTorch's, and `DirectionMerge`, which PyTorch does not
  /// have.
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

  /// The parameters by the names that they have in the module: `weight_ih_l0`, without the
  /// module's own name.
  package var parameters: [String: Tensor] {
    switch layer {
    case .embedding(let weight, _): ["weight": weight]
    case .recurrent(_, let stateDict, _): stateDict.tensors
    case .linear(let weight, let bias):
      bias.map { ["weight": weight, "bias": $0] } ?? ["weight": weight]
    case .directionMerge, .softmax, .logSoftmax: [:]
    }
  }

  /// The arguments of a recurrent module; nil for any other module.
  package var configuration: RecurrentConfiguration? {
    if case .recurrent(let configuration, _, _) = layer { configuration } else { nil }
  }

  /// The name that one of the module's parameters or results has in a fixture: `h_n` of the
  /// module `bilstm` is `bilstm.h_n`.
  package func qualified(_ name: String) -> String { Results.name(name, of: self.name) }
}
