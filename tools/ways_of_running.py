"""Ways to be wrong in the arithmetic, and in what is read when."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from way import Way, always, has_gates, is_gru, is_lstm, is_ragged, option, two_directions
from ways_of_weights import tf32
from wrong_forward import Array, Run, from_start, relu, sigmoid, without_padding

GRU_FORMULAS = [
    option("b-hn-outside-reset", "gru", lambda run: is_gru(run) and run.bias,
           new_gate="b_hn outside"),
    option("b-hn-skipped-first", "gru", lambda run: is_gru(run) and run.bias,
           b_hn_skipped_first=True),
    option("reset-before-product", "gru", is_gru, new_gate="r before product"),
    option("update-reversed", "gru", is_gru, update_reversed=True),
]


def tanh_from_sigmoid(x: Array) -> Array:
    """In float32, whatever x is."""
    narrow = x.astype(np.float32)
    return (2 * sigmoid(2 * narrow) - 1).astype(x.dtype)


def hard_sigmoid(slope: float) -> Callable[[Array], Array]:
    return lambda x: np.clip(x.dtype.type(slope) * x + x.dtype.type(0.5), 0, 1)


def exchanged(run: Run) -> Run:
    return replace(run, candidate=np.tanh if run.nonlinearity == "relu" else relu)


ACTIVATIONS = [
    Way("nonlinearity-exchanged", "activations", lambda run: run.kind == "RNN", exchanged),
    option("relu-in-place-of-tanh", "activations", has_gates, candidate=relu, cell_output=relu),
    option("hard-sigmoid-keras-2", "activations", has_gates, sigmoid=hard_sigmoid(0.2)),
    option("hard-sigmoid-keras-3", "activations", has_gates, sigmoid=hard_sigmoid(1 / 6)),
    option("cell-output-linear", "activations", is_lstm, cell_output=lambda x: x),
    Way("tanh-from-sigmoid", "activations", lambda run: run.nonlinearity == "tanh",
        lambda run: replace(run, candidate=tanh_from_sigmoid, cell_output=tanh_from_sigmoid)),
    option("tf32-products", "precision", always, operand=tf32),
]

READING = [
    option("reverse-reads-forward", "directions", two_directions,
           reverse_reads=from_start, reverse_stands=from_start),
    option("reverse-not-flipped-back", "directions", two_directions,
           reverse_stands=from_start),
    option("first-step-skipped", "steps", always, first_step_skipped=True),
    option("last-step-skipped", "steps", always, last_step_skipped=True),
    option("last-step-twice", "steps", always, last_step_twice=True),
]

RAGGED = [
    option("padding-run-through", "ragged", is_ragged, packing="none"),
    Way("padding-masked-after", "ragged", is_ragged, lambda run: replace(run, packing="none"),
        lambda run, results: replace(results, output=without_padding(run, results.output))),
    option("padding-read-first", "ragged", lambda run: run.ragged and two_directions(run),
           packing="reverse reads padding"),
]

WAYS_OF_RUNNING = [*GRU_FORMULAS, *ACTIVATIONS, *READING, *RAGGED]
