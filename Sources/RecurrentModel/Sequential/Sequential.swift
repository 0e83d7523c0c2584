package import TensorCore

/// A short chain of modules, each given what the one before hands on, as PyTorch's
/// `nn.Sequential` and the few lines that people write around a recurrent module.
package struct Sequential: Sendable {
  package let modules: [SequentialModule]

  package init(_ modules: [SequentialModule]) { self.modules = modules }
}

/// One module of a chain, with its parameters.
package struct SequentialModule: Sendable {
  /// As in the names of its parameters.
  package let name: String
  package let layer: Layer

  package enum Layer: Sendable {
    /// (…) of indices to (…, embedding_dim); the weight is (num_embeddings, embedding_dim).
    /// The padding's row is as any other in a forward pass.
    case embedding(weight: Tensor, paddingIdx: Int?)
    case recurrent(RecurrentConfiguration, StateDict, select: Selection)
    /// - Parameter exchanging: whether the reverse direction comes first, as it never should.
    case directionMerge(MergeMode, exchanging: Bool = false)
    /// (…, in_features) to (…, out_features); the weight is (out_features, in_features).
    case linear(weight: Tensor, bias: Tensor?)
    /// - Parameter axis: negative ones count from the last.
    case softmax(isLogarithm: Bool, axis: Int)
  }

  /// What a recurrent module hands on.
  package enum Selection: Sendable {
    case output
    /// The last layer's rows of h_n, (D, B, P) or (D, P).
    case hN
    /// The first layer's in their place: a mistake, as the next.
    case firstLayer
    /// `output[:, -1]` of both directions in their place, of which the reverse has read one
    /// step alone.
    case lastStep
  }

  /// How the two directions are joined, by Keras' names.
  package enum MergeMode: String, Sendable, CaseIterable {
    /// Forward first.
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
    case .softmax(let isLogarithm, _): isLogarithm ? "LogSoftmax" : "Softmax"
    }
  }
}

/// What the modules of a chain return: the result, and each module's own.
package struct SequentialOutput: Sendable {
  /// `<module>.output` of each, and `<module>.h_n` and `.c_n` of recurrent ones, in order.
  package let intermediates: [(name: String, tensor: Tensor)]
  package let output: Tensor

  package init(intermediates: [(name: String, tensor: Tensor)], output: Tensor) {
    self.intermediates = intermediates
    self.output = output
  }

  /// All, the result last.
  package var named: [(name: String, tensor: Tensor)] { intermediates + [("output", output)] }

  package subscript(name: String) -> Tensor? { named.last { $0.name == name }?.tensor }
}
