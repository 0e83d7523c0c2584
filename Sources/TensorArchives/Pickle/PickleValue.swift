import Platform

/// A value that a pickle builds. What holds other values is an object of the pickle's
/// `PickleObjects`, and here only its number, so that objects can be shared, and contain
/// themselves, as in Python, and no depth of nesting costs any stack.
enum PickleValue: Sendable {
  case none
  case boolean(Bool)
  case integer(Int)
  /// An integer beyond 64 bits, as its bytes, the lowest first.
  case largeInteger(Data)
  case number(Double)
  case string(String)
  case bytes(Data)
  /// A class or function by its name, such as `collections.OrderedDict`. It is a name and no
  /// more: nothing is ever looked up or called.
  case global(String)
  /// The number of an object.
  case object(Int)
}

/// What a pickle builds out of values.
enum PickleObject: Sendable {
  /// A list, or a set.
  case list([PickleValue])
  case tuple([PickleValue])
  /// A dictionary of any kind, in the order in which its items were added.
  case dictionary([PickleItem])
  /// What a class or function would make out of arguments, which is not known here.
  case instance(PickleInstance)
  /// What stands outside of the pickle, by the name that the pickle gives it.
  case persistent(PickleValue)
}

struct PickleItem: Sendable {
  let key: PickleValue
  let value: PickleValue
}

/// An object of a class that means nothing to the machine, kept as what it was made from.
struct PickleInstance: Sendable {
  /// The name of the class or function.
  let name: String
  let arguments: [PickleValue]
  /// What was to be set as its attributes; nil where nothing was.
  var state: PickleValue?
  /// What was added to it, where it is a kind of dictionary.
  var items: [PickleItem] = []
  /// What was added to it, where it is a kind of list.
  var elements: [PickleValue] = []
}

/// All objects of a pickle by their numbers, and the value that it stands for.
struct Pickle: Sendable {
  let root: PickleValue
  let objects: [PickleObject]

  /// The object that a value is the number of; nil for any other value.
  func object(_ value: PickleValue?) -> PickleObject? {
    if case .object(let number)? = value { objects[number] } else { nil }
  }

  /// The items of a tuple or a list; nil for any other value.
  func sequence(_ value: PickleValue?) -> [PickleValue]? {
    switch object(value) {
    case .tuple(let values), .list(let values): values
    default: nil
    }
  }

  /// The items of a dictionary; nil for any other value.
  func items(_ value: PickleValue?) -> [PickleItem]? {
    if case .dictionary(let items) = object(value) { items } else { nil }
  }

  /// The value of a string key in a dictionary; nil where there is none, and for what is no
  /// dictionary.
  func value(_ key: String, in value: PickleValue?) -> PickleValue? {
    items(value)?.last { if case .string(key) = $0.key { true } else { false } }?.value
  }
}
