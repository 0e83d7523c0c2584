package import Platform

/// Numbers side by side that are only read: an array's, or a mapped file's.
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

  /// Below this, a copy costs nothing; and the very smallest `Data` moves about.
  private static var smallestReference: Int { 4096 }

  /// The elements that stand in `bytes`, in this machine's byte order. They are
  /// not copied, unless they are few or not aligned. O(1), O(bytes) for a copy.
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

  /// O(1) where they are an array already, else O(count).
  package var array: [Element] {
    switch source {
    case .array(let elements): elements
    case .bytes: withUnsafeBufferPointer { Array($0) }
    }
  }

  /// Runs of `size` elements, one from each start. O(starts · size).
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
