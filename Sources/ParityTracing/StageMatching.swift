package import ParityFixtures
package import RecurrentModel
import TensorArchives
import TensorCore

/// Which tensor of an implementation stands in the place of which value of the reference.
package struct StageMatching: Sendable {
  /// How the tensors were found.
  package enum Way: Sendable, Equatable {
    /// By their names.
    case names
    /// By their names, once this is taken from the start of each.
    case prefix(String)
    /// No name is in both: by their shapes and numbers.
    case shapes
  }

  package let way: Way
  /// The names of the implementation's tensors, by the names of the values.
  package let actual: [String: String]
  /// The implementation's tensors that are in the place of no value, in the order of their names.
  package let extra: [String]

  /// - Parameter map: names that the user has brought together.
  /// - Throws: `InvalidValue` where the map names what is not there, and where nothing of the
  ///   implementation can be brought together with the reference.
  package init(
    _ reference: ReferenceStages, _ tensors: ActualTensors, map: NameMap
  ) throws(InvalidValue) {
    let values = reference.stages.flatMap(\.outputs)
    let names = tensors.names
    try Self.check(map, values: values, names: names)
    let free = names.filter { !map.actual.values.contains($0) }
    let open = values.filter { map.actual[$0] == nil }
    var (found, way) = (Self.byName(open, free, reference), Way.names)
    if found.isEmpty, let prefix = Self.commonPrefix(open, free, reference) {
      let short = free.filter { $0.hasPrefix(prefix) }
      let own = Self.byName(open, short.map { String($0.dropFirst(prefix.count)) }, reference)
      (found, way) = (own.mapValues { prefix + $0 }, .prefix(prefix))
    }
    if found.isEmpty, map.actual.isEmpty {
      (found, way) = (Self.byShape(reference, tensors), .shapes)
    }
    found.merge(map.actual) { _, stated in stated }
    guard !found.isEmpty else { throw Self.nothingInCommon(values, names, tensors.paths) }
    self.way = way
    actual = found
    let used = Set(found.values)
    extra = names.filter { !used.contains($0) }
  }

  /// Values of which there is no tensor, each with a tensor that has no value and is the only one of
  /// the same shape: what may belong together.
  ///
  /// - Complexity: O(values + tensors).
  package func suggestions(
    _ reference: ReferenceStages, _ tensors: ActualTensors
  ) -> [(value: String, name: String)] {
    let missing = reference.stages.filter { !$0.isBetweenModules && !$0.isBackward }
      .flatMap(\.outputs).filter { actual[$0] == nil }
    func axes(_ source: (any TensorSource)?) -> [Int]? { source?.header.shape.withoutOnes }
    let shapes = Dictionary(
      grouping: extra, by: { axes(try? tensors.source(of: $0)) ?? [] })
    var found: [(value: String, name: String)] = []
    for value in missing {
      guard let own = axes(try? reference.values[value]?.source()), !own.isEmpty,
        let names = shapes[own], names.count == 1, !found.contains(where: { $0.name == names[0] })
      else { continue }
      found.append((value, names[0]))
    }
    return found
  }

  private static func check(
    _ map: NameMap, values: [String], names: [String]
  ) throws(InvalidValue) {
    for (value, name) in map.actual.sorted(by: { $0.key < $1.key }) {
      for (found, known) in [(value, values), (name, names)] where !known.contains(found) {
        throw InvalidValue(
          NameMap.option, expected: "a name such as \(known.prefix(3).joined(separator: ", "))",
          found: found)
      }
    }
  }

  private static func nothingInCommon(
    _ values: [String], _ names: [String], _ paths: [String]
  ) -> InvalidValue {
    func some(_ names: [String]) -> String {
      names.isEmpty ? "nothing" : names.prefix(3).joined(separator: ", ")
    }
    return InvalidValue(
      paths.joined(separator: ", "), expected: "tensors named like \(some(values))",
      found: "none of these, but \(some(names))",
      remedy: "no name is in both: --map NAME=OTHER brings two together, --rename 's/OLD/NEW/' "
        + "changes the implementation's")
  }

  // MARK: - By names

  /// The spellings by which a value is found, the likeliest first, in the form of `plain`.
  private static func spellings(_ value: String, of stage: RecordedStage) -> [String] {
    let own = plain(value)
    let module = plain(stage.name)
    // A stage's only output is often called by the stage alone, or as its output.
    var spellings = [own]
    if stage.outputs.count == 1 || own == module + ".output" {
      spellings += [module, module + ".output", module + ".out", module + ".0"]
    }
    if let state = ["h_n", "c_n"].first(where: { own == "\(module).\($0)" }) {
      spellings.append("\(module).\(state.prefix(1))")
    }
    return spellings
  }

  /// A name in which all separators are dots.
  private static func plain(_ name: String) -> String {
    name.replacing("::", with: ".").replacing("__", with: ".").replacing("/", with: ".")
      .replacing(":", with: ".")
  }

  private static func byName(
    _ values: [String], _ names: [String], _ reference: ReferenceStages
  ) -> [String: String] {
    let exact = Set(names)
    var plainNames: [String: String] = [:]
    for name in names { plainNames[plain(name)] = plainNames[plain(name)] ?? name }
    var found: [String: String] = [:]
    var used: Set<String> = []
    for value in values {
      guard let index = reference.producers[value] else { continue }
      let own = exact.contains(value) ? value : nil
      let other = spellings(value, of: reference.stages[index]).lazy.compactMap { plainNames[$0] }
        .first { !used.contains($0) }
      guard let name = own ?? other, used.insert(name).inserted else { continue }
      found[value] = name
    }
    return found
  }

  /// What most of the names start with that are a value's name behind it: `model.` where they are
  /// called `model.conv` and so on.
  private static func commonPrefix(
    _ values: [String], _ names: [String], _ reference: ReferenceStages
  ) -> String? {
    var counts: [String: Int] = [:]
    for value in values {
      guard let index = reference.producers[value] else { continue }
      for spelling in spellings(value, of: reference.stages[index]) {
        for name in names where plain(name).hasSuffix("." + spelling) {
          counts[
            String(name.dropLast(name.count - (plain(name).count - spelling.count))), default: 0] +=
            1
        }
      }
    }
    return counts.max { ($0.value, $1.key) < ($1.value, $0.key) }?.key
  }

  // MARK: - By shapes

  /// What the model's own code makes is left out: few dump it.
  private static func byShape(
    _ reference: ReferenceStages, _ tensors: ActualTensors
  ) -> [String: String] {
    let values = reference.stages.filter { !$0.isBetweenModules && !$0.isBackward }
      .flatMap(\.outputs)
    return ShapePairing(
      values.compactMap { .init($0, try? reference.values[$0]?.source()) },
      tensors.names.compactMap { .init($0, try? tensors.source(of: $0)) }
    ).found
  }
}
