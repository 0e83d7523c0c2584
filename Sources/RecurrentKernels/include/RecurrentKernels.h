// The inner loops of the recurrent engine, for one instruction set and element type
// each.
//
// Every element of a result is made by one fixed sequence of IEEE 754 operations:
// fused multiply-adds in the order of the terms, and activation functions that are
// made of the same. They are vectorised across elements and never within one, so all
// instruction sets give the same bits (the payload of a NaN aside).
//
// Pointers are to elements of the kernels' type, strides in elements.
#ifndef RECURRENT_KERNELS_H
#define RECURRENT_KERNELS_H

#include <stdint.h>

// A weight matrix (N, K), packed for one vector width: its N outputs lie in panels
// of `panel_vectors` vectors, the last perhaps of fewer. For each of its K terms a
// panel holds its vectors one after the other.
//
// A row of sums, and the bias likewise, has `slots` vectors for each panel; the
// panel's vector v stands in `slot[v]` of them.
typedef struct {
  const void *weights;
  int64_t terms;  // K
  int64_t panels;
  int64_t panel_vectors;  // 1 to 4
  int64_t last_panel_vectors;
  int64_t slots;
  int64_t slot[4];
  // Where a sum starts.
  const void *bias;
  // So many vectors of each panel are added to what the sums hold, the others replace
  // it.
  int64_t adding;
} rk_matrix;

// Memory that is written next, `bytes` for each row.
typedef struct {
  void *const *rows;
  int64_t bytes;
} rk_ahead;

// The gates of a step of some sequences, whose sums are complete.
typedef struct {
  int64_t units;
  int64_t row_count;
  // The slots of each vector of units. LSTM: i, f, g, o; GRU: r, z, W_in x + b_in,
  // W_hn h + b_hn; RNN: one. Overwritten.
  void *sums;
  int64_t sums_stride;
  // LSTM alone: c, in rows of whole vectors, read and written.
  void *cell;
  int64_t cell_stride;
  // h, in rows of whole vectors; GRU reads that of the step before there.
  void *hidden;
  int64_t hidden_stride;
  // h once more, a pointer to each row of `units`; NULL for none.
  void *const *results;
} rk_gates;

typedef struct {
  // Elements of a vector.
  int64_t lanes;
  // sums[r] = bias + W · rows[r], or that added, for each row r. Meanwhile what is
  // `ahead` is fetched; NULL for nothing.
  void (*product)(
      const rk_matrix *matrix, const void *const *rows, int64_t row_count, void *sums,
      int64_t sums_stride, const rk_ahead *ahead);
  void (*lstm)(const rk_gates *gates);
  void (*gru)(const rk_gates *gates);
  void (*rnn_tanh)(const rk_gates *gates);
  void (*rnn_relu)(const rk_gates *gates);
  // y[k] = f(x[k]); y may be x.
  void (*sigmoid)(const void *x, void *y, int64_t count);
  void (*tanh)(const void *x, void *y, int64_t count);
  // To measure the machine: `chains` independent fused multiply-adds of whole vectors,
  // `rounds` times, and a pass over `count` elements. `result` is one element, of any
  // value, and keeps the compiler from leaving them out.
  int64_t chains;
  void (*multiply)(int64_t rounds, void *result);
  void (*read)(const void *elements, int64_t count, void *result);
} rk_kernels;

// Rounding noise: doubles, each with sixteen replicas.

// Rows of a panel of weights, which holds them side by side, term after term.
enum { RK_NOISE_ROWS = 8 };

// Of the terms p of each row's product, in whole panels.
typedef struct {
  double *values;      // Σ p
  double *magnitudes;  // Σ |p|
  double *squares;     // Σ p²
  double *squared_partial_sums;
} rk_noise_sums;

typedef struct {
  // W x, and W times each of the sixteen replicas of x, where there are any:
  // `replicas` are sixteen for each row.
  void (*products)(
      const double *weights, int64_t panels, int64_t terms, const double *x,
      const double *x_replicas, const rk_noise_sums *sums, double *replicas);
  // Adds `deviation` times (sixteen draws of variance ½ made from a seed, and the
  // frozen ones) to sixteen replicas.
  void (*perturb)(double *replicas, const double *frozen, uint64_t seed, double deviation);
} rk_noise_kernels;

typedef struct {
  const char *name;
  rk_kernels float32;
  rk_kernels float64;
  rk_noise_kernels noise;
} rk_instruction_set;

// All that are compiled in, the widest last.
int64_t rk_instruction_set_count(void);
const rk_instruction_set *rk_instruction_set_at(int64_t index);
// Whether this processor has it.
int rk_is_supported(int64_t index);

#endif
