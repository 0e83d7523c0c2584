import TensorCore

/// What the shapes of a module's parameters are under one assumption about the module and its
/// sizes: most of them right, say, and one with its axes exchanged.
///
/// Where parameters contradict each other or the module's arguments, the assumption under which
/// the fewest do is the best explanation. It is looked for only then, so that no case that is
/// sound depends on it.
struct ShapeReading {
  private let configuration: RecurrentConfiguration
  /// The weights that fit as they are, and are not square.
  private var fitting: [String] = []
  /// The weights that fit as they are, and would with their axes exchanged.
  private var square: [String] = []
  /// The weights that fit with their axes exchanged.
  private var transposed: [Misfit] = []
  /// The parameters that fit in no way.
  private var others: [Misfit] = []
  /// How many biases fit.
  private var fittingBiases = 0

  private struct Misfit {
    let name: String
    let expected: Shape
    let found: Shape
  }

  /// The parameters by their names in a module, in the order of their layers.
  private typealias Parameters = [(name: String, parsed: ParameterName, shape: Shape)]

  private init(_ parameters: Parameters, as configuration: RecurrentConfiguration) {
    self.configuration = configuration
    for (name, parsed, shape) in parameters {
      let expected = configuration.shape(of: parsed.role, layer: parsed.layer)
      let isExchanged = shape.axes == expected.axes.reversed()
      switch (shape == expected, isExchanged) {
      case (true, true): if shape.rank == 2 { square.append(name) } else { fittingBiases += 1 }
      case (true, false): fitting.append(name)
      case (false, true): transposed.append(Misfit(name: name, expected: expected, found: shape))
      case (false, false): others.append(Misfit(name: name, expected: expected, found: shape))
      }
    }
  }

  private var isBetter: (ShapeReading) -> Bool {
    { (others.count, transposed.count) < ($0.others.count, $0.transposed.count) }
  }
}

// MARK: - Looking for the best one

extension ShapeReading {
  /// What is wrong with the shapes of a module's parameters; nil where each of them fits, and
  /// where most fit in no way.
  ///
  /// - Parameter arguments: those that the manifest states.
  static func explanation(
    of shapes: [String: Shape], _ arguments: ModuleArguments
  ) -> InvalidValue? {
    let isCell = arguments.module.isCell
    let parsed = shapes.compactMap { name, shape in
      ParameterName(name, isCell: isCell).map { (name: name, parsed: $0, shape: shape) }
    }
    let parameters = parsed.sorted { a, b in
      func place(_ name: ParameterName) -> (Int, Int) { (name.layer, name.direction.rawValue) }
      return place(a.parsed) == place(b.parsed)
        ? a.parsed.role.order < b.parsed.role.order : place(a.parsed) < place(b.parsed)
    }
    let own = best(parameters, arguments, arguments.module)
    if let own, own.others.isEmpty, own.transposed.isEmpty { return nil }
    let modules = RecurrentModule.allCases.filter { $0.isCell == isCell && $0 != arguments.module }
    let other = modules.lazy.compactMap { best(parameters, arguments, $0) }.first {
      $0.others.isEmpty && ($0.transposed.isEmpty || own?.others.isEmpty != true)
    }
    return other?.anotherModule(than: arguments.module) ?? own?.misfit
  }

  /// The assumption under which the fewest parameters do not fit a module.
  private static func best(
    _ parameters: Parameters, _ arguments: ModuleArguments, _ module: RecurrentModule
  ) -> ShapeReading? {
    let first = parameters.filter { $0.parsed.layer == 0 }
    func axes(_ roles: ParameterSpecification.Role...) -> [Int] {
      first.filter { roles.contains($0.parsed.role) }.flatMap(\.shape.axes)
    }
    // What is stated comes first, and so is preferred to what explains as much.
    func sizes(_ stated: Int?, _ told: [Int]) -> [Int] {
      [stated].compactMap(\.self) + Set(told).filter { $0 != stated }.sorted()
    }
    let gates = module.recurrence.gates.count
    let rows = axes(.weightIH, .weightHH, .biasIH, .biasHH).filter { $0 % gates == 0 }
    let projections = axes(.weightHR)
    let isProjected = !projections.isEmpty || (arguments.projSize ?? 0) > 0
    var best: ShapeReading?
    for hiddenSize in sizes(arguments.hiddenSize, rows.map { $0 / gates } + projections) {
      for inputSize in sizes(arguments.inputSize, axes(.weightIH)) {
        for projSize in isProjected ? sizes(arguments.projSize, projections) : [0] {
          let configuration = try? RecurrentConfiguration(
            module: module, inputSize: inputSize, hiddenSize: hiddenSize,
            bidirectional: parameters.contains { $0.parsed.direction == .reverse },
            projSize: projSize)
          guard let configuration else { continue }
          let reading = ShapeReading(parameters, as: configuration)
          if best.map(reading.isBetter) ?? true { best = reading }
        }
      }
    }
    return best
  }
}

// MARK: - Saying it

extension ShapeReading {
  /// That the parameters are those of this reading's module.
  private func anotherModule(than given: RecurrentModule) -> InvalidValue {
    let module = configuration.module
    return InvalidValue(
      "module", expected: module.rawValue, found: given.rawValue,
      remedy: """
        these are \(module.withArticle)'s weights: every parameter fits one with \
        \(rows(of: module)) rows, where \(given.rawValue) has \(rows(of: given)); \
        say "module": "\(module.rawValue)"
        """)
  }

  /// How many rows the weights have, by gates and units: "3·6".
  private func rows(of module: RecurrentModule) -> String {
    "\(module.recurrence.gates.count)·\(configuration.hiddenSize)"
  }

  /// What is wrong where the module is right; nil where more is wrong than right.
  private var misfit: InvalidValue? {
    if others.isEmpty, let first = transposed.first {
      return error(first, "the shape \(first.expected)", remedy: transposition)
    }
    let right = fitting.count + square.count + fittingBiases
    guard let first = others.first, others.count < right else { return nil }
    return error(first, "the shape \(first.expected), as most parameters tell")
  }

  private func error(
    _ misfit: Misfit, _ expected: String, remedy: String? = nil
  ) -> InvalidValue {
    InvalidValue(
      "state_dict/" + misfit.name, expected: expected, found: "\(misfit.found)", remedy: remedy)
  }

  /// Which weights are transposed. A square one does not show it.
  private var transposition: String {
    let names = transposed.map(\.name)
    guard fitting.isEmpty else {
      let listed = names.prefix(4).joined(separator: ", ")
      let more = names.count > 4 ? " and \(names.count - 4) more" : ""
      return "\(listed)\(more) \(names.count == 1 ? "looks" : "look") transposed: "
        + "all other parameters fit; save weight.T"
    }
    let unknown = square.first.map { ", and the square \($0) may be too" } ?? ""
    return (names.count == 1 ? "\(names[0]) looks transposed" : "all weights look transposed")
      + unknown + ": PyTorch's have a row for each unit of each gate, "
      + "Keras' kernels a column; save weight.T"
  }
}

extension ParameterSpecification.Role {
  /// The place among a layer's parameters.
  fileprivate var order: Int { Self.allCases.firstIndex(of: self) ?? 0 }
}

extension RecurrentModule {
  /// The class's name behind its article, as it is read: "an LSTM", "a GRU".
  fileprivate var withArticle: String { (recurrence == .gru ? "a " : "an ") + rawValue }
}
