import Platform

/// The values that the machine makes out of others, and out of bytes.
extension PickleMachine {
  /// What a class or function would make. Dictionaries and sets are known, with what they are
  /// made from.
  mutating func instance(_ callable: PickleValue, _ arguments: [PickleValue])
    -> PickleObject
  {
    guard case .global(let name) = callable else {
      return .instance(PickleInstance(name: "an object", arguments: arguments))
    }
    switch name {
    case "collections.OrderedDict", "builtins.dict", "__builtin__.dict":
      let pairs = arguments.first.map(sequence) ?? []
      work += pairs.count
      return .dictionary(
        pairs.map(sequence).filter { $0.count == 2 }.map {
          PickleItem(key: $0[0], value: $0[1])
        })
    case "collections.defaultdict": return .dictionary([])
    case "builtins.set", "builtins.frozenset", "__builtin__.set", "__builtin__.frozenset":
      return .list(arguments.first.map(sequence) ?? [])
    default: return .instance(PickleInstance(name: name, arguments: arguments))
    }
  }

  /// The values of a tuple or list; none of what is neither.
  func sequence(_ value: PickleValue) -> [PickleValue] {
    guard case .object(let number) = value else { return [] }
    switch objects[number] {
    case .tuple(let values), .list(let values): return values
    default: return []
    }
  }

  /// Keys and values that follow each other.
  func items(_ values: [PickleValue]) throws(ArchiveError.Reason) -> [PickleItem] {
    guard values.count % 2 == 0 else { throw wrong("a value for each key") }
    return stride(from: 0, to: values.count, by: 2).map {
      PickleItem(key: values[$0], value: values[$0 + 1])
    }
  }

  mutating func push(_ object: PickleObject) {
    objects.append(object)
    push(.object(objects.count - 1))
  }

  func kept(_ number: Int) throws(ArchiveError.Reason) -> PickleValue {
    guard let value = memo[number] else { throw wrong("a value that was kept as \(number)") }
    return value
  }

  func long(_ bytes: Data) -> PickleValue {
    guard bytes.count <= 8 else { return .largeInteger(bytes) }
    let isNegative = bytes.last.map { $0 >= 0x80 } ?? false
    let start: UInt64 = isNegative ? .max : 0
    return .integer(
      Int(truncatingIfNeeded: bytes.reversed().reduce(start) { $0 << 8 | UInt64($1) }))
  }

  /// Text that is no UTF-8, as Python allows it, is repaired.
  func text(_ bytes: Data) -> String { String(decoding: bytes, as: UTF8.self) }
}
