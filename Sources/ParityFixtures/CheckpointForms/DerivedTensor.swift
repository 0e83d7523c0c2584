package import TensorArchives
package import TensorCore

/// A parameter of PyTorch's that does not stand in a checkpoint as it is, but is made of tensors
/// that do.
package struct DerivedTensor: Sendable {
  /// Its type and shape, which the headers of the tensors that it is made of tell.
  package let header: TensorHeader
  /// The names of the tensors that it is made of.
  package let sources: [String]
  /// Makes it, of these tensors in this order.
  ///
  /// Throws `ArchiveError.Reason` where they do not fit together.
  package let make: @Sendable ([Tensor]) throws(ArchiveError.Reason) -> Tensor
}

/// The tensors of a checkpoint that are made of others, by the names that PyTorch would give them.
///
/// A module that PyTorch does not have stands among them under its own name, with the reason.
package typealias DerivedTensors = [String: Result<DerivedTensor, ArchiveError.Reason>]

/// A form in which checkpoints hold parameters that PyTorch holds in another. Each looks for its
/// own in the names and headers of a checkpoint's tensors.
package enum CheckpointForm: String, CaseIterable, Sendable {
  case weightNorm = "weight_norm"

  /// The parameters that a checkpoint holds in this form.
  func derived(from archive: any TensorArchive) -> DerivedTensors {
    switch self {
    case .weightNorm: WeightNorm.derived(from: archive)
    }
  }

  /// What is to be said of so many parameters: "2 weights put together from weight norm's g and v".
  package func note(_ count: Int) -> String {
    func counted(_ word: String) -> String { "\(count) \(word)\(count == 1 ? "" : "s")" }
    return switch self {
    case .weightNorm: counted("weight") + " put together from weight norm's g and v"
    }
  }
}
