import JSON
package import ParityFixtures
import RecurrentModel
import TensorArchives
import TensorCore

/// What `parity-check inspect --json` prints: the files that were read, each with its tensors and
/// its recurrent modules.
///
/// ```json
/// [{"path": "model.pt",
///   "tensors": [{"name": "lstm.weight_hh_l0", "type": "float32", "shape": [96, 24],
///                "least": -0.2, "largest": 0.2, "non_finite": 0}],
///   "modules": [{"name": "lstm", "module": "LSTM", "arguments": {"input_size": 16, …}}]}]
/// ```
package enum InspectJSON {
  package static func text(_ inspections: [Inspection]) -> String {
    JSONValue.array(inspections.map(value)).text
  }

  private static func value(_ inspection: Inspection) -> JSONValue {
    var values: [String: JSONValue] = [
      "path": .string(inspection.path),
      "tensors": .array(inspection.tensors.map(value)),
      "modules": .array(
        inspection.modules.map { module in
          .object([
            "name": .string(module.name),
            "module": .string(module.configuration.module.rawValue),
            "arguments": .object(module.configuration.jsonArguments),
          ])
        }),
    ]
    values["remarks"] = .array(inspection.remarks.map { .string($0) })
    for form in CheckpointForm.allCases {
      let names = inspection.derivedNames[form] ?? []
      values["put_together_from_" + form.rawValue] = .array(names.map { .string($0) })
    }
    return .object(values)
  }

  private static func value(_ tensor: Inspection.TensorLine) -> JSONValue {
    var values: [String: JSONValue] = ["name": .string(tensor.name)]
    values["error"] = tensor.problem.map { .string($0) }
    if let header = tensor.header {
      values["type"] = .string(header.elementType.rawValue)
      values["shape"] = .array(header.shape.axes.map { .integer($0) })
    }
    if let range = tensor.range {
      values["least"] = .number(range.lowerBound)
      values["largest"] = .number(range.upperBound)
    }
    if tensor.header?.elementType.isFloatingPoint == true {
      values["non_finite"] = .integer(tensor.nonFinite)
    }
    return .object(values)
  }
}
