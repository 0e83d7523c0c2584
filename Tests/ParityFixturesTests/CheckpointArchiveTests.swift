import RecurrentModel
import TensorArchives
import TensorCore
import TestSupport
import Testing

@testable import ParityFixtures

/// A checkpoint under PyTorch's names.
@Suite struct CheckpointArchiveTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func archive(_ tensors: [String: Tensor]) throws -> CheckpointArchive {
    try TensorContainer.write(tensors, to: folder.path + "/m.npz")
    let archive = try TensorContainer.open(folder.path + "/m.npz")
    return CheckpointArchive(archive)
  }

  private static let normed: [String: Tensor] = [
    "rnn.weight_ih_l0": Tensor([1, 2, 3, 4] as [Float], shape: [2, 2]),
    "rnn.weight_hh_l0_v": Tensor([3, 4, 0, 2] as [Float], shape: [2, 2]),
    "rnn.weight_hh_l0_g": Tensor([10, 3] as [Float], shape: [2, 1]),
    "head.weight_g": Tensor([1] as [Float], shape: [1]),
  ]

  /// w = g · v / ‖v‖: a row (3, 4) of length 5 becomes one of length 10.
  @Test func aWeightUnderWeightNormIsOneTensor() throws {
    let archive = try archive(Self.normed)
    #expect(archive.tensorNames == ["head.weight_g", "rnn.weight_hh_l0", "rnn.weight_ih_l0"])
    #expect(archive.wrapped.tensorNames.count == 4)
    let weight = try archive.tensor(named: "rnn.weight_hh_l0")
    #expect(weight.shape == [2, 2])
    #expect(weight.elements() == [6, 8, 0, 3])
    #expect(try archive.header(of: "rnn.weight_hh_l0").shape == [2, 2])
    let second = try archive.source(of: "rnn.weight_hh_l0").block(2..<4)
    #expect(second.elements() == [0, 3])
    #expect(archive.derivedNames[.weightNorm] == ["rnn.weight_hh_l0"])
    #expect(archive.modules.map(\.prefix) == ["rnn."])
  }

  @Test func partsThatDoNotFitAreNamed() throws {
    var tensors = Self.normed
    tensors["rnn.weight_hh_l0_g"] = Tensor([10, 3, 1] as [Float], shape: [3, 1])
    let archive = try archive(tensors)
    let error = #expect(throws: ArchiveError.self) {
      try archive.tensor(named: "rnn.weight_hh_l0")
    }
    #expect(
      error.map { "\($0)" }?.hasSuffix(
        "m.npz: rnn.weight_hh_l0: rnn.weight_hh_l0_g: expected one number for each row of "
          + "rnn.weight_hh_l0_v (2, 2), found (3, 1)") == true, "\(String(describing: error))")
  }
}
