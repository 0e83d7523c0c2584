package import TensorCore

/// What the modules of a chain give: tensors by the names that they have in a fixture, in the
/// order in which they are computed.
///
/// ```swift
/// var results = Results(call.oracleOutputs)
/// results.names                          // ["output", "h_n", "c_n"]
/// results["h_n"]?.shape                  // (2, 3, 6)
/// Results.name("h_n", of: "bilstm")      // bilstm.h_n
/// ```
///
/// A recurrent module by itself gives `output`, `h_n` and, where it is an LSTM, `c_n`; a cell
/// gives no `output`. A chain gives the same for each of its modules, with the module's name
/// before it, as in `bilstm.h_n`, and last its own `output`, which is what its last module hands
/// on.
///
/// It is no dictionary: it keeps the order, and holds a handful of tensors.
///
/// - Complexity: looking a tensor up is O(tensors).
package struct Results: Sendable {
  package private(set) var named: [(name: String, tensor: Tensor)] = []

  package init(_ named: [(name: String, tensor: Tensor)] = []) {
    for (name, tensor) in named { self[name] = tensor }
  }

  package init(_ outputs: RecurrentOutput) { self.init(outputs.named) }

  /// The tensor of a name. A tensor that is set under a new name comes last; one under a known
  /// name takes the place of the old one; setting nil removes it.
  package subscript(name: String) -> Tensor? {
    get { named.first { $0.name == name }?.tensor }
    set {
      let place = named.firstIndex { $0.name == name }
      switch (place, newValue) {
      case (let place?, let tensor?): named[place].tensor = tensor
      case (let place?, nil): named.remove(at: place)
      case (nil, let tensor?): named.append((name, tensor))
      case (nil, nil): break
      }
    }
  }

  package var names: [String] { named.map(\.name) }

  /// The results whose names are among `names`, in the order that they have here.
  package func only(_ names: [String]) -> Results {
    Results(named.filter { names.contains($0.name) })
  }

  /// The same names with the tensors that `change` returns for them.
  package func mapping(_ change: (_ name: String, Tensor) -> Tensor) -> Results {
    Results(named.map { ($0, change($0, $1)) })
  }

  /// The results of one recurrent module.
  ///
  /// - Parameter module: the module's name, which is empty in a case of one module.
  /// - Returns: nil where the module's h_n is missing.
  package func outputs(of module: String) -> RecurrentOutput? {
    func own(_ name: String) -> Tensor? { self[Self.name(name, of: module)] }
    return own("h_n").map { RecurrentOutput(output: own("output"), hN: $0, cN: own("c_n")) }
  }

  /// The names of the results of a module by itself.
  package static let ownNames = ["output", "h_n", "c_n"]

  /// Whether a result of some module could have this name: `h_n`, `bilstm.h_n`, and `outputs/h_n`,
  /// as fixtures have it.
  package static func isName(_ name: String) -> Bool {
    let own = name.split(omittingEmptySubsequences: false) { "./".contains($0) }.last
    return own.map { ownNames.contains(String($0)) } ?? false
  }

  /// The name that a module's result has in a fixture: `bilstm.h_n`, and `h_n` where the module
  /// has no name.
  package static func name(_ name: String, of module: String) -> String {
    module.isEmpty ? name : module + "." + name
  }
}

extension RecurrentOutput {
  /// The same tensors under the names that they have as results of a chain's module.
  package func results(of module: String) -> Results {
    Results(named.map { (Results.name($0, of: module), $1) })
  }
}
