/// A generator of numbers that look random and are the same in every run. It is for the inputs
/// of benchmarks and tests, and never for secrets.
///
/// ```swift
/// var generator = SplitMix64(seed: 1)
/// let number = Float.random(in: -1...1, using: &generator)
/// ```
///
/// Source: Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014.
package struct SplitMix64: RandomNumberGenerator, Sendable {
  private var state: UInt64

  package init(seed: UInt64) { state = seed }

  package mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    return Self.mix(state)
  }

  /// The generator's mixing function: one to one, and each bit of the result depends on all
  /// bits of the number.
  package static func mix(_ number: UInt64) -> UInt64 {
    var z = number
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}
