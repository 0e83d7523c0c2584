package import RecurrentModel
package import TensorCore

/// The sizes of a module and a batch whose forward pass is measured. All modules are
/// bidirectional.
///
/// ```swift
/// let shape = BenchmarkShape(named: "lstm-128-256-1-32-100")
/// ```
///
/// is an LSTM of one layer with 128 inputs and 256 units, on 32 sequences of 100 steps.
package struct BenchmarkShape: Sendable {
  /// The module, and its I, H, layers, B and T; then `ragged` and `float64` where it is.
  package let name: String
  package let configuration: RecurrentConfiguration
  package let batch: Int
  package let steps: Int
  /// Whether the lengths of the sequences are spread evenly from all steps down to half of
  /// them. Otherwise all sequences have all steps.
  package let isRagged: Bool
  package let arithmetic: Arithmetic

  /// The shape of a name; nil where no shape has this name, or it has sizes above 2^20.
  package init?(named name: String) {
    let parts = name.split(separator: "-", omittingEmptySubsequences: false).map(String.init)
    let sizes = parts.dropFirst().prefix(5).compactMap { Int($0) }
    let modules: [RecurrentModule] = [.lstm, .gru, .rnn]
    guard let module = modules.first(where: { $0.rawValue.lowercased() == parts[0] }),
      sizes.count == 5, sizes.allSatisfy({ 1...1 << 20 ~= $0 }),
      let configuration = try? RecurrentConfiguration(
        module: module, inputSize: sizes[0], hiddenSize: sizes[1], numLayers: sizes[2],
        bidirectional: true)
    else { return nil }
    self.name = name
    self.configuration = configuration
    (batch, steps) = (sizes[3], sizes[4])
    isRagged = parts.contains("ragged")
    arithmetic = parts.contains("float64") ? .float64 : .float32
    // A shape has one name, without leading zeros, and with its suffixes in this order.
    let suffixes = (isRagged ? ["ragged"] : []) + (arithmetic == .float64 ? ["float64"] : [])
    guard parts == [parts[0]] + sizes.map(String.init) + suffixes else { return nil }
  }

  /// The shapes that are measured where none is asked for.
  package static let standard = [
    "lstm-5-6-1-1-4", "lstm-64-64-1-1-100", "lstm-128-256-1-1-100", "lstm-128-256-1-32-100",
    "lstm-512-512-2-32-100", "lstm-1024-1024-1-64-50", "lstm-40-256-3-8-160",
    "lstm-300-128-1-64-40-ragged", "gru-5-6-1-1-4", "gru-64-64-1-1-100", "gru-128-256-1-1-100",
    "gru-128-256-1-32-100", "gru-512-512-2-32-100", "gru-1024-1024-1-64-50", "gru-40-256-3-8-160",
    "gru-300-128-1-64-40-ragged", "rnn-128-256-1-32-100", "lstm-128-256-1-32-100-float64",
    "gru-128-256-1-1-100-float64",
  ].map { name in
    guard let shape = BenchmarkShape(named: name) else {
      preconditionFailure("\(name) is no shape")
    }
    return shape
  }

  /// The number of steps of each sequence.
  package var lengths: [Int] {
    (0..<batch).map { isRagged ? steps - $0 * (steps / 2) / max(1, batch - 1) : steps }
  }

  /// The number of multiplications and additions in all matrix products of a forward pass.
  package var operations: Double {
    2 * Double(configuration.weightCount) * Double(lengths.reduce(0, +))
  }

  private var weightBytes: Int {
    configuration.weightCount * arithmetic.computation.byteCount
  }

  /// How many bytes the matrices of one direction of one layer have, on average.
  var directionBytes: Int { weightBytes / configuration.stateRows }

  /// How many operations there are for each byte of the matrices, where each step reads all
  /// of them once.
  var intensity: Double { operations / (Double(weightBytes) * Double(steps)) }
}
