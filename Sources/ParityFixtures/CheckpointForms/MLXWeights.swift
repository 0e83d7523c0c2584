import RecurrentModel
import TensorArchives
import TensorCore

/// The weights of MLX's recurrent layers as the parameters of PyTorch's modules.
///
/// With H hidden and I input features:
///
/// | MLX | shape | PyTorch |
/// |---|---|---|
/// | `nn.LSTM`: `Wx`, `Wh` | (4·H, I), (4·H, H) | `weight_ih_l0`, `weight_hh_l0` |
/// | `bias` | (4·H) | `bias_ih_l0`; `bias_hh_l0` is zero |
/// | `nn.GRU`: `Wx`, `Wh` | (3·H, I), (3·H, H) | `weight_ih_l0`, `weight_hh_l0` |
/// | `b` | (3·H) | `bias_ih_l0` |
/// | `bhn` | (H) | `bias_hh_l0`, whose first 2·H are zero |
/// | `nn.RNN`: `Wxh`, `Whh` | (H, I), (H, H) | `weight_ih_l0`, `weight_hh_l0` |
/// | `bias` | (H) | `bias_ih_l0`; `bias_hh_l0` is zero |
///
/// The gates stand in PyTorch's orders: i, f, g, o and r, z, n.
///
/// Source: the formulas in MLX's documentation of these layers, and what its version 0.32 saves.
enum MLXWeights {
  static func derived(from archive: any TensorArchive) -> DerivedTensors {
    let names = Set(archive.tensorNames)
    var derived = DerivedTensors()
    for name in archive.tensorNames {
      let end = name.split(whereSeparator: { "./".contains($0) }).last ?? ""
      guard let others = weights[String(end)] else { continue }
      let prefix = String(name.dropLast(end.count))
      func header(_ ending: String) -> TensorHeader? {
        names.contains(prefix + ending) ? try? archive.header(of: prefix + ending) : nil
      }
      guard let input = header(String(end)), let hidden = header(others.hidden),
        let size = hiddenSize(input.shape, hidden.shape, gates: others.gates)
      else { continue }
      derived.entries[prefix + "weight_ih_l0"] = .success(DerivedTensor(name, input))
      derived.entries[prefix + "weight_hh_l0"] = .success(
        DerivedTensor(prefix + others.hidden, hidden))
      let rows = Shape([input.shape.axes[0]])
      if let bias = header("bias"), bias.shape == rows {
        derived.entries[prefix + "bias_ih_l0"] = .success(DerivedTensor(prefix + "bias", bias))
        derived.entries[prefix + "bias_hh_l0"] = .success(.zeros(as: prefix + "bias", bias))
      } else if let bias = header("b"), let last = header("bhn"), bias.shape == rows,
        last.shape == [size], last.elementType == bias.elementType
      {
        derived.entries[prefix + "bias_ih_l0"] = .success(DerivedTensor(prefix + "b", bias))
        derived.entries[prefix + "bias_hh_l0"] = .success(
          lastGate(prefix + "bhn", last, gates: 3))
      } else if let other = ["bias", "b", "bhn"].first(where: { names.contains(prefix + $0) }) {
        for parameter in ["weight_ih_l0", "weight_hh_l0"] {
          derived.entries[prefix + parameter] = nil
        }
        let found = (try? archive.header(of: prefix + other)).map { "\($0.shape)" } ?? "unreadable"
        derived.entries[prefix.isEmpty ? other : String(prefix.dropLast())] = .failure(
          .unsupported(
            "biases", expected: "bias \(rows), or b \(rows) and bhn (\(size),)",
            found: "\(other) \(found)"))
      }
    }
    return derived
  }

  /// What stands beside the weight of the input, and the numbers of gates that such a layer has.
  private static let weights: [String: (hidden: String, gates: [Int])] = [
    "Wx": ("Wh", [4, 3]), "Wxh": ("Whh", [1]),
  ]

  /// nil where these are the weights of no such layer.
  private static func hiddenSize(_ input: Shape, _ hidden: Shape, gates: [Int]) -> Int? {
    guard input.rank == 2, hidden.rank == 2, input.axes[0] == hidden.axes[0],
      case let size = hidden.axes[1], gates.contains(where: { $0 * size == hidden.axes[0] })
    else { return nil }
    return size
  }

  /// A bias of the last gate alone; that of the others is zero.
  private static func lastGate(
    _ source: String, _ header: TensorHeader, gates: Int
  ) -> DerivedTensor {
    let size = header.shape.elementCount
    let shape: Shape = [gates * size]
    return DerivedTensor(header: TensorHeader(header.elementType, shape), sources: [source]) {
      let own: [Double] = $0[0].elements()
      return Tensor([Double](repeating: 0, count: (gates - 1) * size) + own, shape: shape)
        .rounded(to: header.elementType)
    }
  }
}
