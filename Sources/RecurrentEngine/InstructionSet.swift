import Platform
package import RecurrentKernels
package import TensorCore

/// What the engine's kernels are compiled for. All give the same bits.
package struct InstructionSet: Sendable {
  /// `x86-64`, `x86-64-v3`, `x86-64-v4` or `neon`.
  package let name: String
  private let index: Int64

  /// Those of this processor, the fastest last.
  package static let supported: [InstructionSet] =
    (0..<rk_instruction_set_count()).filter { rk_is_supported($0) != 0 }.map { index in
      InstructionSet(
        name: String(cString: rk_instruction_set_at(index).pointee.name), index: index)
    }

  /// The environment variable that names another than the fastest.
  package static let variable = "PARITY_ISA"

  /// What `PARITY_ISA` names, or the fastest; nil where it names none of this
  /// processor's.
  package static let chosen: InstructionSet? =
    if let name = getenv(variable) {
      named(String(cString: name))
    } else {
      supported.last
    }

  /// For code that has no other to take.
  package static var current: InstructionSet {
    guard let set = chosen ?? supported.last else {
      preconditionFailure("the baseline runs everywhere")
    }
    return set
  }

  package static func named(_ name: String) -> InstructionSet? {
    supported.first { $0.name == name }
  }

  /// For what modules of this arithmetic are computed in.
  package func kernels(for arithmetic: Arithmetic) -> rk_kernels {
    arithmetic.computation == .float64 ? kernels(for: Double.self) : kernels(for: Float.self)
  }

  package var noiseKernels: rk_noise_kernels { rk_instruction_set_at(index).pointee.noise }

  func kernels<Scalar: KernelScalar>(for type: Scalar.Type) -> rk_kernels {
    Scalar.kernels(of: rk_instruction_set_at(index).pointee)
  }
}
