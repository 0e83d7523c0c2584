// Prints, for every instruction set that this machine runs, one digest of what the
// kernels make of 300 random modules' steps: products with weights that are packed for
// the vector width, gates, and activations, in both element types. All are the same,
// on every machine. A NaN counts as one NaN.
//
// For machines that have no Swift: tools/check_kernels compiles it for Arm and runs it
// under emulation.

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "RecurrentKernels.h"

static uint64_t state;

static uint64_t draw(void) {
  state += 0x9E3779B97F4A7C15u;
  uint64_t z = state;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
  return z ^ (z >> 31);
}

static int64_t below(int64_t bound) { return (int64_t)(draw() % (uint64_t)bound); }

static double number(double scale) { return scale * ((double)(draw() >> 11) * 0x1p-52 - 1); }

static uint64_t digest;

static void add(double x) {
  uint64_t bits = 1;
  if (x == x) memcpy(&bits, &x, sizeof bits);
  for (int byte = 0; byte < 8; byte++)
    digest = (digest ^ (bits >> (8 * byte) & 0xFF)) * 0x100000001B3u;
}

// An array of float or double.
typedef struct {
  int is_double;
  void *elements;
} array;

static array make(int is_double, int64_t count) {
  // No more than asked for, so that a sanitizer sees what goes beyond.
  array a = {is_double, calloc((size_t)count, is_double ? 8 : 4)};
  return a;
}

static void set(array a, int64_t k, double x) {
  if (a.is_double) ((double *)a.elements)[k] = x;
  else ((float *)a.elements)[k] = (float)x;
}

static double get(array a, int64_t k) {
  return a.is_double ? ((double *)a.elements)[k] : (double)((float *)a.elements)[k];
}

static void *at(array a, int64_t k) { return (char *)a.elements + k * (a.is_double ? 8 : 4); }

// Without gates a panel's vectors are as many as the width has it: all are added, or
// none.
static int64_t adding(int gates) { return gates == 1 ? 4 * below(2) : below(5); }

// One step: gates 4 (LSTM), 3 (GRU) or 1 (RNN).
static void step(const rk_kernels *kernels, int is_double) {
  const int gates = (int[]){4, 3, 1}[below(3)];
  const int64_t units = 1 + below(90), terms = 1 + below(40), rows = 1 + below(20);
  const int64_t lanes = kernels->lanes, vectors = (units + lanes - 1) / lanes;
  const int64_t slots = gates == 1 ? (vectors < 4 ? vectors : 4) : 4;
  rk_matrix matrix = {.terms = terms, .slots = slots, .adding = adding(gates)};
  matrix.panel_vectors = gates == 1 ? slots : gates;
  matrix.panels = gates == 1 ? (vectors + slots - 1) / slots : vectors;
  matrix.last_panel_vectors =
      gates == 1 ? vectors - (matrix.panels - 1) * slots : matrix.panel_vectors;
  for (int v = 0; v < 4; v++) matrix.slot[v] = gates == 3 && v == 2 ? 3 : v;
  const int64_t size = gates == 1 ? vectors * lanes : matrix.panels * slots * lanes;

  // All panels but the last are whole.
  const int64_t weight_vectors =
      (matrix.panels - 1) * matrix.panel_vectors + matrix.last_panel_vectors;
  array weights = make(is_double, weight_vectors * lanes * terms);
  array bias = make(is_double, size), sums = make(is_double, size * rows);
  array x = make(is_double, rows * terms), cell = make(is_double, rows * vectors * lanes);
  array hidden = make(is_double, rows * vectors * lanes);
  for (int gate = 0; gate < gates; gate++)
    for (int64_t unit = 0; unit < units; unit++) {
      const int64_t vector = unit / lanes, lane = unit % lanes;
      const int64_t panel = gates == 1 ? vector / slots : vector;
      const int64_t v = gates == 1 ? vector % slots : gate;
      const int64_t width =
          panel == matrix.panels - 1 ? matrix.last_panel_vectors : matrix.panel_vectors;
      for (int64_t k = 0; k < terms; k++)
        set(weights, (panel * matrix.panel_vectors * terms + k * width + v) * lanes + lane,
            number(0.5));
      set(bias, (panel * slots + matrix.slot[v]) * lanes + lane, number(0.5));
    }
  for (int64_t k = 0; k < rows * terms; k++) set(x, k, number(2));
  for (int64_t row = 0; row < rows; row++)
    for (int64_t unit = 0; unit < units; unit++) {
      set(cell, row * vectors * lanes + unit, number(1));
      set(hidden, row * vectors * lanes + unit, number(1));
      // GRU's third slot has no product here.
      if (gates == 3)
        set(sums, row * size + (unit / lanes * 4 + 2) * lanes + unit % lanes, number(1));
    }
  const void *pointers[20];
  for (int64_t row = 0; row < rows; row++) pointers[row] = at(x, row * terms);
  matrix.weights = weights.elements;
  matrix.bias = bias.elements;
  array results = make(is_double, rows * units);
  void *result_pointers[20];
  for (int64_t row = 0; row < rows; row++) result_pointers[row] = at(results, row * units);
  rk_ahead ahead = {result_pointers, units * (is_double ? sizeof(double) : sizeof(float))};
  kernels->product(&matrix, pointers, rows, sums.elements, size, below(2) ? &ahead : 0);
  if (below(2)) {
    // Once more, as if it were the hidden one.
    matrix.adding = adding(gates);
    kernels->product(&matrix, pointers, rows, sums.elements, size, 0);
  }
  rk_gates job = {
      .units = units, .row_count = rows, .sums = sums.elements, .sums_stride = size,
      .cell = cell.elements, .cell_stride = vectors * lanes, .hidden = hidden.elements,
      .hidden_stride = vectors * lanes, .results = below(2) ? result_pointers : 0};
  if (gates == 4) kernels->lstm(&job);
  else if (gates == 3) kernels->gru(&job);
  else if (below(2)) kernels->rnn_tanh(&job);
  else kernels->rnn_relu(&job);
  for (int64_t row = 0; row < rows; row++)
    for (int64_t unit = 0; unit < units; unit++) {
      add(get(hidden, row * vectors * lanes + unit));
      add(get(cell, row * vectors * lanes + unit));
      add(get(results, row * units + unit));
    }

  // Any bits at all, infinities and NaN among them.
  for (int64_t k = 0; k < rows * terms; k++) {
    const uint64_t bits = draw();
    memcpy(at(x, k), &bits, is_double ? 8 : 4);
  }
  array y = make(is_double, rows * terms);
  kernels->sigmoid(x.elements, y.elements, rows * terms);
  for (int64_t k = 0; k < rows * terms; k++) add(get(y, k));
  kernels->tanh(x.elements, y.elements, rows * terms);
  for (int64_t k = 0; k < rows * terms; k++) add(get(y, k));
  free(weights.elements), free(bias.elements), free(sums.elements), free(x.elements);
  free(cell.elements), free(hidden.elements), free(results.elements), free(y.elements);
}

int main(void) {
  for (int64_t index = 0; index < rk_instruction_set_count(); index++) {
    if (!rk_is_supported(index)) continue;
    const rk_instruction_set *instruction_set = rk_instruction_set_at(index);
    state = 1;
    digest = 0xCBF29CE484222325u;
    for (int module = 0; module < 300; module++)
      step(module % 3 ? &instruction_set->float32 : &instruction_set->float64, module % 3 == 0);
    printf("%016llx  %s\n", (unsigned long long)digest, instruction_set->name);
  }
  return 0;
}
