import JSON
import TensorArchives

/// What the description of a Keras model, which stands in `.keras` and whole-model `.h5` files,
/// says of its recurrent layers beside their weights.
///
/// Source: the descriptions that Keras 3.15 and 2 write, and `to_snake_case` and `_save_state` in
/// keras-team/keras for the places of weights.
struct KerasConfiguration {
  /// The arguments of a layer.
  typealias Arguments = [String: JSONValue]

  private var byPlace: [[String]: Arguments] = [:]
  private var byName: [[String]: Arguments] = [:]

  /// - Parameter remarks: gets what is not known without such a description.
  /// - Returns: nil where the file has none that can be read.
  init?(of archive: any TensorArchive, _ remarks: inout [String]) {
    guard let text = archive.modelConfiguration, let json = try? JSONParser.parse(text) else {
      remarks.append(
        "no description of the Keras model can be read in the file: its layers are taken to be as "
          + "they are by default (tanh, sigmoid)")
      return nil
    }
    visit(json, place: [], name: [])
  }

  /// - Parameters:
  ///   - value: a model or a layer.
  ///   - place: what its weights' place is, by classes.
  ///   - name: the names of the layers down to it.
  private mutating func visit(_ value: JSONValue, place: [String], name: [String]) {
    guard let config = value["config"] else { return }
    var arguments = config.members
    // A layer made of a cell has the activations there.
    arguments.merge(config["cell"]?["config"]?.members ?? [:]) { own, _ in own }
    byPlace[place] = arguments
    byName[name] = arguments
    visit(config["layers"]?.elements ?? config.elements, place, name)
    let isBidirectional = value["class_name"]?.text == "Bidirectional"
    if let layer = config["layer"] {
      let own = layer["config"]?["name"]?.text ?? ""
      // Keras 2 describes the layer by the name that it had before it was wrapped.
      let isNamed = !isBidirectional || own.hasPrefix("forward_")
      visit(
        layer, place: place + [isBidirectional ? "forward_layer" : "layer"],
        name: name + [isNamed ? own : "forward_" + own])
    }
    if let layer = config["backward_layer"] {
      visit(
        layer, place: place + ["backward_layer"],
        name: name + [layer["config"]?["name"]?.text ?? ""])
    }
    let cells = config["cell"]?["config"]?["cells"]?.elements ?? []
    visit(cells, place + ["cell", "cells"], name + ["stacked_rnn_cells"])
  }

  private mutating func visit(_ layers: [JSONValue], _ place: [String], _ name: [String]) {
    var counts: [String: Int] = [:]
    for layer in layers {
      let own = Self.snakeCase(layer["class_name"]?.text ?? "")
      let count = counts[own, default: 0]
      counts[own] = count + 1
      visit(
        layer, place: place + [count == 0 ? own : "\(own)_\(count)"],
        name: name + [layer["config"]?["name"]?.text ?? own])
    }
  }

  /// The name of a class as Keras makes a layer's out of it: `simple_rnn` of `SimpleRNN`.
  private static func snakeCase(_ name: String) -> String {
    name.replacing(/(.)([A-Z][a-z]+)/) { "\($0.1)_\($0.2)" }
      .replacing(/([a-z])([A-Z])/) { "\($0.1)_\($0.2)" }.lowercased()
  }
}

extension KerasConfiguration {
  /// - Returns: nil where it does not know the layer.
  private func known(_ place: KerasPlace, dropping count: Int = 0) -> Arguments? {
    let words = Array(place.words.dropLast(count))
    return (place.naming == .byPlace ? byPlace : byName)[words]
  }

  private func arguments(_ place: KerasPlace, dropping count: Int = 0) -> Arguments {
    known(place, dropping: count) ?? [:]
  }

  /// - Parameter remarks: gets what is to be known of the module where it is used.
  /// - Throws: `ArchiveError.Reason` where no module of PyTorch computes what the layers do.
  func check(
    _ module: KerasModule, _ name: String, _ remarks: inout [String]
  ) throws(ArchiveError.Reason) {
    if [module.forward, module.backward].contains(where: {
      $0.map { known($0.place) == nil } ?? false
    }) {
      remarks.append(
        "\(name): the description of the Keras model does not tell of it, and it is taken to be as it "
          + "is by default (tanh, sigmoid)")
    }
    try Self.check(arguments(module.forward.place), module.forward.kind, isBackward: false)
    if let backward = module.backward {
      try Self.check(arguments(backward.place), backward.kind, isBackward: true)
      let mode = arguments(module.forward.place, dropping: 1)["merge_mode"]?.text ?? "concat"
      if mode != "concat" {
        remarks.append(
          "\(name): merge_mode is \(mode) in Keras; PyTorch's module gives both directions side by "
            + "side")
      }
    }
    if arguments(module.forward.place)["activation"]?.text == "relu" {
      remarks.append("\(name): activation is relu: give --relu to parity-check run")
    }
  }

  private static func check(
    _ arguments: Arguments, _ kind: KerasLayer.Kind, isBackward: Bool
  ) throws(ArchiveError.Reason) {
    func require(_ key: String, _ expected: [String]) throws(ArchiveError.Reason) {
      guard let value = arguments[key], case let found = value.text ?? value.summary,
        !expected.contains(found)
      else { return }
      throw .unsupported(
        key, expected: expected.joined(separator: " or ") + ", as PyTorch computes",
        found: found)
    }
    try require("activation", kind == .simpleRNN ? ["tanh", "relu"] : ["tanh"])
    if kind != .simpleRNN { try require("recurrent_activation", ["sigmoid"]) }
    if kind == .gru, arguments["reset_after"] == .boolean(false) { throw .resetBefore }
    guard let backwards = arguments["go_backwards"], backwards != .boolean(isBackward) else {
      return
    }
    throw .unsupported(
      "go_backwards", expected: isBackward ? "True in the backward layer" : "False",
      found: isBackward
        ? "False"
        : "True, which no module of PyTorch has; with the sequence reversed it is False")
  }
}

extension JSONValue {
  fileprivate subscript(_ key: String) -> JSONValue? { members[key] }

  fileprivate var members: [String: JSONValue] {
    if case .object(let members) = self { members } else { [:] }
  }

  fileprivate var elements: [JSONValue] {
    if case .array(let elements) = self { elements } else { [] }
  }

  /// A string, or the name of the function that an object describes.
  fileprivate var text: String? {
    if case .string(let text) = self { text } else { members["config"]?.text }
  }
}
