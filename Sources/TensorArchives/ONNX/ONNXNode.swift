import Platform

/// One node of an ONNX graph (`NodeProto`), as far as its weights are concerned.
struct ONNXNode {
  private(set) var name = ""
  private(set) var operation = ""
  /// The names of the tensors that go in; empty for one that is left out.
  private(set) var inputs: [String] = []
  private(set) var outputs: [String] = []
  private(set) var integers: [String: Int] = [:]
  private(set) var lists: [String: [Int]] = [:]
  private(set) var texts: [String: [String]] = [:]
  /// The names of the attributes that are floats.
  private(set) var floats: Set<String> = []
  /// The attribute `value` of a constant.
  private(set) var value: ONNXTensor?
  /// The graphs inside of a node `If`, `Loop` or `Scan`.
  private(set) var graphs: [Data] = []

  /// The most inputs or outputs of a node that is of interest here.
  private static let mostNames = 64
  /// The most numbers of an attribute that is of interest.
  private static let mostNumbers = 64

  /// - Parameter message: a `NodeProto`.
  /// - Throws: `ArchiveError.Reason` where it is none.
  init(_ message: Data) throws(ArchiveError.Reason) {
    var reader = ProtobufReader(message, of: "node")
    var attributes: [Data] = []
    while let (field, value) = try reader.next() {
      switch field {
      case 1: if inputs.count < Self.mostNames { inputs.append(value.text) }
      case 2: if outputs.count < Self.mostNames { outputs.append(value.text) }
      case 3: name = value.text
      case 4: operation = value.text
      case 5: attributes.append(value.message)
      default: break
      }
    }
    for attribute in attributes { try read(attribute) }
  }

  /// - Parameter message: an `AttributeProto`.
  private mutating func read(_ message: Data) throws(ArchiveError.Reason) {
    var reader = ProtobufReader(message, of: "attribute")
    var (name, integer, texts, list) = ("", Int?.none, [String](), [Int]())
    var hasFloat = false
    var tensor: Data?
    while let (field, value) = try reader.next() {
      switch field {
      case 1: name = value.text
      case 2: hasFloat = true
      case 3: integer = value.integer
      case 4, 9: texts.append(value.text)
      case 5: tensor = value.message
      case 6, 11: graphs.append(value.message)
      case 8 where list.count < Self.mostNumbers: list += try Self.numbers(value)
      default: break
      }
    }
    integers[name] = integer
    if !list.isEmpty { lists[name] = list }
    if !texts.isEmpty { self.texts[name] = texts }
    if hasFloat { floats.insert(name) }
    if name == "value", let tensor { value = try ONNXTensor(tensor) }
  }

  /// Gives other names to those tensors that go in or come out.
  mutating func rename(_ names: [String: String]) {
    inputs = inputs.map { names[$0] ?? $0 }
    outputs = outputs.map { names[$0] ?? $0 }
  }

  /// Numbers that stand one by one, or several in one field.
  private static func numbers(_ value: ProtobufReader.Value) throws(ArchiveError.Reason) -> [Int] {
    guard case .bytes(let packed) = value else { return [value.integer] }
    var reader = ProtobufReader(packed, of: "attribute")
    var numbers: [Int] = []
    while !reader.isAtEnd, numbers.count < mostNumbers {
      numbers.append(Int(truncatingIfNeeded: try reader.number()))
    }
    return numbers
  }

  /// The name of an input; nil where it is left out.
  func input(_ index: Int) -> String? {
    index < inputs.count && !inputs[index].isEmpty ? inputs[index] : nil
  }
}
