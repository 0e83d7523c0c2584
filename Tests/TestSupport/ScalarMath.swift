#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// The C library's functions, in doubles.
package enum ScalarMath {
  package static func tanh(_ x: Double) -> Double {
    #if canImport(Glibc)
      Glibc.tanh(x)
    #elseif canImport(Musl)
      Musl.tanh(x)
    #else
      Darwin.tanh(x)
    #endif
  }

  /// Without loss where e^x is small.
  package static func sigmoid(_ x: Double) -> Double {
    x < 0 ? exp(x) / (1 + exp(x)) : 1 / (1 + exp(-x))
  }
}

package enum TestEnvironment {
  /// Tests of samples become tests of all there is; minutes.
  package static var isExhaustive: Bool { getenv("PARITY_EXHAUSTIVE") != nil }
}
