// One body, compiled for each instruction set, and chosen at run time.

#include "RecurrentKernels.h"

// Only the fused multiply-adds that are written are fused.
#pragma STDC FP_CONTRACT OFF
// Vectors stay within functions that are compiled for them.
#pragma clang diagnostic ignored "-Wpsabi"

#define CONCAT_(a, b) a##b
#define CONCAT(a, b) CONCAT_(a, b)

// Fetches the part of some rows that panel `number` of `count` stands for.
static void fetch(
    const rk_ahead *ahead, int64_t first, int64_t rows, int64_t number, int64_t count) {
  const int64_t line = 64;
  const int64_t lines = (ahead->bytes + line - 1) / line;
  const int64_t end = lines * (number + 1) / count;
  for (int64_t row = first; row < first + rows; row++)
    for (int64_t k = lines * number / count; k < end; k++)
      __builtin_prefetch((const char *)ahead->rows[row] + k * line, 1, 2);
}

#define FLOAT_LOG2_E 0x1.715476p+0f
#define FLOAT_LN2_HIGH 0x1.62e4p-1f
#define FLOAT_LN2_LOW 0x1.7f7d1cp-20f
#define FLOAT_SHIFT 0x1.8p+23f
#define FLOAT_BIAS 127
#define FLOAT_FRACTION_BITS 23
// e^-104 is below half of the smallest subnormal number, and e^-86 a normal one;
// tanh 9.1 rounds to 1.
#define FLOAT_SIGMOID_END 105.0f
#define FLOAT_SIGMOID_NORMAL 86.0f
#define FLOAT_TANH_END 10.0f
// On |r| ≤ ½ ln 2 and a little more: r + r² q(r) is within 2^-29 of eʳ − 1, relatively.
#define FLOAT_POLYNOMIAL \
  {0x1p-1f, 0x1.555556p-3f, 0x1.555518p-5f, 0x1.1110f6p-7f, 0x1.6d11fep-10f, 0x1.a0f946p-13f}

#define DOUBLE_LOG2_E 0x1.71547652b82fep+0
#define DOUBLE_LN2_HIGH 0x1.62e42fefa38p-1
#define DOUBLE_LN2_LOW 0x1.ef35793c7673p-45
#define DOUBLE_SHIFT 0x1.8p+52
#define DOUBLE_BIAS 1023
#define DOUBLE_FRACTION_BITS 52
#define DOUBLE_SIGMOID_END 746.0
#define DOUBLE_SIGMOID_NORMAL 707.0
#define DOUBLE_TANH_END 20.0
// Within 2^-60.
#define DOUBLE_POLYNOMIAL                                                              \
  {0x1p-1, 0x1.5555555555557p-3, 0x1.5555555555556p-5, 0x1.111111111009cp-7,           \
   0x1.6c16c16c162bp-10, 0x1.a01a01ac0a9eep-13, 0x1.a01a01a6ec522p-16,                 \
   0x1.71de01c3fc936p-19, 0x1.27e4db25ce3adp-22, 0x1.af4ecd2129492p-26,                \
   0x1.1f7385560be05p-29}

// The instruction set that the compiler may assume anyway. On x86-64 that is SSE2,
// whose fused multiply-add is a function call: right, and slow.
#define ISA baseline
#define VECTOR_BYTES 16
#ifdef __aarch64__
#define REGISTERS 32
#else
#define REGISTERS 16
#endif
#include "InstructionSetBody.h"
#undef ISA
#undef VECTOR_BYTES
#undef REGISTERS

#ifdef __x86_64__

#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#define ISA v3
#define VECTOR_BYTES 32
#define REGISTERS 16
#include "InstructionSetBody.h"
#undef ISA
#undef VECTOR_BYTES
#undef REGISTERS
#pragma clang attribute pop

#pragma clang attribute push( \
    __attribute__((target("avx512f,avx512dq,avx512bw,avx512vl,avx2,fma"))), apply_to = function)
#define ISA v4
#define VECTOR_BYTES 64
#define REGISTERS 32
#include "InstructionSetBody.h"
#undef ISA
#undef VECTOR_BYTES
#undef REGISTERS
#pragma clang attribute pop

static const rk_instruction_set sets[] = {
    {"x86-64", baseline_float32_kernels, baseline_float64_kernels, baseline_noise_kernels},
    {"x86-64-v3", v3_float32_kernels, v3_float64_kernels, v3_noise_kernels},
    {"x86-64-v4", v4_float32_kernels, v4_float64_kernels, v4_noise_kernels},
};

int rk_is_supported(int64_t index) {
  switch (index) {
    case 0: return 1;
    case 1: return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    default:
      return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq")
             && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl")
             && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  }
}

#else

#ifdef __aarch64__
#define BASELINE_NAME "neon"
#else
#define BASELINE_NAME "baseline"
#endif
static const rk_instruction_set sets[] = {
    {BASELINE_NAME, baseline_float32_kernels, baseline_float64_kernels, baseline_noise_kernels},
};

int rk_is_supported(int64_t index) { return index == 0; }

#endif

int64_t rk_instruction_set_count(void) { return sizeof sets / sizeof sets[0]; }

const rk_instruction_set *rk_instruction_set_at(int64_t index) { return &sets[index]; }
