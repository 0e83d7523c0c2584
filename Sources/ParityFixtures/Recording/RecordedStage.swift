import JSON
import RecurrentModel

/// One call of a module, as a recording lists it: which values it was given, and which it gave.
package struct RecordedStage: Sendable {
  /// `encoder.lstm`, and `encoder.lstm#2` of its second call.
  package let name: String
  /// The name that the module has in its model, `encoder.lstm`.
  package let moduleName: String
  /// The module's class, such as `Conv1d`.
  package let className: String
  /// The names of the values that it was given: by position first, then by keyword.
  package let inputs: [String]
  /// The names of the values that it gave.
  package let outputs: [String]
  /// The names of the arguments that `inputs` were given as: `0`, `1`, …, or a keyword.
  let places: [String]
  /// The name of the value that holds an input as the module was given it, where that is a part of
  /// the value in `inputs`, or in another order; by place.
  let views: [String: String]
  /// The name of the value that holds the lengths of packed sequences.
  let lengths: String?
  /// The constructor's arguments of a module that this package computes, and what the manifest of
  /// its case says of packing.
  let arguments: JSONValue?
  let packed: JSONValue?

  /// A stage about which nothing is known but its order.
  ///
  /// - Parameters:
  ///   - name: of the stage, and of the only value that it gives.
  ///   - inputs: the names of the values that it is given.
  package init(_ name: String, className: String = "", inputs: [String], outputs: [String]) {
    (self.name, moduleName, self.className) = (name, name, className)
    (self.inputs, self.outputs) = (inputs, outputs)
    (places, views, lengths, arguments, packed) = ([], [:], nil, nil, nil)
  }

  private static let keys = [
    "name", "call", "module", "arguments", "packed", "inputs", "keywords", "views", "lengths",
    "outputs",
  ]

  /// Reads the `stages` of a recording's manifest.
  ///
  /// - Throws: `InvalidValue`, naming the key, where there is none, for what is missing or unknown,
  ///   where two are the same call of one module, and where a stage gives a value that a stage
  ///   before it gave or was given.
  static func all(in manifest: ManifestObject) throws(InvalidValue) -> [RecordedStage] {
    let objects = try manifest.objects("stages", known: keys) ?? []
    guard !objects.isEmpty else {
      throw InvalidValue(
        "stages", expected: "at least one stage",
        found: manifest.contains("stages") ? "an empty array" : "none")
    }
    var stages: [RecordedStage] = []
    var names: Set<String> = []
    // The index of the stage that a value was first seen at.
    var seen: [String: Int] = [:]
    for (index, object) in objects.enumerated() {
      let stage = try RecordedStage(object)
      guard names.insert(stage.name).inserted else {
        throw InvalidValue(
          object.name(of: "name"), expected: "a call of its own", found: "\(stage.name) again")
      }
      for input in stage.inputs { seen[input] = seen[input] ?? index }
      for output in stage.outputs {
        if let earlier = seen[output] {
          throw InvalidValue(
            object.name(of: "outputs"), expected: "values that no stage before it has",
            found: earlier == index
              ? "\(output), which the stage is given itself"
              : "\(output), which \(stages[earlier].name) has already",
            remedy: "the stages must stand in the order in which they ran")
        }
        seen[output] = index
      }
      stages.append(stage)
    }
    return stages
  }

  private init(_ object: ManifestObject) throws(InvalidValue) {
    moduleName = try object.required("name", try object.string("name"), "a name")
    let call = try object.integer("call") ?? 1
    name = call > 1 ? "\(moduleName)#\(call)" : moduleName
    className = try object.string("module") ?? ""
    arguments = object.value("arguments")
    packed = object.value("packed")
    let positional = try object.strings("inputs") ?? []
    let keywords = try object.texts("keywords")
    let named = keywords.sorted { $0.key < $1.key }
    inputs = positional + named.map(\.value)
    places = positional.indices.map(String.init) + named.map(\.key)
    views = try object.texts("views")
    lengths = try object.string("lengths")
    outputs = try object.strings("outputs") ?? []
    guard !outputs.isEmpty else {
      throw InvalidValue(object.name(of: "outputs"), expected: "at least one value", found: "none")
    }
  }

  /// The value that a stage was given a view of: the whole of it; nil where `value` is none of the
  /// stage's views.
  package func whole(ofView value: String) -> String? {
    views.first { $0.value == value }.flatMap { view in
      places.firstIndex(of: view.key).map { inputs[$0] }
    }
  }

  /// The names of all values that it was given: its inputs, and those that hold an input as the
  /// module was given it.
  package var given: [String] { inputs + views.values.sorted() }

  /// The name of the value that a module was given at a place, such as `0`; nil where there is none.
  func input(at place: String) -> String? {
    if let view = views[place] { return view }
    return places.firstIndex(of: place).map { inputs[$0] }
  }
}
