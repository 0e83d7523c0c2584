import TensorCore

/// What a tensor of another shape than a result's may be: the result in another layout, or a part
/// of it. Each is told by what its axes stand for, and said together with what to do.
///
/// A new one is one more element of a list. The first whose shape and numbers fit is meant.
struct ResultReading: Sendable {
  /// For each axis, what it stands for.
  let axes: [[ResultAxis]]
  /// What the tensor is. Of a part, `pick` says which; it is nil where its numbers are none of the
  /// result's.
  let what: @Sendable (ResultLayout, _ pick: ResultLayout.Pick?) -> String
  /// What to do, where no expression makes the result of the tensor.
  let remedy: @Sendable (ResultLayout) -> String
  /// What the tensor is called in the expression that makes the result of it; nil for the
  /// result's own name.
  var variable: String?
  /// Whether the reading means anything for this result: a batch of which one sequence is given
  /// has two.
  var applies: @Sendable (ResultLayout) -> Bool = { _ in true }

  /// The readings of a result of this name, `output`, `h_n` or `c_n`.
  static func all(_ name: String) -> [ResultReading] { name == "output" ? outputs : states }

  private static func whole(_ axes: [ResultAxis]..., is what: String) -> ResultReading {
    ResultReading(axes: axes, what: { layout, _ in "\(layout.name) \(what)" }, remedy: { _ in "" })
  }

  private static let allRows: @Sendable (ResultLayout) -> String = {
    "give all \($0.rows) rows, by layer, then direction"
  }
  private static let allSequences: @Sendable (ResultLayout) -> String = {
    "give all \($0.size(.sequence)) sequences"
  }

  // MARK: - h_n and c_n

  private static let states = [
    whole(
      [.sequence], [.layer, .direction], [.unit],
      is: "with the batch first, which batch_first=True does not mean"),
    whole([.layer], [.direction], [.sequence], [.unit], is: apart),
    whole([.direction], [.layer], [.sequence], [.unit], is: apart),
    whole([.sequence], [.layer], [.direction], [.unit], is: apart),
    whole([.layer], [.sequence], [.direction, .unit], is: joined),
    ResultReading(
      axes: [[.sequence], [.direction, .unit]],
      what: { layout, pick in
        pick.map { "\(layout.layerRows($0)) \(joined)" }
          ?? "one layer's rows of \(layout.name) \(joined)"
      },
      remedy: allRows, applies: { $0.size(.direction) > 1 && $0.size(.layer) > 1 }),
    ResultReading(
      axes: [[.sequence], [.unit]],
      what: { layout, pick in
        pick.map { "\(layout.name)[\(layout.row($0))] alone" } ?? "one row of \(layout.name) alone"
      },
      remedy: allRows),
    ResultReading(
      axes: [[.direction], [.sequence], [.unit]],
      what: { layout, pick in
        pick.map { "\(layout.layerRows($0)) alone, the rows of one layer" }
          ?? "the rows of one layer of \(layout.name) alone"
      },
      remedy: allRows, applies: { $0.size(.layer) > 1 }),
    ResultReading(
      axes: [[.layer], [.sequence], [.unit]],
      what: { layout, pick in
        pick.map { "\(layout.name)[\($0[.direction] ?? 0)::2] alone, the rows of one direction" }
          ?? "the rows of one direction of \(layout.name) alone"
      },
      remedy: allRows, applies: { $0.size(.direction) > 1 }),
    ResultReading(
      axes: [[.layer, .direction], [.unit]],
      what: { layout, pick in
        pick.map { "\(layout.name)[:, \($0[.sequence] ?? 0)] alone, one sequence of the batch" }
          ?? "one sequence of the batch alone"
      },
      remedy: allSequences),
    ResultReading(
      axes: [[.layer, .direction], [.step], [.unit]],
      what: { layout, _ in
        "\(layout.name) where the steps were taken for sequences, as under the other batch_first"
      },
      remedy: { "run the module with batch_first=\($0.batchFirst ? "True" : "False")" }),
    everyStep([.step], [.sequence], [.direction, .unit]),
    everyStep([.sequence], [.step], [.direction, .unit]),
  ]

  private static let apart = "with layers and directions on axes of their own"
  private static let joined = "with the directions joined in the last axis"

  private static func everyStep(_ axes: [ResultAxis]...) -> ResultReading {
    ResultReading(
      axes: axes, what: { _, _ in "a state for every step" },
      remedy: { "\($0.name) is the last state of each layer and direction alone" })
  }

  // MARK: - output

  private static let outputs = [
    ResultReading(
      axes: [[.step], [.direction], [.sequence], [.unit]],
      what: { _, _ in "ONNX's Y, with an axis for the directions" }, remedy: { _ in "" },
      variable: "Y", applies: { $0.size(.direction) > 1 }),
    whole([.step], [.sequence], [.direction, .unit], is: "with the steps first"),
    whole([.sequence], [.step], [.direction, .unit], is: "with the batch first"),
    whole([.step], [.sequence], [.direction], [.unit], is: directionsApart),
    whole([.sequence], [.step], [.direction], [.unit], is: directionsApart),
    whole([.sequence], [.direction], [.step], [.unit], is: directionsApart),
    whole([.direction], [.step], [.sequence], [.unit], is: directionsApart),
    whole([.direction], [.sequence], [.step], [.unit], is: directionsApart),
    whole([.step, .sequence], [.direction, .unit], is: flattened),
    whole([.sequence, .step], [.direction, .unit], is: flattened),
    oneDirection([.step], [.sequence], [.unit]),
    oneDirection([.sequence], [.step], [.unit]),
    ResultReading(
      axes: [[.step], [.direction, .unit]],
      what: { layout, pick in
        pick.map {
          let sequence = $0[.sequence] ?? 0
          let index = layout.batchFirst ? "[\(sequence)]" : "[:, \(sequence)]"
          return "output\(index) alone, one sequence of the batch"
        } ?? "one sequence of the batch alone"
      },
      remedy: allSequences),
    ResultReading(
      axes: [[.sequence], [.direction, .unit]], what: { $0.oneStep($1) + " alone" },
      remedy: { "give all \($0.size(.step)) steps" }),
    ResultReading(
      axes: [[.sequence], [.unit]],
      what: { layout, pick in
        let part = pick.map { ", \(layout.half($0))" } ?? " of one direction"
        return layout.oneStep(pick) + part + " alone"
      },
      remedy: { "give all \($0.size(.step)) steps of both directions" },
      applies: { $0.size(.direction) > 1 }),
  ]

  private static let directionsApart = "with the directions on an axis of their own"
  private static let flattened = "with steps and sequences in one axis"

  private static func oneDirection(_ axes: [ResultAxis]...) -> ResultReading {
    ResultReading(
      axes: axes,
      what: { layout, pick in
        pick.map { "\(layout.half($0)) of output alone" }
          ?? "one direction's half of output, or the two merged by a sum or a mean"
      },
      remedy: { _ in "PyTorch joins the two in the last axis, forward first" },
      applies: { $0.size(.direction) > 1 })
  }
}

// MARK: - Saying which part

extension ResultLayout {
  /// A state's row, as an index: the last one is -1.
  fileprivate func row(_ pick: Pick) -> Int {
    let row = (pick[.layer] ?? 0) * size(.direction) + (pick[.direction] ?? 0)
    return row == rows - 1 ? -1 : row
  }

  /// The rows of one layer, as an expression.
  fileprivate func layerRows(_ pick: Pick) -> String {
    let (layer, directions) = (pick[.layer] ?? 0, size(.direction))
    return layer == size(.layer) - 1
      ? "\(name)[-\(directions):]"
      : "\(name)[\(directions * layer):\(directions * (layer + 1))]"
  }

  fileprivate func half(_ pick: Pick) -> String {
    pick[.direction] == 1 ? "the reverse half" : "the forward half"
  }

  fileprivate func oneStep(_ pick: Pick?) -> String {
    guard let step = pick?[.step] else { return "one step of output" }
    let index = step == size(.step) - 1 ? -1 : step
    return axes.first == [.sequence] ? "output[:, \(index)]" : "output[\(index)]"
  }
}
