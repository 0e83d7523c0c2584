package import RecurrentModel
import TensorArchives
import TensorCore

/// What to say of a file or folder of tensors without a manifest: how to add one.
package enum MissingManifest {
  /// The least that a manifest states, as JSON.
  package static func least(_ module: RecurrentModule) -> String {
    #"{"format": "\#(Manifest.format)", "module": "\#(module.rawValue)"}"#
  }

  /// - Parameter archive: the file or folder; nil where its tensors can't be read either.
  static func error(_ archive: (any TensorArchive)?, path: String) -> InvalidValue {
    let container = TensorContainer(path: path)
    let names = archive?.tensorNames ?? []
    let isCheckpoint = [.safetensors, .torch, .gguf, .onnx, .keras].contains(container)
    let dataset = isCheckpoint ? nil : ["manifest", manifestName].first(where: names.contains)
    return InvalidValue(
      "manifest", expected: place(container),
      found: dataset.map { "\(container == .hdf5 ? "a dataset" : "an array") \($0)" } ?? "none",
      remedy: dataset.map { move($0, container, path) }
        ?? inspect(archive, path) + add(container, path, module(archive)))
  }

  /// What to type first where the file is a checkpoint, and no case of which the manifest was
  /// forgotten; empty elsewhere.
  private static func inspect(_ archive: (any TensorArchive)?, _ path: String) -> String {
    let names = archive.map { CheckpointArchive($0).tensorNames } ?? []
    let isCase = names.contains { name in
      FixtureNames.groups.contains { name.hasPrefix($0 + "/") }
    }
    guard !isCase, names.contains(where: { RecurrentModule.parameterName(endOf: $0) != nil }) else {
      return ""
    }
    return "a checkpoint? parity-check inspect \(path) shows its recurrent modules and what to "
      + "type next; to make it a case, "
  }

  /// Where the manifest is expected.
  private static func place(_ container: TensorContainer?) -> String {
    switch container {
    case .hdf5: "an attribute \"manifest\" of the root, a string"
    case .npz: "a member \(manifestName), a text"
    case .safetensors: "a text \"manifest\" in __metadata__"
    case .torch: "a text \"manifest\" in the dictionary"
    case .gguf, .onnx, .keras: "a folder with \(manifestName), which can name this file"
    default: "a file \(manifestName)"
    }
  }

  private static func move(
    _ dataset: String, _ container: TensorContainer?, _ path: String
  ) -> String {
    guard container == .hdf5 else {
      return "leave it out of numpy.savez, and add it as text: " + write("text", path)
    }
    return "make it the attribute, with h5py: file.attrs[\"manifest\"] = "
      + "file[\"\(dataset)\"].asstr()[()]; del file[\"\(dataset)\"]"
  }

  private static func add(
    _ container: TensorContainer?, _ path: String, _ module: RecurrentModule?
  ) -> String {
    let least = least(module ?? .lstm)
    switch container {
    case .safetensors:
      return "add one, at least: safetensors.torch.save_file(tensors, \"\(path)\", "
        + "{\"manifest\": '\(least)'}); or where it holds parameters alone, "
        + borrow(path)
    case .gguf, .onnx, .keras: return borrow(path)
    case .torch:
      return "add one, at least: torch.save({\"manifest\": '\(least)', \"state_dict\": …, "
        + "\"inputs\": …, \"outputs\": …}, \"\(path)\"); or where it holds parameters alone, "
        + borrow(path)
    case .hdf5:
      return "add one, at least: h5py.File(\"\(path)\", \"a\").attrs[\"manifest\"] = '\(least)'"
    case .npz: return "add one, at least: " + write("'\(least)'", path)
    default: return "add one, at least \(least)"
    }
  }

  /// How parameters that belong to no case yet are used in one.
  private static func borrow(_ path: String) -> String {
    let source = BorrowedTensors(file: "../" + TensorContainer.lastComponent(of: path), prefix: "")
    return "make a folder with inputs/input.npy and "
      + "outputs/…, and \(source.advice)"
  }

  private static func write(_ text: String, _ path: String) -> String {
    "zipfile.ZipFile(\"\(path)\", \"a\").writestr(\"\(manifestName)\", \(text))"
  }

  /// The module that the parameters belong to; nil where they do not tell.
  private static func module(_ archive: (any TensorArchive)?) -> RecurrentModule? {
    guard let archive = archive.map(CheckpointArchive.init) else { return nil }
    var shapes: [String: Shape] = [:]
    for name in archive.tensorNames {
      guard let parameter = RecurrentModule.parameterName(endOf: name) else { continue }
      shapes[parameter] = (try? archive.header(of: name))?.shape
    }
    return InferredArguments(parameters: shapes, input: nil, outputs: [:]).module?.value
  }
}
