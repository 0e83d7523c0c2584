package import TensorCore

extension ModuleArguments {
  /// The configuration that these arguments and parameters make together, and the parameters,
  /// checked against it.
  ///
  /// Where the two do not fit together, the error blames what most of them speak against:
  /// parameters of another kind of module, names, single tensors, and the module where all of
  /// them belong to another one.
  ///
  /// - Parameters:
  ///   - tensors: the parameters by their names in the module.
  ///   - input: the shape of the module's input, which tells its size where there are no
  ///     parameters; nil where it is not known.
  /// - Throws: `InvalidValue`, naming the parameter or the argument.
  /// - Complexity: O(parameters), whatever their sizes.
  package func checked(
    _ tensors: [String: Tensor], input: Shape?
  ) throws(InvalidValue) -> (RecurrentConfiguration, StateDict) {
    let shapes = tensors.mapValues(\.shape)
    do throws(InvalidValue) {
      let inferred = InferredArguments(parameters: shapes, input: input, outputs: [:])
      let configuration = try configuration(with: inferred)
      return (configuration, try StateDict(tensors, checkedAgainst: configuration))
    } catch {
      if let foreign = ForeignParameters(shapes, of: module) {
        let another = ShapeReading.explanation(of: shapes, self).flatMap {
          $0.name == "module" ? $0 : nil
        }
        throw another ?? foreign.error
      }
      throw ParameterNames(shapes.keys, of: module).explanation(of: error)
        ?? ShapeReading.explanation(of: shapes, self) ?? error
    }
  }
}

/// The names of the parameters that were given for a module, of which some are none of its.
private struct ParameterNames {
  let module: RecurrentModule
  /// The names that some module of this class has.
  private let known: [String: ParameterName]
  /// The other names, sorted.
  private let unknown: [String]

  /// The most layers of which a name can be meant by one that is not known.
  private static let largestLayer = 15

  init(_ names: some Collection<String>, of module: RecurrentModule) {
    self.module = module
    let parsed = names.map { ($0, ParameterName($0, isCell: module.isCell)) }
    known = Dictionary(
      parsed.compactMap { name, parsed in parsed.map { (name, $0) } },
      uniquingKeysWith: { first, _ in first })
    unknown = parsed.filter { $0.1 == nil }.map(\.0).sorted()
  }

  /// What the names say about an error that these parameters have led to; nil where they are
  /// not to blame.
  func explanation(of error: InvalidValue) -> InvalidValue? {
    // A cell's parameters in another module, or the other way round: the error says so.
    if known.isEmpty, unknown.contains(where: { ParameterName($0, isCell: !module.isCell) != nil })
    {
      return error
    }
    let slips = NearNames.slips(in: unknown, missing: possible.filter { known[$0] == nil })
    if let first = slips.first {
      return InvalidValue(
        "state_dict/" + first.found, expected: "the name of a parameter of nn.\(module.rawValue)",
        found: "another", remedy: NearNames.question(slips))
    }
    guard let missing = module.neededParameters.first(where: { known[$0] == nil }) else {
      return nil
    }
    return InvalidValue(
      "state_dict/" + missing, expected: "a tensor", found: "none",
      remedy: unknown.first.map {
        "state_dict has \($0.prefix(60))"
          + (unknown.count > 1 ? " and \(unknown.count - 1) more of other names" : "")
      })
  }

  /// The names that can have been meant: those of one layer more than there are names of.
  private var possible: [String] {
    let isCell = module.isCell
    let layers = isCell ? 0 : min((known.values.map(\.layer).max() ?? 0) + 1, Self.largestLayer)
    let directions: [Direction] = isCell ? [.forward] : [.forward, .reverse]
    return (0...layers).flatMap { layer in
      directions.flatMap { direction in
        ParameterSpecification.Role.allCases.map {
          ParameterSpecification.name($0, layer: layer, direction, isCell: isCell)
        }
      }
    }
  }
}
