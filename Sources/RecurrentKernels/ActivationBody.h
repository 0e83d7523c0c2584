// The activations for one element type and one instruction set: a part of KernelBody.h,
// which defines what is used here.

// e^a = 2^n · (1 + p), with |a − n ln 2| ≤ ½ ln 2: n by adding a number so large
// that the sum is an integer, ln 2 in two parts of which n times the first is
// exact, and p = r + r² q(r) with q the minimax polynomial of (eʳ − 1 − r) / r².
typedef struct {
  // Whose lowest bits are n.
  I shifted;
  V p;
} NAME(exponential);

INLINE NAME(exponential) NAME(exponential_of)(V a) {
  V shifted = FMA(a, (V)FORMAT(LOG2_E), (V)FORMAT(SHIFT));
  V n = shifted - (V)FORMAT(SHIFT);
  V r = FMA(n, (V)-FORMAT(LN2_HIGH), a);
  r = FMA(n, (V)-FORMAT(LN2_LOW), r);
  // Its even and its odd powers beside each other: half as long to wait for.
  const REAL c[] = FORMAT(POLYNOMIAL);
  const int degree = sizeof c / sizeof c[0] - 1;
  V square = r * r, part[2];
#pragma clang loop unroll(full)
  for (int k = degree; k >= 0; k--)
    part[k & 1] = k > degree - 2 ? (V)c[k] : FMA(part[k & 1], square, (V)c[k]);
  V q = FMA(part[1], r, part[0]);
  NAME(exponential) e = {(I)shifted, FMA(square, q, r)};
  return e;
}

// 2^(n + more) for a normal result, of an integer whose lowest bits are n.
INLINE V NAME(power_of_two)(I n, int more) {
  const INTEGER one = (INTEGER)(FORMAT(BIAS) + more) << FORMAT(FRACTION_BITS);
  return (V)((n << FORMAT(FRACTION_BITS)) + one);
}

#define SIGN_BIT BITS(-(REAL)0)

// Floats of one sign compare as the integers of their bits, NaN beyond infinity: that
// keeps the floating-point units, which these functions wait for, out of it.
#define BITS(x) ((I)(V)(x))
// Whether any lane's condition holds.
#define SELDOM(lanes) __builtin_expect(__builtin_reduce_or(lanes) != 0, 0)

// u / (1 + u), u ≥ 0; for a small u as u − u · that, of which the second part is small
// and so are the errors of its division.
INLINE V NAME(share)(V u) {
  V y = u / (1 + u);
  return BITS(u) < BITS((REAL)0.5) ? FMA(-u, y, u) : y;
}

// e^a of a ≤ 0, down to the smallest subnormal number: scaled in two steps, of which
// the first is exact.
static __attribute__((noinline)) V NAME(small_exponential)(V a) {
  a = a < (V)-FORMAT(SIGMOID_END) ? (V)-FORMAT(SIGMOID_END) : a;
  NAME(exponential) e = NAME(exponential_of)(a);
  I n = e.shifted - BITS(FORMAT(SHIFT));
  I half = n >> 1;
  return (1 + e.p) * NAME(power_of_two)(half, 0) * NAME(power_of_two)(n - half, 0);
}

// e^-|x|
INLINE V NAME(sigmoid_odds)(V x) {
  V a = (V)(BITS(x) | SIGN_BIT);
  NAME(exponential) e = NAME(exponential_of)(a);
  V s = NAME(power_of_two)(e.shifted, 0);
  V t = FMA(s, e.p, s);
  if (SELDOM(BITS(a) > BITS(-FORMAT(SIGMOID_NORMAL))))
    t = NAME(small_exponential)(a);
  return t;
}

// t / (1 + t) of t = e^-|x|, which keeps its precision where t is small, and 1 less that
// where x is positive.
INLINE V NAME(sigmoid)(V x) {
  V y = NAME(share)(NAME(sigmoid_odds)(x));
  return BITS(x) < 0 ? y : 1 - y;
}

// ½ (e^2a − 1), a ≥ 0
INLINE V NAME(half_exponential)(V a) {
  NAME(exponential) e = NAME(exponential_of)(a + a);
  V s = NAME(power_of_two)(e.shifted, -1);
  return FMA(s, e.p, s - (REAL)0.5);
}

static __attribute__((noinline)) V NAME(large_half_exponential)(V a) {
  return NAME(half_exponential)(a > (V)FORMAT(TANH_END) ? (V)FORMAT(TANH_END) : a);
}

// ½ (e^2|x| − 1)
INLINE V NAME(tanh_odds)(V x) {
  V a = (V)(BITS(x) & ~SIGN_BIT);
  V h = NAME(half_exponential)(a);
  if (SELDOM(BITS(a) > BITS(FORMAT(TANH_END))))
    h = NAME(large_half_exponential)(a);
  return h;
}

// h / (1 + h) of h = ½ (e^2|x| − 1).
INLINE V NAME(tanh)(V x) {
  return (V)(BITS(NAME(share)(NAME(tanh_odds)(x))) | (BITS(x) & SIGN_BIT));
}

// sigmoid(x) · tanh(y) in one division: of t = e^-|x| and of h as above, (t or 1) · h is
// divided by (1 + t) (1 + h), which the ends of both keep finite.
INLINE V NAME(gated_tanh)(V x, V y) {
  V t = NAME(sigmoid_odds)(x), h = NAME(tanh_odds)(y);
  V part = BITS(x) < 0 ? t * h : h;
  V quotient = part / ((1 + t) * (1 + h));
  return (V)(BITS(quotient) | (BITS(y) & SIGN_BIT));
}

#define MAP(function)                                                                   \
  static void NAME(map_##function)(const void *from, void *to, int64_t count) {         \
    const REAL *x = from;                                                               \
    REAL *y = to;                                                                       \
    for (int64_t k = 0; k < count; k += LANES)                                          \
      NAME(store_some)(                                                                 \
          y + k, NAME(function)(NAME(load_some)(x + k, count - k)), count - k);         \
  }
MAP(sigmoid)
MAP(tanh)
