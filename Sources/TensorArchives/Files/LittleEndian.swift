import Platform

extension Data {
  /// Appends the low 16 bits of each number, little-endian.
  mutating func append(u16 numbers: Int...) { append(numbers, as: UInt16.self) }

  /// Appends the low 32 bits of each number, little-endian.
  mutating func append(u32 numbers: Int...) { append(numbers, as: UInt32.self) }

  /// Appends each number in 64 bits, little-endian.
  mutating func append(u64 numbers: Int...) { append(numbers, as: UInt64.self) }

  private mutating func append<Field: FixedWidthInteger>(_ numbers: [Int], as type: Field.Type) {
    for number in numbers {
      Swift.withUnsafeBytes(of: Field(truncatingIfNeeded: number).littleEndian) {
        append(contentsOf: $0)
      }
    }
  }
}

extension UnsafeMutableRawBufferPointer {
  /// Reverses the bytes of every number of `width` bytes: 2, 4 or 8.
  func reverseBytes(ofNumbersOf width: Int) {
    switch width {
    case 2: reverseBytes(UInt16.self)
    case 4: reverseBytes(UInt32.self)
    default: reverseBytes(UInt64.self)
    }
  }

  @inline(__always)
  private func reverseBytes<Number: FixedWidthInteger>(_ type: Number.Type) {
    for start in stride(from: 0, to: count, by: MemoryLayout<Number>.size) {
      let number = loadUnaligned(fromByteOffset: start, as: Number.self)
      storeBytes(of: number.byteSwapped, toByteOffset: start, as: Number.self)
    }
  }
}
