"""Ways to be wrong in the arithmetic, and in what is read when."""

from dataclasses import replace
from typing import Any

import numpy as np

from measure.way import (
    Applies, Way, always, has_gates, in_sequences, is_gru, is_lstm, is_ragged, option,
    option_in, several_steps, steps_of, two_directions,
)
from measure.ways_of_weights import tf32
from measure.wrong_forward import (
    Array, Function, Results, Run, forward, from_start, relu, sigmoid, without_padding,
)

GRU_FORMULAS = [
    option("b-hn-outside-reset", "gru", lambda run: is_gru(run) and run.bias,
           new_gate="b_hn outside"),
    option("b-hn-skipped-first", "gru", lambda run: is_gru(run) and run.bias,
           b_hn_skipped_first=True),
    option("reset-before-product", "gru", is_gru, new_gate="r before product"),
    option("update-reversed", "gru", is_gru, update_reversed=True),
    option("reset-ignored", "gru", is_gru, new_gate="no r"),
]


def clipped(limit: float) -> Function:
    return lambda c: np.clip(c, -limit, limit)


def normalised(sums: Array) -> Array:
    """To a mean of 0 and a variance of 1, over the units."""
    centred = sums - sums.mean(axis=-1, keepdims=True)
    variance = (centred * centred).mean(axis=-1, keepdims=True)
    return centred / np.sqrt(variance + sums.dtype.type(1e-5))


def zoneout(slug: str, applies: Applies, of_h: int, of_c: int) -> list[Way]:
    return [
        option(f"{slug}({p})", "zoneout", applies, kept=(p * of_h, p * of_c))
        for p in (0.1, 0.25, 0.5)
    ]


CELL_FORMULAS = [
    option("coupled-gates", "cell", is_lstm, coupled_gates=True),
    *(option(f"cell-clipped({limit})", "clipping", is_lstm, new_cell=clipped(limit))
      for limit in (1, 2, 3)),
    option("layer-norm", "sums", lambda run: run.hidden_size > 1, sums=normalised),
    *zoneout("zoneout", always, 1, 1),
    *zoneout("zoneout-h", always, 1, 0),
    *zoneout("zoneout-c", is_lstm, 0, 1),
]


def tanh_from_sigmoid(x: Array) -> Array:
    """In float32, whatever x is."""
    narrow = x.astype(np.float32)
    return (2 * sigmoid(2 * narrow) - 1).astype(x.dtype)


def fast_exponential(x: Array) -> Array:
    """The float32 whose bits are a linear function of x (Schraudolph 1999)."""
    inside = np.clip(x.astype(np.float32), -87, 88)
    bits = np.float32(2**23 / np.log(2)) * inside + np.float32(127 * 2**23 - 486411)
    return bits.astype(np.int32).view(np.float32)


def fast_sigmoid(x: Array) -> Array:
    return (1 / (1 + fast_exponential(-x))).astype(x.dtype)


def fast_tanh(x: Array) -> Array:
    return 2 * fast_sigmoid(2 * x) - 1


def piecewise_sigmoid(x: Array) -> Array:
    """PLAN (Amin et al. 1997)."""
    size = np.abs(x)
    upper = np.select(
        [size < 1, size < 2.375, size < 5],
        [size / 4 + 0.5, size / 8 + 0.625, size / 32 + 0.84375], 1).astype(x.dtype)
    return np.where(x < 0, 1 - upper, upper)


def hard_sigmoid(slope: float) -> Function:
    return lambda x: np.clip(x.dtype.type(slope) * x + x.dtype.type(0.5), 0, 1)


def has_tanh(run: Run) -> bool:
    return run.nonlinearity == "tanh"


def exchanged(run: Run) -> Run:
    return replace(run, candidate=np.tanh if run.nonlinearity == "relu" else relu)


ACTIVATIONS = [
    Way("nonlinearity-exchanged", "activations", lambda run: run.kind == "RNN", exchanged),
    option("relu-in-place-of-tanh", "activations", has_gates, candidate=relu, cell_output=relu),
    option("hard-sigmoid-keras-2", "activations", has_gates, sigmoid=hard_sigmoid(0.2)),
    option("hard-sigmoid-keras-3", "activations", has_gates, sigmoid=hard_sigmoid(1 / 6)),
    option("piecewise-sigmoid", "activations", has_gates, sigmoid=piecewise_sigmoid),
    option("fast-exponential", "activations", has_tanh,
           sigmoid=fast_sigmoid, candidate=fast_tanh, cell_output=fast_tanh),
    option("cell-output-linear", "activations", is_lstm, cell_output=lambda x: x),
    option("sigmoid-for-candidate", "activations", has_tanh, candidate=sigmoid),
    option("sigmoid-of-cell", "activations", is_lstm, cell_output=sigmoid),
    Way("tanh-from-sigmoid", "activations", has_tanh,
        lambda run: replace(run, candidate=tanh_from_sigmoid, cell_output=tanh_from_sigmoid)),
    option("tf32-products", "precision", always, operand=tf32),
]


def tabulated(function: Function, end: float, count: int, interpolates: bool) -> Function:
    """Looked up among so many values of the function from -end to end."""
    def looked_up(x: Array) -> Array:
        places = np.linspace(-end, end, count)
        if interpolates:
            return np.interp(x, places, function(places)).astype(x.dtype)
        nearest = np.rint((np.clip(x, -end, end) + end) * ((count - 1) / (2 * end))).astype(int)
        return function(places)[nearest].astype(x.dtype)
    return looked_up


def tables(slug: str, of_sigmoid: float, of_tanh: float, count: int, interpolates: bool) -> Way:
    tanh = tabulated(np.tanh, of_tanh, count, interpolates)
    return option(
        f"{slug}({count})", "activations", has_gates, candidate=tanh, cell_output=tanh,
        sigmoid=tabulated(sigmoid, of_sigmoid, count, interpolates))


TABLES = [
    tables("activation-tables", 8, 4, 512, False),
    tables("activation-tables-6", 6, 6, 256, False),
    tables("activation-tables-8", 8, 8, 1024, False),
    tables("activation-tables-interpolated", 8, 8, 64, True),
]


def in_part(slug: str, applies: Applies, **options: Any) -> list[Way]:
    """In the reverse direction alone, and in the second layer alone."""
    return [
        option_in("reverse", slug, "activations",
                  lambda run: applies(run) and run.directions == 2,
                  lambda layer, direction: direction == 1, **options),
        option_in("layer 1", slug, "activations", lambda run: applies(run) and run.layers > 1,
                  lambda layer, direction: layer == 1, **options),
    ]


IN_PART = [
    *in_part("hard-sigmoid-keras-3", has_gates, sigmoid=hard_sigmoid(1 / 6)),
    *in_part("cell-output-linear", is_lstm, cell_output=lambda x: x),
    *in_part("reset-before-product", is_gru, new_gate="r before product"),
]


def one_direction_of_steps(run: Run) -> bool:
    return run.directions == 1 and several_steps(run)


def backwards(run: Run) -> Run:
    return replace(run, x=in_sequences(run, run.x, np.flipud))


#: Of one group with what exchanges the axes, which would be turned round otherwise.
BACKWARDS = [
    Way("reads-backwards", "axes", one_direction_of_steps, backwards,
        lambda run, results: replace(results, output=in_sequences(run, results.output, np.flipud))),
    Way("reads-backwards-left", "axes", one_direction_of_steps, backwards),
]

READING = [
    *BACKWARDS,
    option("reverse-reads-forward", "directions", two_directions,
           reverse_reads=from_start, reverse_stands=from_start),
    option("reverse-not-flipped-back", "directions", two_directions,
           reverse_stands=from_start),
    option("first-step-skipped", "steps", always, first_step_skipped=True),
    option("last-step-skipped", "steps", always, last_step_skipped=True),
    option("last-step-twice", "steps", always, last_step_twice=True),
]

def unmasked(run: Run, results: Results) -> Results:
    """The states are right, and the reverse direction starts at the end of its own."""
    further = forward(replace(run, packing="forward reads padding"))
    return replace(results, output=further.output, by_layer=further.by_layer)


def last_output_repeated(run: Run, results: Results) -> Results:
    output = results.output.copy()
    for sequence, steps in enumerate(steps_of(run)):
        output[steps:, sequence] = output[steps - 1, sequence]
    return replace(results, output=output)


def from_padded_end(position: Array, lengths: Array, longest: int) -> Array:
    return longest - 1 - position


def padded_in_front(run: Run) -> Run:
    x = np.zeros_like(run.x)
    for sequence, steps in enumerate(run.lengths):
        x[len(x) - steps:, sequence] = run.x[:steps, sequence]
    return replace(run, x=x, lengths=None)


def can_be_shorter(run: Run) -> bool:
    return run.lengths is not None and bool((run.lengths > 1).all())


#: Its output is computed anew, before any other's is changed.
OUTPUT_UNMASKED = Way("output-unmasked", "ragged", is_ragged, after=unmasked)

RAGGED = [
    option("padding-run-through", "ragged", is_ragged, packing="none"),
    Way("padding-masked-after", "ragged", is_ragged, lambda run: replace(run, packing="none"),
        lambda run, results: replace(results, output=without_padding(run, results.output))),
    option("padding-read-first", "ragged", lambda run: run.ragged and two_directions(run),
           packing="reverse reads padding"),
    Way("last-output-repeated", "ragged", is_ragged, after=last_output_repeated),
    option("padded-axis-flipped", "ragged", lambda run: run.ragged and two_directions(run),
           reverse_reads=from_padded_end),
    Way("lengths-one-less", "ragged", can_be_shorter,
        lambda run: replace(run, lengths=run.lengths - 1)),
    Way("lengths-one-more", "ragged", is_ragged,
        lambda run: replace(run, lengths=np.minimum(run.lengths + 1, len(run.x)))),
    Way("padding-in-front", "ragged", is_ragged, padded_in_front),
]

WAYS_OF_RUNNING = [*GRU_FORMULAS, *CELL_FORMULAS, *ACTIVATIONS, *TABLES, *IN_PART, OUTPUT_UNMASKED, *READING, *RAGGED]
