// The kernels of the rounding-noise replicas, sixteen at a time, for one instruction
// set. Defined where this is included: LANES of a vector of doubles, REGISTERS and
// NAME(x).

typedef double NAME(D) __attribute__((ext_vector_type(LANES)));
typedef double NAME(DU) __attribute__((ext_vector_type(LANES), aligned(8)));
#define D NAME(D)
#define LOAD(p) (*(const NAME(DU) *)(p))
#define STORE(p, v) (*(NAME(DU) *)(p) = (v))
#define FMA __builtin_elementwise_fma

enum {
  // Vectors of sixteen replicas, and rows whose sums of them fill half of the registers.
  NAME(VECTORS) = 16 / LANES,
  NAME(ROWS) = REGISTERS / 2 / NAME(VECTORS),
};

static void NAME(replica_products)(
    const double *panel, int64_t terms, const double *x_replicas, double *replicas) {
  const int VECTORS = NAME(VECTORS), ROWS = NAME(ROWS);
  for (int first = 0; first < RK_NOISE_ROWS; first += ROWS) {
    D sum[NAME(ROWS)][NAME(VECTORS)];
    for (int r = 0; r < ROWS; r++)
      for (int v = 0; v < VECTORS; v++) sum[r][v] = (D)0;
    for (int64_t k = 0; k < terms; k++) {
#pragma clang loop unroll(full)
      for (int v = 0; v < VECTORS; v++) {
        D x = LOAD(x_replicas + k * 16 + v * LANES);
#pragma clang loop unroll(full)
        for (int r = 0; r < ROWS; r++)
          sum[r][v] = FMA((D)panel[k * RK_NOISE_ROWS + first + r], x, sum[r][v]);
      }
    }
    for (int r = 0; r < ROWS; r++)
      for (int v = 0; v < VECTORS; v++)
        STORE(replicas + (first + r) * 16 + v * LANES, sum[r][v]);
  }
}

static void NAME(products)(
    const double *weights, int64_t panels, int64_t terms, const double *x,
    const double *x_replicas, const rk_noise_sums *sums, double *replicas) {
  for (int64_t panel = 0; panel < panels; panel++, weights += terms * RK_NOISE_ROWS) {
    const int64_t row = panel * RK_NOISE_ROWS;
    for (int first = 0; first < RK_NOISE_ROWS; first += LANES) {
      D value = (D)0, magnitudes = (D)0, squares = (D)0, partial = (D)0;
      for (int64_t k = 0; k < terms; k++) {
        D p = LOAD(weights + k * RK_NOISE_ROWS + first) * (D)x[k];
        value += p;
        magnitudes += __builtin_elementwise_abs(p);
        squares = FMA(p, p, squares);
        partial = FMA(value, value, partial);
      }
      STORE(sums->values + row + first, value);
      STORE(sums->magnitudes + row + first, magnitudes);
      STORE(sums->squares + row + first, squares);
      STORE(sums->squared_partial_sums + row + first, partial);
    }
    if (x_replicas) NAME(replica_products)(weights, terms, x_replicas, replicas + row * 16);
  }
}

// SplitMix64's mixing function, and two draws out of each 64 bits, in -1 … 1, of
// which the variance is ⅓.
static void NAME(perturb)(
    double *replicas, const double *frozen, uint64_t seed, double deviation) {
  int32_t draws[16];
#pragma clang loop vectorize(enable) interleave(disable)
  for (int pair = 0; pair < 8; pair++) {
    uint64_t z = seed + (uint64_t)(pair + 1) * 0x9E3779B97F4A7C15u;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    z = z ^ (z >> 31);
    draws[2 * pair] = (int32_t)z;
    draws[2 * pair + 1] = (int32_t)(z >> 32);
  }
  const double scale = 0x1p-31 * 0x1.3988e1409212ep+0;  // √1.5
  for (int k = 0; k < 16; k++) {
    double draw = frozen[k] + (double)draws[k] * scale;
    replicas[k] = replicas[k] + draw * deviation;
  }
}

static const rk_noise_kernels NAME(kernels) = {NAME(products), NAME(perturb)};

#undef FMA
#undef STORE
#undef LOAD
#undef D
