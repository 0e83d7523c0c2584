package import TensorCore

/// What the modules of a chain give: tensors by their names in a fixture, in the order in
/// which they are made.
///
/// A single recurrent module gives `output`, `h_n` and `c_n`. A chain gives these for each of
/// its modules with the module's name before them, as in `bilstm.h_n`, and at last `output`,
/// which is what its last module hands on.
///
/// - Complexity: looking a tensor up is O(tensors), of which there are few.
package struct Results: Sendable {
  package private(set) var named: [(name: String, tensor: Tensor)] = []

  package init(_ named: [(name: String, tensor: Tensor)] = []) {
    for (name, tensor) in named { self[name] = tensor }
  }

  package init(_ outputs: RecurrentOutput) { self.init(outputs.named) }

  /// A new name stands last; a known one keeps its place.
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

  /// Those of another's names that stand here too, in their own order.
  package func only(_ names: [String]) -> Results {
    Results(named.filter { names.contains($0.name) })
  }

  package func mapping(_ change: (_ name: String, Tensor) -> Tensor) -> Results {
    Results(named.map { ($0, change($0, $1)) })
  }

  /// The results of one recurrent module; nil where its h_n is missing.
  ///
  /// - Parameter module: its name, which is empty in a case of one module.
  package func outputs(of module: String) -> RecurrentOutput? {
    func own(_ name: String) -> Tensor? { self[Self.name(name, of: module)] }
    return own("h_n").map { RecurrentOutput(output: own("output"), hN: $0, cN: own("c_n")) }
  }

  /// `bilstm.h_n`, and `h_n` of a module without a name.
  package static func name(_ name: String, of module: String) -> String {
    module.isEmpty ? name : module + "." + name
  }
}

extension RecurrentOutput {
  /// Under the names that they have as the results of a chain's module.
  package func results(of module: String) -> Results {
    Results(named.map { (Results.name($0, of: module), $1) })
  }
}
