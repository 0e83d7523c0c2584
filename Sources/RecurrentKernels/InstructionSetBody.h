// The kernels of one instruction set, of VECTOR_BYTES bytes a vector, in both
// element types. ISA is its name as an identifier.

#define REAL float
#define INTEGER int32_t
#define LANES (VECTOR_BYTES / 4)
#define NAME(x) CONCAT(ISA, CONCAT(_float32_, x))
#define FORMAT(x) CONCAT(FLOAT_, x)
#include "KernelBody.h"
#undef REAL
#undef INTEGER
#undef LANES
#undef NAME
#undef FORMAT

#define REAL double
#define INTEGER int64_t
#define LANES (VECTOR_BYTES / 8)
#define NAME(x) CONCAT(ISA, CONCAT(_float64_, x))
#define FORMAT(x) CONCAT(DOUBLE_, x)
#include "KernelBody.h"
#undef REAL
#undef INTEGER
#undef LANES
#undef NAME
#undef FORMAT

#define LANES (VECTOR_BYTES / 8)
#define NAME(x) CONCAT(ISA, CONCAT(_noise_, x))
#include "NoiseBody.h"
#undef LANES
#undef NAME
