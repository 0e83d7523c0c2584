// The kernels for one element type and one instruction set. Defined where this is
// included: REAL, INTEGER (of the same size), LANES, REGISTERS (16 or 32), NAME(x)
// (unique to the instruction set and the type) and FORMAT(x) (the constants of the
// type).

typedef REAL NAME(V) __attribute__((ext_vector_type(LANES)));
typedef INTEGER NAME(I) __attribute__((ext_vector_type(LANES)));
typedef REAL NAME(U) __attribute__((ext_vector_type(LANES), aligned(sizeof(REAL))));
#define V NAME(V)
#define I NAME(I)
#define U NAME(U)
#define INLINE static inline __attribute__((always_inline))
#define FMA __builtin_elementwise_fma

INLINE V NAME(load)(const REAL *p) { return *(const U *)p; }
INLINE void NAME(store)(REAL *p, V v) { *(U *)p = v; }

// The first `count` lanes; the others are 0.
INLINE V NAME(load_some)(const REAL *p, int64_t count) {
  if (count >= LANES) return NAME(load)(p);
  REAL lanes[LANES] = {0};
  for (int64_t k = 0; k < count; k++) lanes[k] = p[k];
  return NAME(load)(lanes);
}

INLINE void NAME(store_some)(REAL *p, V v, int64_t count) {
  if (count >= LANES) {
    NAME(store)(p, v);
    return;
  }
  REAL lanes[LANES];
  NAME(store)(lanes, v);
  for (int64_t k = 0; k < count; k++) p[k] = lanes[k];
}

#include "ActivationBody.h"

// ------------------------------------------------------------------- products

// A tile of ROWS rows and PANELS panels of VECTORS vectors, its sums in registers: the
// bias, then the terms in their order. Beside that it fetches its part of the next
// panel, as the `number`-th of `count` tiles.
INLINE void NAME(tile)(
    const rk_matrix *matrix, const REAL *const *rows, int64_t panel, REAL *sums,
    int64_t sums_stride, int64_t number, int64_t count, const int ROWS, const int VECTORS,
    const int PANELS) {
  const int64_t terms = matrix->terms;
  const int64_t panel_size = terms * matrix->panel_vectors * LANES;
  const int64_t panel_step = matrix->slots * LANES;
  const REAL *weights = (const REAL *)matrix->weights + panel * panel_size;
  const REAL *bias = matrix->bias;
  // A number, since there is no memory behind the last panel.
  uintptr_t ahead = (uintptr_t)weights
                    + (uintptr_t)(panel_size + panel_size * number / count) * sizeof(REAL);
  int64_t place[4];
  for (int v = 0; v < VECTORS; v++) place[v] = panel * panel_step + matrix->slot[v] * LANES;

  const REAL *x[8];
  V sum[8][4][4];
#pragma clang loop unroll(full)
  for (int r = 0; r < ROWS; r++) {
    x[r] = rows[r];
#pragma clang loop unroll(full)
    for (int p = 0; p < PANELS; p++)
#pragma clang loop unroll(full)
      for (int v = 0; v < VECTORS; v++) sum[r][p][v] = NAME(load)(bias + p * panel_step + place[v]);
  }
  // What is added to may have left the cache meanwhile.
#pragma clang loop unroll(full)
  for (int v = 0; v < VECTORS; v++)
    if (v < matrix->adding)
#pragma clang loop unroll(full)
      for (int r = 0; r < ROWS; r++)
#pragma clang loop unroll(full)
        for (int p = 0; p < PANELS; p++)
          __builtin_prefetch(sums + r * sums_stride + p * panel_step + place[v], 1, 3);
  for (int64_t k = 0; k < terms; k++) {
    if (PANELS == 1) {
      __builtin_prefetch((const void *)ahead, 0, 2);
      ahead += 64;
    }
#pragma clang loop unroll(full)
    for (int p = 0; p < PANELS; p++)
#pragma clang loop unroll(full)
      for (int v = 0; v < VECTORS; v++) {
        V w = NAME(load)(weights + p * panel_size + v * LANES);
#pragma clang loop unroll(full)
        for (int r = 0; r < ROWS; r++) sum[r][p][v] = FMA(w, (V)x[r][k], sum[r][p][v]);
      }
    weights += VECTORS * LANES;
  }
#pragma clang loop unroll(full)
  for (int v = 0; v < VECTORS; v++) {
    const int is_added = v < matrix->adding;
#pragma clang loop unroll(full)
    for (int r = 0; r < ROWS; r++)
#pragma clang loop unroll(full)
      for (int p = 0; p < PANELS; p++) {
        REAL *out = sums + r * sums_stride + p * panel_step + place[v];
        NAME(store)(out, is_added ? NAME(load)(out) + sum[r][p][v] : sum[r][p][v]);
      }
  }
}

#define TILE(R, N, P)                                                                   \
  case R:                                                                               \
    NAME(tile)(matrix, rows + first, panel, out, sums_stride, tile, tiles, R, N, P);    \
    break;

// PANELS panels of VECTORS vectors for all rows, in tiles of nearly the same size.
#define ROW_TILES(N, P, MOST, ...)                                                      \
  static void NAME(rows_##N##x##P)(                                                     \
      const rk_matrix *matrix, const REAL *const *rows, int64_t panel,                  \
      int64_t row_count, REAL *sums, int64_t sums_stride, const rk_ahead *ahead) {      \
    int64_t tiles = (row_count + (MOST) - 1) / (MOST);                                  \
    for (int64_t tile = 0; tile < tiles; tile++) {                                      \
      int64_t first = row_count * tile / tiles;                                         \
      int64_t count = row_count * (tile + 1) / tiles - first;                           \
      REAL *out = sums + first * sums_stride;                                           \
      if (ahead) fetch(ahead, first, count, panel, matrix->panels);                     \
      switch (count) { __VA_ARGS__ }                                                    \
    }                                                                                   \
  }

#if REGISTERS == 32
ROW_TILES(4, 1, 6, TILE(1, 4, 1) TILE(2, 4, 1) TILE(3, 4, 1) TILE(4, 4, 1) TILE(5, 4, 1) TILE(6, 4, 1))
ROW_TILES(3, 1, 7, TILE(1, 3, 1) TILE(2, 3, 1) TILE(3, 3, 1) TILE(4, 3, 1) TILE(5, 3, 1) TILE(6, 3, 1) TILE(7, 3, 1))
ROW_TILES(2, 1, 8, TILE(1, 2, 1) TILE(2, 2, 1) TILE(3, 2, 1) TILE(4, 2, 1) TILE(5, 2, 1) TILE(6, 2, 1) TILE(7, 2, 1) TILE(8, 2, 1))
ROW_TILES(1, 1, 8, TILE(1, 1, 1) TILE(2, 1, 1) TILE(3, 1, 1) TILE(4, 1, 1) TILE(5, 1, 1) TILE(6, 1, 1) TILE(7, 1, 1) TILE(8, 1, 1))
ROW_TILES(4, 4, 1, TILE(1, 4, 4))
ROW_TILES(3, 4, 1, TILE(1, 3, 4))
ROW_TILES(4, 2, 3, TILE(1, 4, 2) TILE(2, 4, 2) TILE(3, 4, 2))
ROW_TILES(3, 2, 3, TILE(1, 3, 2) TILE(2, 3, 2) TILE(3, 3, 2))
#else
ROW_TILES(4, 1, 3, TILE(1, 4, 1) TILE(2, 4, 1) TILE(3, 4, 1))
ROW_TILES(3, 1, 4, TILE(1, 3, 1) TILE(2, 3, 1) TILE(3, 3, 1) TILE(4, 3, 1))
ROW_TILES(2, 1, 6, TILE(1, 2, 1) TILE(2, 2, 1) TILE(3, 2, 1) TILE(4, 2, 1) TILE(5, 2, 1) TILE(6, 2, 1))
ROW_TILES(1, 1, 8, TILE(1, 1, 1) TILE(2, 1, 1) TILE(3, 1, 1) TILE(4, 1, 1) TILE(5, 1, 1) TILE(6, 1, 1) TILE(7, 1, 1) TILE(8, 1, 1))
ROW_TILES(4, 2, 1, TILE(1, 4, 2))
ROW_TILES(3, 2, 1, TILE(1, 3, 2))
#endif

static void NAME(product)(
    const rk_matrix *matrix, const void *const *rows, int64_t row_count, void *sums,
    int64_t sums_stride, const rk_ahead *ahead) {
#define ROWS(shape)                                                                     \
  NAME(rows_##shape)(                                                                   \
      matrix, (const REAL *const *)rows, panel, row_count, sums, sums_stride, ahead)
  int64_t panel = 0;
  const int64_t full = matrix->panels - (matrix->last_panel_vectors != matrix->panel_vectors);
  // Few rows have few sums: several panels keep the multipliers busy.
  while (panel < full) {
    const int64_t left = full - panel;
    switch (matrix->panel_vectors) {
      case 4:
#if REGISTERS == 32
        if (row_count == 1 && left >= 4) { ROWS(4x4); panel += 4; continue; }
        if (row_count <= 3 && left >= 2) { ROWS(4x2); panel += 2; continue; }
#else
        if (row_count == 1 && left >= 2) { ROWS(4x2); panel += 2; continue; }
#endif
        ROWS(4x1);
        break;
      case 3:
#if REGISTERS == 32
        if (row_count == 1 && left >= 4) { ROWS(3x4); panel += 4; continue; }
        if (row_count <= 3 && left >= 2) { ROWS(3x2); panel += 2; continue; }
#else
        if (row_count == 1 && left >= 2) { ROWS(3x2); panel += 2; continue; }
#endif
        ROWS(3x1);
        break;
      case 2: ROWS(2x1); break;
      default: ROWS(1x1); break;
    }
    panel += 1;
  }
  if (panel < matrix->panels) switch (matrix->last_panel_vectors) {
      case 3: ROWS(3x1); break;
      case 2: ROWS(2x1); break;
      default: ROWS(1x1); break;
    }
#undef ROWS
}

// ---------------------------------------------------------------------- cells

// Each group of LANES units of a row, with its sums.
#define EACH_UNIT(slots, ...)                                                           \
  {                                                                                     \
    REAL *s = (REAL *)gates.sums + row * gates.sums_stride;                             \
    for (int64_t unit = 0; unit < gates.units; unit += LANES, s += (slots)*LANES) {     \
      __VA_ARGS__                                                                       \
    }                                                                                   \
  }
// `gates` is a function's own copy: what it stores cannot have changed it.
#define EACH_ROW for (int64_t row = 0; row < gates.row_count; row++)
#define SUM(slot) NAME(load)(s + (slot)*LANES)
#define KEEP(slot, x) NAME(store)(s + (slot)*LANES, x)
#define RESULT(h) NAME(result)(gates, row, unit, h)

INLINE void NAME(result)(rk_gates gates, int64_t row, int64_t unit, V h) {
  NAME(store)((REAL *)gates.hidden + row * gates.hidden_stride + unit, h);
  if (gates.results)
    NAME(store_some)((REAL *)gates.results[row] + unit, h, gates.units - unit);
}

// LSTM and GRU take their units twice, so that the processor has many short chains of
// operations to work on beside each other, and no long one to wait for. What GRU's second
// pass needs stays where sums were.

static void NAME(lstm)(const rk_gates *job) {
  const rk_gates gates = *job;
  EACH_ROW {
    REAL *cell = (REAL *)gates.cell + row * gates.cell_stride;
    EACH_UNIT(4, {
      V f = NAME(sigmoid)(SUM(1)), ig = NAME(gated_tanh)(SUM(0), SUM(2));
      NAME(store)(cell + unit, FMA(f, NAME(load)(cell + unit), ig));
    })
    EACH_UNIT(4, { RESULT(NAME(gated_tanh)(SUM(3), NAME(load)(cell + unit))); })
  }
}

static void NAME(gru)(const rk_gates *job) {
  const rk_gates gates = *job;
  EACH_ROW {
    EACH_UNIT(4, {
      KEEP(2, FMA(NAME(sigmoid)(SUM(0)), SUM(3), SUM(2)));
      KEEP(1, NAME(sigmoid)(SUM(1)));
    })
    const REAL *hidden = (REAL *)gates.hidden + row * gates.hidden_stride;
    EACH_UNIT(4, {
      V z = SUM(1);
      RESULT(FMA(z, NAME(load)(hidden + unit), (1 - z) * NAME(tanh)(SUM(2))));
    })
  }
}

static void NAME(rnn_tanh)(const rk_gates *job) {
  const rk_gates gates = *job;
  EACH_ROW EACH_UNIT(1, { RESULT(NAME(tanh)(SUM(0))); })
}

// NaN is not below 0, and stays.
static void NAME(rnn_relu)(const rk_gates *job) {
  const rk_gates gates = *job;
  EACH_ROW EACH_UNIT(1, {
    V x = SUM(0);
    RESULT(x < 0 ? (V)0 : x);
  })
}

// ------------------------------------------------------------ what the machine can

// Fused multiply-adds that depend on nothing but their own last result.
static void NAME(multiply)(int64_t rounds, void *result) {
  enum { CHAINS = REGISTERS / 2 };
  V sum[CHAINS];
  for (int c = 0; c < CHAINS; c++) sum[c] = (REAL)c;
  V factor = (REAL)0.5, term = *(REAL *)result;
  for (int64_t round = 0; round < rounds; round++) {
#pragma clang loop unroll(full)
    for (int c = 0; c < CHAINS; c++) sum[c] = FMA(sum[c], factor, term);
  }
  V all = sum[0];
  for (int c = 1; c < CHAINS; c++) all += sum[c];
  NAME(store_some)(result, all, 1);
}

// Loads whole vectors in order.
static void NAME(read)(const void *elements, int64_t count, void *result) {
  const REAL *p = elements;
  I all[8] = {0};
  for (int64_t k = 0; k + 8 * LANES <= count; k += 8 * LANES) {
#pragma clang loop unroll(full)
    for (int v = 0; v < 8; v++) all[v] ^= (I)NAME(load)(p + k + v * LANES);
  }
  for (int v = 1; v < 8; v++) all[0] ^= all[v];
  NAME(store_some)(result, (V)all[0], 1);
}

#define KERNELS                                                                         \
  {                                                                                     \
    LANES, NAME(product), NAME(lstm), NAME(gru), NAME(rnn_tanh), NAME(rnn_relu),        \
        NAME(map_sigmoid), NAME(map_tanh), REGISTERS / 2, NAME(multiply), NAME(read)    \
  }
static const rk_kernels NAME(kernels) = KERNELS;

#undef KERNELS
#undef RESULT
#undef KEEP
#undef SUM
#undef EACH_ROW
#undef EACH_UNIT
#undef ROW_TILES
#undef TILE
#undef MAP
#undef SELDOM
#undef BITS
#undef SIGN_BIT
#undef FMA
#undef INLINE
#undef U
#undef I
#undef V
