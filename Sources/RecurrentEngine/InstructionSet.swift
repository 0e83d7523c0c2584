import Platform
package import RecurrentKernels
package import TensorCore

/// A set of processor instructions that the engine's kernels are compiled for. All of them give
/// the same bits; they differ in speed alone.
///
/// ```swift
/// InstructionSet.supported.map(\.name)  // ["x86-64", "x86-64-v3"]
/// let kernels = InstructionSet.current.kernels(for: .float32)
/// ```
package struct InstructionSet: Sendable {
  /// `x86-64`, `x86-64-v3`, `x86-64-v4` or `neon`.
  package let name: String
  /// Its place in the table of the C library.
  private let index: Int64

  /// Those that this processor has, the fastest last.
  package static let supported: [InstructionSet] =
    (0..<rk_instruction_set_count()).filter { rk_is_supported($0) != 0 }.map { index in
      InstructionSet(
        name: String(cString: rk_instruction_set_at(index).pointee.name), index: index)
    }

  /// The environment variable that names another one than the fastest.
  package static let variable = "PARITY_ISA"

  /// The one that `PARITY_ISA` names, or the fastest where the variable is not set; nil where
  /// this processor has none of that name.
  package static let chosen: InstructionSet? =
    if let name = getenv(variable) {
      named(String(cString: name))
    } else {
      supported.last
    }

  /// The chosen one, or the fastest where `PARITY_ISA` names none.
  package static var current: InstructionSet {
    guard let set = chosen ?? supported.last else {
      preconditionFailure("the baseline runs everywhere")
    }
    return set
  }

  /// The one of this name; nil where this processor does not have it.
  package static func named(_ name: String) -> InstructionSet? {
    supported.first { $0.name == name }
  }

  /// The kernels that modules of this arithmetic are computed with.
  package func kernels(for arithmetic: Arithmetic) -> rk_kernels {
    arithmetic.computation == .float64 ? kernels(for: Double.self) : kernels(for: Float.self)
  }

  /// The kernels that measure rounding noise.
  package var noiseKernels: rk_noise_kernels { rk_instruction_set_at(index).pointee.noise }

  func kernels<Scalar: KernelScalar>(for type: Scalar.Type) -> rk_kernels {
    Scalar.kernels(of: rk_instruction_set_at(index).pointee)
  }
}
