import TensorArchives

/// Where the weights of one recurrent layer of Keras stand in a file, for one direction.
///
/// | written by | kernel, recurrent kernel and bias |
/// |---|---|
/// | Keras 3, `.weights.h5` and `.keras` | `layers/lstm/cell/vars/0`, `…/1`, `…/2` |
/// | Keras 3, `.h5` | `model_weights/lstm/lstm/lstm_cell/kernel`, `recurrent_kernel`, `bias` |
/// | Keras 2, `.h5` | the same with `:0` behind it, and of weights alone without `model_weights` |
///
/// Source: the files that Keras 3.15 writes, and `_save_state` in `keras/src/saving`.
struct KerasPlace: Sendable {
  /// How a file names the layers: by the places that they have in the model, which Keras counts by
  /// classes (`lstm_1`), or by the names that they have there.
  enum Naming: Sendable { case byPlace, byName }

  let naming: Naming
  /// The layer's name, behind those of the models and layers that it is in.
  let words: [String]
  /// The folders that the weights stand in.
  let folder: [String]
  /// The names of the three weights, of which the file may lack any but the kernel.
  let kernel: String
  let recurrentKernel: String
  let bias: String
  /// Whether the name says that this is the cell of a recurrent layer.
  let isCell: Bool

  /// - Parameter name: of a tensor.
  /// - Returns: nil where it can be no layer's kernel.
  init?(kernel name: String) {
    let words = name.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
    guard let last = words.last, !words.contains(where: { $0.hasPrefix("optimizer") }) else {
      return nil
    }
    folder = Array(words.dropLast())
    kernel = name
    let start = String(name.dropLast(last.count))
    if last == "0", folder.last == "vars" {
      naming = .byPlace
      (recurrentKernel, bias) = (start + "1", start + "2")
      let own = folder.dropLast().filter { $0 != "layers" }
      isCell = own.last?.contains("cell") == true
      self.words = own.count > 1 && own.last == "cell" ? own.dropLast() : own
    } else if last == "kernel" || last == "kernel:0" {
      naming = .byName
      (recurrentKernel, bias) = (start + "recurrent_" + last, start + "bias" + last.dropFirst(6))
      isCell = true
      self.words = Self.layer(folder)
    } else {
      return nil
    }
  }

  /// A layer's name out of folders such as `model_weights/lstm/lstm/lstm_cell`: the first is
  /// called like the layer, or the model, that the file lists, and those in it repeat that.
  private static func layer(_ folders: [String]) -> [String] {
    let start = (folders.firstIndex(of: "model_weights") ?? -1) + 1
    let before = folders.prefix(max(0, start - 1))
    var words = Array(folders.dropFirst(start))
    if let first = words.first, let again = words.dropFirst().firstIndex(of: first) {
      words = [first] + words[(again + 1)...]
    }
    if words.count > 1, words[words.count - 2] != "stacked_rnn_cells",
      words[words.count - 1].wholeMatch(of: /(lstm|gru|simple_rnn)_cell(_\d+)?/) != nil
    {
      words.removeLast()
    }
    return before + words
  }

  /// What the two halves of a `Bidirectional` have in common: all but the start of the last name.
  /// Nil for what is not the half that starts so.
  ///
  /// - Parameter start: `forward_` or `backward_`.
  func common(toHalvesOf start: String) -> [String]? {
    guard words.count > 1, let last = words.last, last.hasPrefix(start) else { return nil }
    return ["\(naming)"] + words.dropLast() + [String(last.dropFirst(start.count))]
  }
}
