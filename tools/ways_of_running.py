"""Ways to be wrong in the arithmetic, in what is read when, and in what is handed out."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from ways_of_weights import tf32
from wrong_forward import Array, Results, Run, Way, relu, sigmoid, without_padding

Applies = Callable[[Run], bool]


def option(slug: str, group: str, applies: Applies, **options: Any) -> Way:
    """A way that the forward pass knows by itself."""
    return Way(slug, group, applies, lambda run: replace(run, **options))


def is_lstm(run: Run) -> bool:
    return run.kind == "LSTM"


def is_gru(run: Run) -> bool:
    return run.kind == "GRU"


def has_gates(run: Run) -> bool:
    return run.kind != "RNN"


def always(run: Run) -> bool:
    return True


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


def two_directions(run: Run) -> bool:
    return run.directions == 2


def stacked(run: Run) -> bool:
    return run.layers > 1


def steps_of(run: Run) -> Array:
    return np.full(run.x.shape[1], len(run.x)) if run.lengths is None else run.lengths


READING = [
    option("reverse-reads-forward", "directions", two_directions, reverse_reads_forward=True),
    option("reverse-not-flipped-back", "directions", two_directions,
           reverse_not_flipped_back=True),
    option("first-step-skipped", "steps", always, first_step_skipped=True),
    option("last-step-skipped", "steps", always, last_step_skipped=True),
    option("last-step-twice", "steps", always, last_step_twice=True),
]


def initial_states(slug: str, applies: Applies, rows: Callable[[Run, Array], Array]) -> Way:
    """`rows` says it for (L, D, B, units)."""
    def before(run: Run) -> Run:
        return replace(run, h_0=by_rows(run, run.h_0, rows), c_0=by_rows(run, run.c_0, rows))

    return Way(slug, "initial", lambda run: run.has_initial_states and applies(run), before)


def by_rows(run: Run, states: Array, rows: Callable[[Run, Array], Array]) -> Array:
    parted = states.reshape(run.layers, run.directions, *states.shape[1:])
    return rows(run, parted).reshape(states.shape)


def layers_flipped(run: Run, states: Array) -> Array:
    return states[::-1]


def directions_flipped(run: Run, states: Array) -> Array:
    return states[:, ::-1]


def read_direction_major(run: Run, states: Array) -> Array:
    """Row direction·L + layer of the states, for every layer and direction."""
    return states.reshape(run.directions, run.layers, *states.shape[2:]).swapaxes(0, 1)


def written_direction_major(run: Run, states: Array) -> Array:
    return states.swapaxes(0, 1)


def stacked_both_ways(run: Run) -> bool:
    return stacked(run) and two_directions(run)


INITIAL_STATES = [
    initial_states("initial-states-ignored", always, lambda run, states: 0 * states),
    Way("initial-states-exchanged", "initial",
        lambda run: run.has_initial_states and is_lstm(run) and not run.projected,
        lambda run: replace(run, h_0=run.c_0, c_0=run.h_0)),
    initial_states("initial-states-directions-swapped", two_directions, directions_flipped),
    initial_states("initial-states-layers-reversed", stacked, layers_flipped),
    initial_states("initial-states-direction-major", stacked_both_ways, read_direction_major),
]


def can_flip_batch_first(run: Run) -> bool:
    steps, batch = run.x.shape[:2]
    return (
        not run.is_cell and run.batched and run.lengths is None and (steps, batch) != (1, 1)
        and (not run.has_initial_states or steps == batch)
    )


def batch_first_flipped(run: Run) -> Run:
    if not run.has_initial_states:
        rows, steps = len(run.h_0), len(run.x)
        run = replace(run, h_0=np.zeros((rows, steps, run.state_size), run.x.dtype),
                      c_0=np.zeros((rows, steps, run.hidden_size), run.x.dtype))
    return replace(run, x=run.x.swapaxes(0, 1))


def axes_exchanged(run: Run, results: Results) -> Results:
    return replace(results, output=results.output.swapaxes(0, 1))


#: In the place that they have among what is done to results.
BATCH_FIRST_MISTAKEN = Way("batch-first-mistaken", "axes", can_flip_batch_first,
                           batch_first_flipped, axes_exchanged)
AXES_EXCHANGED = Way("output-axes-exchanged", "axes",
                     lambda run: not run.is_cell and run.batched, after=axes_exchanged)


def with_state(results: Results, row: int, state: Array) -> Results:
    h_n = results.h_n.copy()
    h_n[row] = state
    return replace(results, h_n=h_n)


def reverse_state_at_last_step(run: Run, results: Results) -> Results:
    steps, sequences = steps_of(run), np.arange(run.x.shape[1])
    last = results.by_layer[-1][steps - 1, sequences, run.state_size:]
    return with_state(results, -1, last)


def state_at_padded_step(run: Run, results: Results) -> Results:
    return with_state(results, -run.directions, results.by_layer[-1][-1][:, :run.state_size])


def sorted_batch(run: Run, results: Results, output: bool) -> Results:
    order = np.argsort(-steps_of(run), kind="stable")
    return replace(
        results, h_n=results.h_n[:, order], c_n=results.c_n[:, order],
        output=results.output[:, order] if output else results.output,
    )


def unsorted(run: Run) -> bool:
    return run.ragged and bool((np.diff(run.lengths) > 0).any())


def is_ragged(run: Run) -> bool:
    return run.ragged


RAGGED = [
    option("padding-run-through", "ragged", is_ragged, packing="none"),
    Way("padding-masked-after", "ragged", is_ragged, lambda run: replace(run, packing="none"),
        lambda run, results: replace(results, output=without_padding(run, results.output))),
    option("padding-read-first", "ragged", lambda run: run.ragged and two_directions(run),
           packing="reverse reads padding"),
]


def halves_swapped(run: Run, results: Results) -> Results:
    halves = np.split(results.output, 2, axis=-1)
    return replace(results, output=np.concatenate(halves[::-1], axis=-1))


def merge(slug: str, merged: Callable[[Array, Array], Array]) -> Way:
    return Way(slug, "merge", two_directions, after=lambda run, results: replace(
        results, output=merged(*np.split(results.output, 2, axis=-1))))


MERGES = [
    merge("merge-sum", lambda forward, reverse: forward + reverse),
    merge("merge-ave", lambda forward, reverse: (forward + reverse) / 2),
    merge("merge-mul", lambda forward, reverse: forward * reverse),
]


def final_states(
    slug: str, group: str, applies: Applies, rows: Callable[[Run, Array], Array]
) -> Way:
    """`rows` says it for (L, D, B, units)."""
    return Way(slug, group, applies, after=lambda run, results: replace(
        results, h_n=by_rows(run, results.h_n, rows), c_n=by_rows(run, results.c_n, rows)))


FINAL_STATES = [
    final_states("final-states-directions-swapped", "directions", two_directions,
                 directions_flipped),
    Way("final-states-exchanged", "final", lambda run: is_lstm(run) and not run.projected,
        after=lambda run, results: replace(results, h_n=results.c_n, c_n=results.h_n)),
    final_states("final-states-layers-reversed", "final", stacked, layers_flipped),
    final_states("final-states-direction-major", "final", stacked_both_ways,
                 written_direction_major),
]

WAYS_OF_RUNNING = [
    *GRU_FORMULAS, *ACTIVATIONS, *READING, *INITIAL_STATES, *RAGGED,
    Way("reverse-state-at-last-step", "directions", two_directions,
        after=reverse_state_at_last_step),
    Way("state-at-padded-step", "ragged", is_ragged, after=state_at_padded_step),
    Way("output-of-first-layer", "layers", stacked, after=lambda run, results: replace(
        results, output=padded_to(results.by_layer[0], len(results.output)))),
    Way("output-halves-swapped", "directions", two_directions, after=halves_swapped),
    *FINAL_STATES,
    Way("batch-left-sorted", "ragged", unsorted,
        after=lambda run, results: sorted_batch(run, results, output=True)),
    Way("states-left-sorted", "ragged", unsorted,
        after=lambda run, results: sorted_batch(run, results, output=False)),
    *MERGES, BATCH_FIRST_MISTAKEN, AXES_EXCHANGED,
]


def padded_to(output: Array, steps: int) -> Array:
    return np.pad(output, [(0, steps - len(output)), (0, 0), (0, 0)])
