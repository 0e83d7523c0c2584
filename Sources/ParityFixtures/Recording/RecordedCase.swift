import JSON
import RecurrentModel
import TensorArchives
package import TensorCore

extension Recording {
  /// Whether a stage is a call of a module that this package computes.
  package func isComputed(_ stage: RecordedStage) -> Bool { stage.arguments != nil }

  /// The names of the values that a computed stage is given, by the names that they have in a case:
  /// `input`, and of a recurrent module `h_0`, `c_0` and `lengths`.
  package func inputs(of stage: RecordedStage) -> [String: String] {
    let places = ["input": "0", "h_0": "1", "c_0": "2"]
    var inputs = places.compactMapValues { stage.input(at: $0) }
    inputs["input"] = inputs["input"] ?? stage.input(at: "input")
    inputs["lengths"] = stage.lengths
    return inputs
  }

  /// The case that a computed stage makes with inputs, its reference computed by the oracle and
  /// rounded once.
  ///
  /// - Parameters:
  ///   - inputs: by the names of `inputs(of:)`.
  ///   - results: what is to be judged, by `output`, `h_n` and `c_n`; the case has no other
  ///     results.
  /// - Throws: `CaseError` where the parameters can't be read, and where inputs or results do not
  ///   fit the module.
  /// - Complexity: O(1 forward pass in float64).
  package func parityCase(
    of stage: RecordedStage, inputs: [String: Tensor], results: [String: Tensor]
  ) throws(CaseError) -> ParityCase {
    let isRecurrent = RecurrentModule(rawValue: stage.className) != nil
    let parameters: [String: Tensor]
    do { parameters = try self.parameters(of: stage) } catch { throw .unreadable(error) }
    var tensors: [String: Tensor] = [:]
    let prefix = isRecurrent ? "state_dict/" : "state_dict/\(Self.only)."
    for (name, tensor) in parameters { tensors[prefix + name] = tensor }
    for (name, tensor) in inputs { tensors["inputs/" + name] = tensor }
    for (name, tensor) in results { tensors["outputs/" + name] = tensor }
    let location = CaseLocation(name: stage.name, path: archive.path)
    do throws(InvalidValue) {
      let manifest = try Manifest(
        .object(json(of: stage, isRecurrent, results)))
      let own = try ParityCase(location, manifest, tensors)
      guard let chain = own.chain else { return own }
      let exact = try chain.results(in: .float64) { _, call in call.oracleOutputs }
      let types = results.mapValues(\.elementType)
      return own.with(
        reference: Results(
          own.reference.names.compactMap { name in
            exact[name].map { (name, $0.rounded(to: types[name] ?? .float32)) }
          }))
    } catch {
      throw .invalid(path: archive.path, error.within(stage.name))
    }
  }

  /// The name of the one module of a chain that stands for a stage.
  private static let only = "stage"

  private func json(
    of stage: RecordedStage, _ isRecurrent: Bool, _ results: [String: Tensor]
  ) -> [String: JSONValue] {
    var json: [String: JSONValue] = ["format": .string(Manifest.format)]
    let arguments = stage.arguments ?? .object([:])
    if isRecurrent {
      json["module"] = .string(stage.className)
      json["arguments"] = arguments
      json["packed"] = stage.packed
      json["outputs"] = .array(results.keys.sorted().map(JSONValue.string))
    } else {
      json["module"] = .string("Sequential")
      json["modules"] = .array([
        .object([
          "name": .string(Self.only), "module": .string(stage.className), "arguments": arguments,
        ])
      ])
    }
    // What tensors can't say: products in TF32, bfloat16 in a file that has no such type, and
    // results that were rounded to 16 bits when they were stored.
    let stored = results.values.compactMap { Arithmetic(of: $0.elementType) }
      .reduce(arithmetic) { $0.coarser($1) }
    if stored != .float32 && stored != .float64 {
      json["arithmetic"] = .string(stored.rawValue)
    }
    return json
  }
}
