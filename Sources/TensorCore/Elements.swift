package import Platform

/// Numbers that stand side by side in memory and are only read: those of an array, or of a file
/// that is mapped into memory, which are not copied.
package struct Elements<Element: TensorElement>: Sendable {
  private enum Source: Sendable {
    case array([Element])
    /// A whole number of elements, aligned as they need it.
    case bytes(Data)
  }

  private let source: Source
  package let count: Int

  package init(_ elements: [Element]) {
    source = .array(elements)
    count = elements.count
  }

  /// The fewest bytes that are used in place. Fewer are copied, which costs next to nothing;
  /// and the smallest `Data` holds its bytes in itself, so that they have no fixed address.
  private static var smallestReference: Int { 4096 }

  /// The elements that stand in `bytes`, in this machine's byte order. They are not copied,
  /// unless they are few or not aligned.
  ///
  /// - Complexity: O(1), and O(bytes) where they are copied.
  package init(in bytes: Data) {
    let isAligned = bytes.withUnsafeBytes {
      Int(bitPattern: $0.baseAddress) % MemoryLayout<Element>.alignment == 0
    }
    count = bytes.count / MemoryLayout<Element>.stride
    source =
      isAligned && bytes.count >= Self.smallestReference
      ? .bytes(bytes) : .array(Self.copy(bytes))
  }

  private static func copy(_ bytes: Data) -> [Element] {
    let count = bytes.count / MemoryLayout<Element>.stride
    return [Element](unsafeUninitializedCapacity: count) { buffer, initialized in
      bytes.copyBytes(to: UnsafeMutableRawBufferPointer(buffer))
      initialized = count
    }
  }

  /// Hands the elements to `body`. The pointer must not be used after `body` returns.
  package func withUnsafeBufferPointer<Result>(
    _ body: (UnsafeBufferPointer<Element>) throws -> Result
  ) rethrows -> Result {
    switch source {
    case .array(let elements): try elements.withUnsafeBufferPointer(body)
    case .bytes(let bytes):
      try bytes.withUnsafeBytes { try body($0.bindMemory(to: Element.self)) }
    }
  }

  package subscript(offset: Int) -> Element {
    switch source {
    case .array(let elements): elements[offset]
    case .bytes: withUnsafeBufferPointer { $0[offset] }
    }
  }

  /// The elements as an array.
  ///
  /// - Complexity: O(1) where they are an array already, and O(count) otherwise.
  package var array: [Element] {
    switch source {
    case .array(let elements): elements
    case .bytes: withUnsafeBufferPointer { Array($0) }
    }
  }

  /// The runs of `size` elements that begin at each of `starts`, one behind the other.
  ///
  /// - Complexity: O(starts · size).
  func gathering(blocksOf size: Int, at starts: [Int]) -> [Element] {
    withUnsafeBufferPointer { elements in
      [Element](unsafeUninitializedCapacity: starts.count * size) { buffer, initialized in
        for start in starts {
          for offset in start..<start + size {
            buffer.initializeElement(at: initialized, to: elements[offset])
            initialized += 1
          }
        }
      }
    }
  }
}
