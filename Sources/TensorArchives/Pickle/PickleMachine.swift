import Platform

/// Reads pickles, Python's format for objects, without running anything: classes and functions
/// are names, and what they would make is kept as an instance with its arguments and state.
///
/// A pickle is a program for a machine with a stack: each opcode of one byte pushes a value, or
/// makes one out of the values on top. The opcodes of the protocols 2 to 5 are known, as far as
/// they do not need a Python process (buffers out of band, codes of extensions).
///
/// Source: the comments on the opcodes in Python's `pickletools.py`, and PEP 307 and 3154.
struct PickleMachine {
  var reader: ByteReader
  var objects: [PickleObject] = []
  var stack: [PickleValue] = []
  /// How many values were on the stack at each mark that is still open.
  var marks: [Int] = []
  var memo: [Int: PickleValue] = [:]
  /// The number of opcodes that were read, and of items that were copied for them.
  var work = 0

  /// The most opcodes and copied items of a pickle; a checkpoint of 100,000 tensors has some two million.
  private static let mostOpcodes = 4_000_000
  /// The most objects of a pickle; seven to ten belong to one tensor.
  private static let mostObjects = 1_000_000
  private init(_ bytes: Data, at offset: Int) { reader = ByteReader(bytes, at: offset) }

  /// Reads one pickle.
  ///
  /// - Parameter offset: where it starts, in bytes from the first one.
  /// - Returns: the pickle, and where it ends.
  /// - Throws: `ArchiveError.Reason` for an opcode that is not known, a pickle that is cut off
  ///   or takes more from the stack than there is, and one that is larger than a checkpoint's.
  /// - Complexity: O(bytes of the pickle) in time and memory.
  static func read(
    _ bytes: Data, at offset: Int = 0
  ) throws(ArchiveError.Reason) -> (pickle: Pickle, end: Int) {
    var machine = PickleMachine(bytes, at: offset)
    while try machine.step() {
      machine.work += 1
      guard machine.work < mostOpcodes, machine.objects.count <= mostObjects else {
        let isLong = machine.work >= mostOpcodes
        let (most, what) = isLong ? (mostOpcodes, "opcodes") : (mostObjects, "objects")
        throw .unsupported("pickle", expected: "at most \(most) \(what)", found: "more")
      }
    }
    return (
      Pickle(root: try machine.pop(), objects: machine.objects), machine.reader.offset
    )
  }

  // MARK: - One step

  /// Carries out the next opcode.
  ///
  /// - Returns: false where it was the last one.
  private mutating func step() throws(ArchiveError.Reason) -> Bool {
    let start = reader.offset
    let code = UInt8(try integer(UInt8.self))
    guard let opcode = PickleOpcode(rawValue: code) else {
      throw .unsupported(
        "pickle, byte \(start)", expected: "an opcode of the protocols 2 to 5",
        found: hexadecimal(UInt64(code), digits: 2))
    }
    switch opcode {
    case .stop: return false
    case .protocolVersion:
      let version = try integer(UInt8.self)
      guard (2...5).contains(version) else {
        throw .unsupported("pickle", expected: "the protocols 2 to 5", found: "\(version)")
      }
    case .frame: try skip(8)
    default:
      if try !pushPlain(opcode), try !changeStack(opcode), try !make(opcode) {
        try add(opcode)
      }
    }
    return true
  }

  /// Pushes a value that stands in the pickle itself.
  ///
  /// - Returns: false where the opcode does something else; so do the following.
  private mutating func pushPlain(_ opcode: PickleOpcode) throws(ArchiveError.Reason) -> Bool {
    switch opcode {
    case .none: push(.none)
    case .newTrue: push(.boolean(true))
    case .newFalse: push(.boolean(false))
    case .integer1: push(.integer(try integer(UInt8.self)))
    case .integer2: push(.integer(try integer(UInt16.self)))
    case .integer4:
      push(.integer(Int(Int32(truncatingIfNeeded: try integer(UInt32.self)))))
    case .long1: push(long(try bytes(UInt8.self)))
    case .long4: push(long(try bytes(UInt32.self)))
    case .float8:
      let bits = try take(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
      push(.number(Double(bitPattern: bits)))
    case .string1, .unicode1: push(.string(text(try bytes(UInt8.self))))
    case .string4, .unicode4: push(.string(text(try bytes(UInt32.self))))
    case .unicode8: push(.string(text(try bytes(UInt64.self))))
    case .bytes1: push(.bytes(try bytes(UInt8.self)))
    case .bytes4: push(.bytes(try bytes(UInt32.self)))
    case .bytes8, .byteArray8: push(.bytes(try bytes(UInt64.self)))
    case .global:
      let module = try line()
      push(.global(module + "." + (try line())))
    default: return false
    }
    return true
  }

  /// Marks, drops, copies, or keeps values for later.
  private mutating func changeStack(_ opcode: PickleOpcode) throws(ArchiveError.Reason) -> Bool {
    switch opcode {
    case .mark: marks.append(stack.count)
    case .pop:
      // A mark on top counts as a value.
      if marks.last == stack.count { marks.removeLast() } else { _ = try pop() }
    case .popMark: _ = try popToMark()
    case .duplicate: push(try top())
    case .put1: memo[try integer(UInt8.self)] = try top()
    case .put4: memo[try integer(UInt32.self)] = try top()
    case .memoize: memo[memo.count] = try top()
    case .get1: push(try kept(try integer(UInt8.self)))
    case .get4: push(try kept(try integer(UInt32.self)))
    default: return false
    }
    return true
  }

  /// Makes an object.
  private mutating func make(_ opcode: PickleOpcode) throws(ArchiveError.Reason) -> Bool {
    switch opcode {
    case .emptyList, .emptySet: push(.list([]))
    case .emptyTuple: push(.tuple([]))
    case .emptyDictionary: push(.dictionary([]))
    case .list, .frozenSet: push(.list(try popToMark()))
    case .tuple: push(.tuple(try popToMark()))
    case .tuple1: push(.tuple(try pop(1)))
    case .tuple2: push(.tuple(try pop(2)))
    case .tuple3: push(.tuple(try pop(3)))
    case .dictionary: push(.dictionary(try items(try popToMark())))
    case .persistent: push(.persistent(try pop()))
    case .stackGlobal:
      let names = try pop(2)
      guard case (.string(let module), .string(let name)) = (names[0], names[1]),
        module.utf8.count + name.utf8.count < Self.longestName
      else { throw wrong("short names of a module and a class") }
      push(.global(module + "." + name))
    case .reduce, .newObject:
      let values = try pop(2)
      push(instance(values[0], sequence(values[1])))
    case .newObjectWithKeywords:
      let values = try pop(3)
      push(instance(values[0], sequence(values[1])))
    default: return false
    }
    return true
  }

  /// Adds values to the object below them.
  private mutating func add(_ opcode: PickleOpcode) throws(ArchiveError.Reason) {
    switch opcode {
    case .append: try append(try pop(1))
    case .appends, .addItems: try append(try popToMark())
    case .setItem: try set(try items(try pop(2)))
    case .setItems: try set(try items(try popToMark()))
    default: try build(try pop())
    }
  }

  private mutating func append(_ values: [PickleValue]) throws(ArchiveError.Reason) {
    let number = try topObject("a list")
    switch objects[number] {
    case .list(var list):
      // Taken out first, so that it is not copied.
      objects[number] = .list([])
      list += values
      objects[number] = .list(list)
    case .instance(var instance):
      objects[number] = .list([])
      instance.elements += values
      objects[number] = .instance(instance)
    default: throw wrong("a list")
    }
  }

  private mutating func set(_ items: [PickleItem]) throws(ArchiveError.Reason) {
    let number = try topObject("a dictionary")
    switch objects[number] {
    case .dictionary(var own):
      objects[number] = .list([])
      own += items
      objects[number] = .dictionary(own)
    case .instance(var instance):
      objects[number] = .list([])
      instance.items += items
      objects[number] = .instance(instance)
    default: throw wrong("a dictionary")
    }
  }

  /// Keeps the state of an instance. That of an ordered dictionary, its attributes, is dropped.
  private mutating func build(_ state: PickleValue) throws(ArchiveError.Reason) {
    let number = try topObject("an object")
    guard case .instance(var instance) = objects[number] else { return }
    instance.state = state
    objects[number] = .instance(instance)
  }
}
