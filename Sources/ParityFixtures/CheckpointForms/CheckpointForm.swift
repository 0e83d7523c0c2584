package import TensorArchives

/// A form in which checkpoints hold parameters that PyTorch holds in another. Each looks for its
/// own in the names and headers of a checkpoint's tensors.
package enum CheckpointForm: String, CaseIterable, Sendable {
  case weightNorm = "weight_norm"
  case keras
  case mlx
  case shortNames = "short_names"

  /// The parameters that a checkpoint holds in this form.
  func derived(from archive: any TensorArchive) -> DerivedTensors {
    switch self {
    case .weightNorm: WeightNorm.derived(from: archive)
    case .keras: KerasWeights.derived(from: archive)
    case .mlx: MLXWeights.derived(from: archive)
    case .shortNames: ShortNames.derived(from: archive)
    }
  }

  /// What is to be said of so many parameters: "2 weights put together from weight norm's g and v".
  package func note(_ count: Int) -> String {
    func counted(_ word: String) -> String { "\(count) \(word)\(count == 1 ? "" : "s")" }
    return switch self {
    case .weightNorm: counted("weight") + " put together from weight norm's g and v"
    case .keras: counted("parameter") + " made of Keras' weights"
    case .mlx: counted("parameter") + " made of MLX's weights"
    case .shortNames: counted("parameter") + " under short names, such as w_ih"
    }
  }
}

/// What a checkpoint holds in one form.
package struct DerivedTensors {
  /// The parameters that are made of others, by the names that PyTorch would give them. A module
  /// that PyTorch does not have stands among them under its own name, with the reason.
  package var entries: [String: Result<DerivedTensor, ArchiveError.Reason>] = [:]
  /// What is to be known of a module beside its parameters, in whole sentences without the point.
  package var remarks: [String] = []
}
