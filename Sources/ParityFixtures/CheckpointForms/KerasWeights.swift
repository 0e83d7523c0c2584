import TensorArchives
import TensorCore

/// The weights of LSTM, GRU and SimpleRNN layers of Keras as the parameters of PyTorch's modules.
///
/// With H units, I input features, and G gates (4, 3 and 1):
///
/// | Keras | shape | PyTorch |
/// |---|---|---|
/// | kernel | (I, G·H) | `weight_ih_l0` (G·H, I) |
/// | recurrent kernel | (H, G·H) | `weight_hh_l0` (G·H, H) |
/// | bias of an LSTM or SimpleRNN | (G·H) | `bias_ih_l0` (G·H); `bias_hh_l0` is zero |
/// | bias of a GRU | (2, 3·H) | `bias_ih_l0` and `bias_hh_l0` (3·H) |
///
/// The gates stand in the orders i, f, c, o (LSTM) and z, r, h (GRU); in PyTorch i, f, g, o, where
/// g is Keras' c, and r, z, n, where n is h. A GRU of `reset_after=False` has a bias of (3·H), and
/// no module of PyTorch computes it. The two layers of a `Bidirectional` are one module.
///
/// Source: `keras/src/layers/rnn` in keras-team/keras, and the formulas in PyTorch's documentation.
enum KerasWeights {
  static func derived(from archive: any TensorArchive) -> DerivedTensors {
    let layers = KerasLayer.all(in: archive)
    var derived = DerivedTensors()
    guard !layers.isEmpty else { return derived }
    let configuration = KerasConfiguration(of: archive, &derived.remarks)
    let modules = KerasModule.all(of: layers)
    let names = Dictionary(grouping: modules, by: \.name)
    for module in modules {
      // Two layers may be called alike in different parts of a model.
      let name = names[module.name]?.count == 1 ? module.name : module.fullName
      do throws(ArchiveError.Reason) {
        try configuration?.check(module, name, &derived.remarks)
        for (parameter, tensor) in try module.parameters() {
          derived.entries["\(name).\(parameter)"] = .success(tensor)
        }
      } catch {
        derived.entries[name] = .failure(error)
      }
    }
    return derived
  }
}

/// One recurrent layer of Keras, which reads in one direction.
struct KerasLayer {
  /// By the number of gates.
  enum Kind: Int { case lstm = 4, gru = 3, simpleRNN = 1 }

  let place: KerasPlace
  let kind: Kind
  let kernel: TensorHeader
  let recurrentKernel: TensorHeader
  let bias: TensorHeader?

  /// All layers of a checkpoint whose weights have such names and shapes.
  static func all(in archive: any TensorArchive) -> [KerasLayer] {
    let names = Set(archive.tensorNames)
    return archive.tensorNames.compactMap { name in
      guard let place = KerasPlace(kernel: name), names.contains(place.recurrentKernel) else {
        return nil
      }
      return KerasLayer(place, in: archive, hasBias: names.contains(place.bias))
    }
  }

  private init?(_ place: KerasPlace, in archive: any TensorArchive, hasBias: Bool) {
    guard let kernel = try? archive.header(of: place.kernel),
      let recurrent = try? archive.header(of: place.recurrentKernel),
      kernel.elementType.isFloatingPoint, recurrent.elementType == kernel.elementType,
      kernel.shape.rank == 2, recurrent.shape.rank == 2,
      case let (units, columns) = (recurrent.shape.axes[0], recurrent.shape.axes[1]),
      kernel.shape.axes[1] == columns, units > 0, columns % units == 0,
      let kind = Kind(rawValue: columns / units), kind != .simpleRNN || place.isCell
    else { return nil }
    let bias = hasBias ? try? archive.header(of: place.bias) : nil
    guard hasBias == (bias != nil) else { return nil }
    (self.place, self.kind, self.kernel, recurrentKernel) = (place, kind, kernel, recurrent)
    self.bias = bias
  }

  /// The parameters by PyTorch's names, which end in `ending`.
  ///
  /// - Throws: `ArchiveError.Reason` where no module of PyTorch computes with such a bias.
  func parameters(
    _ ending: String
  ) throws(ArchiveError.Reason) -> [(name: String, tensor: DerivedTensor)] {
    let gates = kind == .gru ? [1, 0, 2] : []
    let weights = [
      ("weight_ih", DerivedTensor(place.kernel, kernel, isTransposed: true, gates: gates)),
      (
        "weight_hh",
        DerivedTensor(place.recurrentKernel, recurrentKernel, isTransposed: true, gates: gates)
      ),
    ]
    return (weights + (try biases(gates))).map { ($0 + ending, $1) }
  }

  private func biases(
    _ gates: [Int]
  ) throws(ArchiveError.Reason) -> [(String, DerivedTensor)] {
    guard let bias else { return [] }
    let columns = kernel.shape.axes[1]
    let expected: Shape = kind == .gru ? [2, columns] : [columns]
    guard bias.shape == expected, bias.elementType == kernel.elementType else {
      if kind == .gru, bias.shape == [columns] { throw .resetBefore }
      throw .unsupported(
        "bias", expected: "\(kernel.elementType) \(expected)",
        found: "\(bias.elementType) \(bias.shape)")
    }
    guard kind == .gru else {
      return [
        ("bias_ih", DerivedTensor(place.bias, bias)), ("bias_hh", .zeros(as: place.bias, bias)),
      ]
    }
    return ["bias_ih", "bias_hh"].enumerated().map { row, name in
      (name, DerivedTensor(place.bias, bias, row: row, gates: gates))
    }
  }
}

/// A recurrent layer of Keras, or the two of a `Bidirectional`: one module of PyTorch's.
struct KerasModule {
  let forward: KerasLayer
  let backward: KerasLayer?

  /// - Complexity: O(layers).
  static func all(of layers: [KerasLayer]) -> [KerasModule] {
    let forward = Set(layers.compactMap { $0.place.common(toHalvesOf: "forward_") })
    let backward = Dictionary(
      layers.compactMap { layer in
        layer.place.common(toHalvesOf: "backward_").map { ($0, layer) }
      }, uniquingKeysWith: { first, _ in first })
    return layers.filter { layer in
      layer.place.common(toHalvesOf: "backward_").map { !forward.contains($0) } ?? true
    }.map { layer in
      KerasModule(
        forward: layer,
        backward: layer.place.common(toHalvesOf: "forward_").flatMap { backward[$0] })
    }
  }

  /// What both layers are called, or the one.
  var name: String { joined(forward.place.words) }

  /// A name that no other module of the file has.
  var fullName: String { joined(forward.place.folder) }

  private func joined(_ words: [String]) -> String {
    (backward == nil ? words : words.dropLast()).joined(separator: ".")
  }

  /// The parameters by PyTorch's names.
  ///
  /// - Throws: `ArchiveError.Reason` where no module of PyTorch has both layers.
  func parameters() throws(ArchiveError.Reason) -> [(name: String, tensor: DerivedTensor)] {
    let own = try forward.parameters("_l0")
    guard let backward else { return own }
    let reverse = try backward.parameters("_l0_reverse")
    guard backward.kind == forward.kind,
      own.map({ $1.header }) == reverse.map({ $1.header })
    else {
      throw .unsupported(
        "backward layer", expected: "the shapes of the forward one", found: "others")
    }
    return own + reverse
  }
}

extension ArchiveError.Reason {
  /// A GRU of Keras' that PyTorch does not have.
  static let resetBefore = ArchiveError.Reason.unsupported(
    "reset_after", expected: "True, as PyTorch's GRU computes",
    found: "False: the reset gate multiplies h before the product")
}
