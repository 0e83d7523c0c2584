import RecurrentModel
package import ParityFixtures
import TensorArchives
import TensorCore

/// The text of `parity-check inspect`: the tensors of a file as a tree, the recurrent modules in
/// it, and where their results stand.
package struct InspectText {
  private let style: Style

  package init(_ style: Style) { self.style = style }

  /// - Parameter inspection: of one file.
  package func lines(_ inspection: Inspection) -> [String] {
    let tensors = inspection.tensors
    let numbers = tensors.reduce(0) { $0 + ($1.header?.shape.elementCount ?? 0) }
    let head =
      "\(Style.printable(inspection.path)): \(NumberText.count(tensors.count, "tensor")), "
      + NumberText.count(numbers, "number")
    return [head] + tree(tensors) + modules(inspection)
      + inspection.remarks.map { "note: " + Style.printable($0) }
  }

  // MARK: - Tensors

  private func tree(_ tensors: [Inspection.TensorLine]) -> [String] {
    let names = tensors.map { Style.printable($0.parts.last ?? $0.name) }
    let indents = tensors.map { 2 * max(1, $0.parts.count) }
    let width = zip(names, indents).map { $0.count + $1 }.max() ?? 0
    var lines: [String] = []
    var open: [String] = []
    for (index, tensor) in tensors.enumerated() {
      let groups = Array(tensor.parts.dropLast())
      let common = zip(open, groups).prefix { $0 == $1 }.count
      for depth in common..<max(common, groups.count) {
        lines.append(
          String(repeating: "  ", count: depth + 1) + Style.printable(groups[depth]) + ".")
      }
      open = groups
      let indent = String(repeating: " ", count: indents[index])
      lines.append(
        Style.padded(indent + names[index], to: width) + "  " + detail(tensor))
    }
    return lines
  }

  private func detail(_ tensor: Inspection.TensorLine) -> String {
    guard let header = tensor.header else {
      return style.colored(Style.printable(tensor.problem ?? "cannot be read"), .red)
    }
    var parts = ["\(header.elementType) \(header.shape)"]
    if let range = tensor.range {
      parts.append(
        "\(NumberText.scientific(range.lowerBound)) to \(NumberText.scientific(range.upperBound))")
    }
    if tensor.nonFinite > 0 {
      parts.append(style.colored("\(tensor.nonFinite) not finite", .red))
    }
    return parts.joined(separator: "  ")
  }

  // MARK: - Modules

  private func modules(_ inspection: Inspection) -> [String] {
    guard !inspection.modules.isEmpty else { return ["no recurrent module of PyTorch's"] }
    let notes = CheckpointForm.allCases.compactMap { form -> String? in
      let count = inspection.derivedNames[form]?.count ?? 0
      return count == 0 ? nil : "; " + form.note(count)
    }
    return ["", NumberText.count(inspection.modules.count, "recurrent module") + notes.joined()]
      + inspection.modules.flatMap { lines($0, inspection.path) }
  }

  private func lines(_ module: FoundModule, _ path: String) -> [String] {
    let own = module.configuration
    let name = module.prefix.isEmpty ? "" : "\(Style.printable(module.name)): "
    let place = module.prefix.isEmpty ? path : "\(path):\(module.name)"
    return ["  \(name)\(own.pythonText)"]
      + (own.module.isCell ? cellLines(own) : layoutLines(own)).map { "    " + $0 }
      + ["    next: parity-check run \(Style.printable(place)) --input x.npy --out result.npz"]
  }

  private func cellLines(_ own: RecurrentConfiguration) -> [String] {
    ["h_n (B, \(own.hiddenSize))" + (own.module.recurrence.hasCellState ? ", c_n the same" : "")]
  }

  /// Where each layer and direction stands in the results, as a picture.
  private func layoutLines(_ own: RecurrentConfiguration) -> [String] {
    let (size, rows) = (own.outputSize, own.stateRows)
    let last = own.stateRow(layer: own.numLayers - 1, .forward)
    var lines = ["output (T, B, \(own.outputFeatures)), or (B, T, …) with batch_first=True"]
    let forward = " 0…\(size - 1) forward, layer \(own.numLayers - 1) "
    if own.bidirectional {
      let reverse = " \(size)…\(2 * size - 1) reverse, layer \(own.numLayers - 1) "
      let bars =
        "+" + String(repeating: "-", count: forward.count) + "+"
        + String(repeating: "-", count: reverse.count) + "+"
      lines += [bars, "|\(forward)|\(reverse)|", bars]
    } else {
      let bars = "+" + String(repeating: "-", count: forward.count) + "+"
      lines += [bars, "|\(forward)|", bars]
    }
    lines.append(
      "h_n (\(rows), B, \(size))"
        + (own.module.recurrence.hasCellState ? ", c_n (\(rows), B, \(own.hiddenSize))" : ""))
    for row in 0..<min(rows, Self.rowsShown) {
      let (layer, direction) = row.quotientAndRemainder(dividingBy: own.directions.count)
      let identity =
        row < last
        ? ""
        : direction == 0
          ? "  == output[-1, :, :\(size)]" : "  == output[0, :, \(size):]"
      lines.append(
        "  [\(row)] layer \(layer)\(own.bidirectional ? ", \(own.directions[direction])" : "")"
          + identity)
    }
    if rows > Self.rowsShown { lines.append("  … \(rows - Self.rowsShown) more, layer by layer") }
    return lines
  }

  private static let rowsShown = 12
}
