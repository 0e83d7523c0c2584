import RecurrentModel
import TensorCore

/// The blocks of the gates in another order than PyTorch's.
///
/// Sources of the orders: the ONNX operators LSTM ("iofc") and GRU ("zrh"); Keras' `LSTMCell` and
/// `GRUCell` (i, f, c, o and z, r, h); OpenVINO's LSTMCell (f, i, c, o) and GRUCell (z, r, h);
/// TensorFlow 1's `BasicLSTMCell` and Haiku's `LSTM` (i, g, f, o); Core ML's and ncnn's LSTM
/// (i, f, o, g); Chainer's `LSTM` (g, i, f, o).
enum GateMistakes {
  static let all = orders(of: .lstm) + orders(of: .gru)

  /// The frameworks that have an order of LSTM's gates, by that order. Keras has PyTorch's own.
  private static let knownLSTM = [
    "iofg": "ONNX", "figo": "OpenVINO", "igfo": "TensorFlow 1 and Haiku",
    "ifog": "Core ML and ncnn", "gifo": "Chainer",
  ]
  /// The same for a GRU.
  private static let knownGRU = ["zrn": "ONNX, Keras and OpenVINO"]

  /// One mistake for each order of the gates other than PyTorch's.
  private static func orders(of recurrence: Recurrence) -> [Mistake] {
    let known = recurrence == .lstm ? knownLSTM : knownGRU
    let gates = recurrence.gates
    let inverses = Dictionary(
      known.map { order, framework in (inverse(order, gates), framework) },
      uniquingKeysWith: { first, _ in first })
    let mistakes = permutations(gates).dropFirst().map { order in
      mistake(order, gates, known[order.joined()], inverses[order.joined()])
    }
    // Orders that some framework has are likelier than any others.
    return mistakes.filter { !$0.origins.isEmpty } + mistakes.filter { $0.origins.isEmpty }
  }

  /// - Parameters:
  ///   - order: the order in which the blocks stand.
  ///   - gates: PyTorch's order.
  ///   - framework: one that stores the gates in this order.
  ///   - reordered: a framework for whose order PyTorch's blocks were rearranged, and then read
  ///     as if they were still in PyTorch's: that gives this order.
  private static func mistake(
    _ order: [String], _ gates: [String], _ framework: String?, _ reordered: String?
  ) -> Mistake {
    let what =
      "the \(gates.count == 4 ? "four" : "three") blocks of weight_ih, weight_hh and the biases"
    var origins: [String] = []
    var advice = "PyTorch's order of \(what) is \(list(gates)): reorder them"
    if let framework {
      origins = [framework]
      advice =
        "PyTorch's order of \(what) is \(list(gates)): weights that were made for one of the two "
        + "need reordering for the other"
    } else if let reordered {
      origins = ["reordering for \(reordered) and then reading in PyTorch's order"]
      advice =
        "\(what) stand in \(reordered)'s order, or were put into it once too often; PyTorch's is "
        + list(gates)
    }
    return Mistake(
      "gates-" + order.joined(), with: "the gates in the order \(list(order))", advice,
      by: origins,
      issue: reordered == "ONNX" ? "CrispStrobe/CrispASR#106" : nil,
      needs: [gates.count == 4 ? .lstm : .gru], isOfEachParameter: true
    ) { replay in
      let blocks = gates.map { order.firstIndex(of: $0) ?? 0 }
      replay.changeParameters { current, parameter in
        parameter.hasGates ? current.tensor(parameter).takingBlocks(blocks) : nil
      }
    }
  }

  private static func list(_ gates: [String]) -> String { gates.joined(separator: ", ") }

  /// The order that undoes another.
  private static func inverse(_ order: String, _ gates: [String]) -> String {
    let letters = order.map(String.init)
    return gates.map { gate in gates[letters.firstIndex(of: gate) ?? 0] }.joined()
  }

  /// All orders of these items; the first is the order that they have.
  private static func permutations(_ items: [String]) -> [[String]] {
    guard items.count > 1 else { return [items] }
    return items.indices.flatMap { index in
      var rest = items
      let first = rest.remove(at: index)
      return permutations(rest).map { [first] + $0 }
    }
  }
}
