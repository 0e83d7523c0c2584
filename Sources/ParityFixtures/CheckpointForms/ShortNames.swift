import RecurrentModel
import TensorArchives
import TensorCore

/// PyTorch's parameters under the short names that ports to NumPy and C give them: `enc_w_ih`,
/// `enc_w_hh`, `enc_b_ih` and `enc_b_hh` are `weight_ih_l0` to `bias_hh_l0` of the module `enc`.
/// Behind the short name may stand a layer and a direction, `w_ih_l1_reverse`.
///
/// Source: the weights that g2p_en 2.1.0 ships.
enum ShortNames {
  private static let roles = ["w_ih", "w_hh", "b_ih", "b_hh"]

  static func derived(from archive: any TensorArchive) -> DerivedTensors {
    let names = Set(archive.tensorNames)
    var derived = DerivedTensors()
    for name in archive.tensorNames {
      guard let (prefix, role, place) = parts(of: name), role == "w_ih",
        isModule(archive, prefix + "w_ih" + place, prefix + "w_hh" + place, names)
      else { continue }
      let own = prefix.isEmpty || prefix.hasSuffix("/") ? prefix : prefix.dropLast() + "."
      let ending = place.isEmpty ? "_l0" : place
      // Two may come to the same name, `enc_w_ih` and `enc.w_ih`: the first has it.
      guard derived.entries[own + "weight_ih" + ending] == nil else { continue }
      for role in roles {
        let source = prefix + role + place
        guard names.contains(source), let header = try? archive.header(of: source) else { continue }
        let whole = role.hasPrefix("w") ? "weight" : "bias"
        derived.entries[own + whole + role.dropFirst() + ending] =
          .success(DerivedTensor(source, header))
      }
    }
    return derived
  }

  /// What stands before the short name, the short name, and what stands behind it.
  private static func parts(of name: String) -> (prefix: String, role: String, place: String)? {
    for role in roles {
      guard let range = name.ranges(of: role).last else { continue }
      let (prefix, place) = (name[..<range.lowerBound], name[range.upperBound...])
      guard prefix.isEmpty || "_./".contains(prefix.last ?? " "),
        place.isEmpty || RecurrentModule.parameterName(endOf: "weight_ih" + place) != nil
      else { continue }
      return (String(prefix), role, String(place))
    }
    return nil
  }

  /// Whether two weights have as many rows, and these are those of one, three or four gates.
  private static func isModule(
    _ archive: any TensorArchive, _ input: String, _ hidden: String, _ names: Set<String>
  ) -> Bool {
    guard names.contains(hidden), let input = try? archive.header(of: input).shape,
      let hidden = try? archive.header(of: hidden).shape, input.rank == 2, hidden.rank == 2,
      input.axes[0] == hidden.axes[0], hidden.axes[1] > 0
    else { return false }
    return [1, 3, 4].contains { $0 * hidden.axes[1] == hidden.axes[0] }
  }
}
