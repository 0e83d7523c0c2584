import ParityFixtures
import RecurrentModel
import TensorArchives
import TensorCore
import TestSupport
import Testing

@testable import ParityTracing

/// The recording of a small tagger by PyTorch, and what two implementations gave
/// (`tools/catalogue/recording_samples.py`).
enum SampleRecording {
  static let path = Repository.samples + "/recording.safetensors"
  /// PyTorch without oneDNN.
  static let right = Repository.samples + "/recording-right.npz"
  /// PyTorch with the gates of the LSTM's forward direction in the order i, f, o, g.
  static let gates = Repository.samples + "/recording-gates.npz"

  static func reference() throws -> ReferenceStages {
    ReferenceStages(try #require(try Recording(TensorContainer.open(path))))
  }

  /// The values of an implementation, by the recording's names.
  static func values(_ path: String) throws -> [String: Tensor] {
    let archive = try TensorContainer.open(path)
    var values: [String: Tensor] = [:]
    for value in try reference().stages.flatMap(\.outputs) {
      values[value] = try archive.tensor(named: value.replacing("/", with: "."))
    }
    return values
  }

  /// Traces values that are changed before.
  static func results(
    of path: String = right, _ options: Trace.Options = Trace.Options(),
    _ change: (inout [String: Tensor]) -> Void = { _ in }
  ) throws -> [String: StageResult] {
    var values = try values(path)
    change(&values)
    let reference = try reference()
    var trace = Trace(reference, options)
    var results: [String: StageResult] = [:]
    for index in reference.stages.indices {
      let result = trace.judge(index) { [values] name in
        values[name].map { LoadedSource(tensor: $0) }
      }
      results[result.stage.name] = result
    }
    return results
  }
}

extension Tensor {
  /// The tensor with its elements changed.
  func changing(_ change: (inout [Double]) -> Void) -> Tensor {
    var elements = self.elements() as [Double]
    change(&elements)
    return Tensor(elements.map(Float.init), shape: shape)
  }
}
