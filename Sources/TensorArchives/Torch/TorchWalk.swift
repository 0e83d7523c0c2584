/// Finds the tensors in what a file of `torch.save` holds, and names them as people would write
/// the way to them: the keys of dictionaries and the places in lists, with `.` between them, as
/// in `optimizer.state.0.exp_avg`.
///
/// A whole pickled module has the names of its `state_dict()`: its object's `_parameters`,
/// `_buffers` and `_modules`. Of other objects the attributes are followed.
struct TorchWalk {
  /// A tensor that was found: the name of the function that makes it, and its arguments.
  struct Found {
    let name: String
    let function: String
    let arguments: [PickleValue]
  }

  private let pickle: Pickle
  private(set) var found: [Found] = []
  /// The numbers of the objects on the way to the current one.
  private var open: [Int] = []
  /// The number of values that were looked at.
  private var work = 0

  /// The most levels of objects in each other; those of real models are some twenty.
  private static let largestDepth = 128
  /// The most values that are looked at. Objects may be shared, so that there are more ways to
  /// them than objects.
  private static let mostValues = 4_000_000

  /// - Throws: `ArchiveError` where dictionaries or lists contain themselves, or are nested too
  ///   deeply, or a key is longer than a name.
  init(_ pickle: Pickle) { self.pickle = pickle }

  /// Looks for tensors in a value and in all that it holds.
  ///
  /// - Parameter name: of the value; the names in it start with it.
  /// - Throws: `TorchWalk.Failure`.
  mutating func visit(_ value: PickleValue, name: String) throws(Failure) {
    guard case .object(let number) = value else { return }
    if let start = open.firstIndex(of: number) {
      // Objects of classes know their owners; only their own parts are theirs.
      guard open[start...].contains(where: isInstance) else {
        throw Failure(name, "no object that contains itself", "one")
      }
      return
    }
    guard open.count < Self.largestDepth else {
      throw Failure(name, "at most \(Self.largestDepth) levels", "more")
    }
    open.append(number)
    defer { open.removeLast() }
    switch pickle.objects[number] {
    case .list(let values), .tuple(let values): try visitAll(values, name: name)
    case .dictionary(let items): try visitItems(items, name: name)
    case .instance(let instance): try visitInstance(instance, name: name)
    case .persistent: break
    }
  }

  /// Why the walk ends, and where.
  struct Failure: Error {
    let name: String
    let reason: ArchiveError.Reason

    init(_ name: String, _ expected: String, _ found: String) {
      self.name = name
      reason = .unsupported("pickle", expected: expected, found: found)
    }
  }

  private func isInstance(_ number: Int) -> Bool {
    if case .instance = pickle.objects[number] { true } else { false }
  }

  private mutating func visitAll(_ values: [PickleValue], name: String) throws(Failure) {
    try count(values.count, name)
    for (index, value) in values.enumerated() {
      guard case .object = value else { continue }
      try visit(value, name: Self.join(name, "\(index)"))
    }
  }

  private mutating func visitItems(
    _ items: [PickleItem], name: String, except excluded: Set<String> = []
  ) throws(Failure) {
    try count(items.count, name)
    for (index, item) in items.enumerated() {
      guard case .object = item.value else { continue }
      let key =
        switch item.key {
        case .string(let text): text
        case .integer(let number): "\(number)"
        default: "[\(index)]"
        }
      guard key.utf8.count <= 1024 else {
        throw Failure(name, "keys of at most 1024 bytes", "more")
      }
      if !excluded.contains(key) { try visit(item.value, name: Self.join(name, key)) }
    }
  }

  private mutating func visitInstance(
    _ instance: PickleInstance, name: String
  ) throws(Failure) {
    if Self.wrappers.contains(instance.name) {
      guard let value = instance.arguments.first else { return }
      return try visit(value, name: name)
    }
    if instance.name == Self.typed, instance.arguments.count > 2,
      case .global(let function) = instance.arguments[0],
      let arguments = pickle.sequence(instance.arguments[2])
    {
      return found.append(Found(name: name, function: function, arguments: arguments))
    }
    if instance.name.hasPrefix("torch._utils._rebuild_") {
      return found.append(
        Found(name: name, function: instance.name, arguments: instance.arguments))
    }
    try visitItems(instance.items, name: name)
    try visitAll(instance.elements, name: name)
    guard let state = pickle.items(instance.state) else { return }
    try count(4 * state.count, name)
    guard let parameters = pickle.value("_parameters", in: instance.state),
      let modules = pickle.value("_modules", in: instance.state)
    else { return try visitItems(state, name: name, except: Self.copies) }
    try visitItems(pickle.items(parameters) ?? [], name: name)
    let buffers = pickle.value("_buffers", in: instance.state)
    let unsaved = pickle.sequence(
      pickle.value("_non_persistent_buffers_set", in: instance.state))
    try visitItems(
      pickle.items(buffers) ?? [], name: name,
      except: Set((unsaved ?? []).compactMap { if case .string(let key) = $0 { key } else { nil } })
    )
    try visitItems(pickle.items(modules) ?? [], name: name)
  }

  private mutating func count(_ values: Int, _ name: String) throws(Failure) {
    work += values + 1
    guard work <= Self.mostValues else {
      throw Failure(name, "at most \(Self.mostValues) values", "more")
    }
  }

  private static func join(_ name: String, _ key: String) -> String {
    name.isEmpty || name.hasSuffix("/") ? name + key : name + "." + key
  }

  /// Functions that give back their first argument, as far as this module is concerned.
  private static let wrappers: Set<String> = [
    "torch._utils._rebuild_parameter", "torch._utils._rebuild_parameter_with_state",
    "torch.jit._pickle.restore_type_tag", "torch.jit._pickle.build_tensorlist",
  ]

  /// What makes tensors of other classes, or with attributes, by another function.
  private static let typed = "torch._tensor._rebuild_from_type_v2"

  /// Attributes of scripted modules that hold the parameters a second time.
  private static let copies: Set<String> = ["_flat_weights"]
}
