import RecurrentKernels
import TensorCore

/// An element type that there are kernels for.
protocol KernelScalar: FloatingElement, BitwiseCopyable {
  /// The kernels for this type out of those of an instruction set.
  static func kernels(of set: rk_instruction_set) -> rk_kernels
}

extension Float: KernelScalar {
  static func kernels(of set: rk_instruction_set) -> rk_kernels { set.float32 }
}

extension Double: KernelScalar {
  static func kernels(of set: rk_instruction_set) -> rk_kernels { set.float64 }
}
