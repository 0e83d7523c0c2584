"""Ways to be wrong in the states: where a run starts, and what its steps hand on."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from measure.way import (
    Applies, Way, always, has_output, is_lstm, option, several_sequences, several_steps, stacked,
    stacked_both_ways, two_directions,
)
from measure.wrong_forward import Array, Order, Run


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


def direction_ignored(direction: int) -> Callable[[Run, Array], Array]:
    def rows(run: Run, states: Array) -> Array:
        states = states.copy()
        states[:, direction] = 0
        return states

    return rows


def first_of(axis: int) -> Callable[[Run, Array], Array]:
    """In the place of all."""
    return lambda run, states: np.broadcast_to(states.take([0], axis), states.shape)


def read_batch_major(run: Run, states: Array) -> Array:
    """The buffer of (L·D, B, units) taken as that of (B, L·D, units)."""
    rows, batch = run.layers * run.directions, run.x.shape[1]
    return states.reshape(batch, rows, -1).swapaxes(0, 1)


def written_batch_major(run: Run, states: Array) -> Array:
    """The buffer of (B, L·D, units) taken as that of (L·D, B, units)."""
    rows, batch = run.layers * run.directions, run.x.shape[1]
    return states.reshape(rows, batch, -1).swapaxes(0, 1)


def rows_and_sequences(run: Run) -> bool:
    return run.layers * run.directions > 1 and several_sequences(run)


def starts_with_lstm_states(run: Run) -> bool:
    return run.has_initial_states and is_lstm(run)


def states_can_be_exchanged(run: Run) -> bool:
    return starts_with_lstm_states(run) and not run.projected


INITIAL_STATES = [
    initial_states("initial-states-ignored", always, lambda run, states: 0 * states),
    Way("h-0-ignored", "initial", starts_with_lstm_states,
        lambda run: replace(run, h_0=0 * run.h_0)),
    Way("c-0-ignored", "initial", starts_with_lstm_states,
        lambda run: replace(run, c_0=0 * run.c_0)),
    initial_states("initial-states-forward-ignored", two_directions, direction_ignored(0)),
    initial_states("initial-states-reverse-ignored", two_directions, direction_ignored(1)),
    Way("initial-states-exchanged", "initial", states_can_be_exchanged,
        lambda run: replace(run, h_0=run.c_0, c_0=run.h_0)),
    Way("h-0-for-both", "initial", states_can_be_exchanged,
        lambda run: replace(run, c_0=run.h_0)),
    Way("c-0-for-both", "initial", states_can_be_exchanged,
        lambda run: replace(run, h_0=run.c_0)),
    initial_states("initial-states-directions-swapped", two_directions, directions_flipped),
    initial_states("initial-states-forward-for-both", two_directions, first_of(1)),
    initial_states("initial-states-reverse-for-both", two_directions,
                   lambda run, states: first_of(1)(run, directions_flipped(run, states))),
    initial_states("initial-states-layers-reversed", stacked, layers_flipped),
    initial_states("initial-states-first-layer-for-all", stacked, first_of(0)),
    initial_states("initial-states-first-sequence-for-all", several_sequences, first_of(2)),
    initial_states("initial-states-direction-major", stacked_both_ways, read_direction_major),
    initial_states("initial-states-reread", rows_and_sequences, read_batch_major),
    initial_states("initial-states-reshaped", rows_and_sequences, written_batch_major),
]


def reset(
    slug: str, applies: Applies, resets: Callable[[int], bool], states: str = "hc",
    reverse_order: Order | None = None,
) -> Way:
    """h, c or both are 0 before the step at the positions that `resets` says."""
    def states_before(position: int, h: Array, c: Array) -> tuple[Array, Array]:
        if not resets(position):
            return h, c
        return (np.zeros_like(h) if "h" in states else h,
                np.zeros_like(c) if "c" in states else c)

    options = {} if reverse_order is None else {
        "reverse_reads": reverse_order, "reverse_stands": reverse_order,
    }
    return option(slug, "carrying", applies, states_before=states_before, **options)


def longer_than(steps: int, applies: Applies = always) -> Applies:
    return lambda run: len(run.x) > steps and applies(run)


def one_direction(run: Run) -> bool:
    return run.directions == 1


def every(size: int) -> Callable[[int], bool]:
    return lambda position: position > 0 and position % size == 0


def only(step: int) -> Callable[[int], bool]:
    return lambda position: position == step


def in_chunks(size: int) -> Way:
    """The reverse direction reads chunk after chunk, each from its end."""
    def reverse_order(position: Array, lengths: Array, longest: int) -> Array:
        start = position // size * size
        return start + np.minimum(start + size, lengths) - 1 - position

    return reset(f"state-reset-in-chunks({size})", longer_than(size), every(size),
                 reverse_order=reverse_order)


#: The same for all, since a reset may be that between two chunks.
SIZES = [2, 3, 4, 6]

CARRYING = [
    reset("state-never-carried", several_steps, every(1)),
    reset("c-never-carried", longer_than(1, is_lstm), every(1), "c"),
    reset("h-never-carried", longer_than(1, is_lstm), every(1), "h"),
    *(in_chunks(size) for size in SIZES),
    *(reset(f"state-reset-while-reading({size})", longer_than(size, two_directions), every(size))
      for size in SIZES),
    *(reset(f"state-reset-at({step})", longer_than(step, one_direction), only(step))
      for step in SIZES),
    option("sequence-starts-where-previous-ended", "carrying",
           lambda run: several_sequences(run) and one_direction(run), sequences_in_turn=True),
    option("layer-starts-where-below-ended", "carrying",
           lambda run: stacked(run) and not run.projected,
           starts_from=lambda layer, direction: (layer - 1, direction) if layer else None),
    option("reverse-starts-where-forward-ended", "carrying", two_directions,
           starts_from=lambda layer, direction: (layer, 0) if direction else None),
]


def hands_up_cell(run: Run) -> bool:
    return is_lstm(run) and not run.projected and has_output(run)


IN_A_STEP = [
    option("h-overwritten-in-place", "in a step",
           lambda run: run.hidden_size > 1 and not run.projected, h_in_place=True),
    option("old-cell-in-h", "in a step", is_lstm, old_cell_in_h=True),
    Way("cell-returned-for-h", "in a step", hands_up_cell,
        lambda run: replace(run, cell_handed_up_from=run.layers - 1)),
    option("cell-handed-up", "in a step", lambda run: hands_up_cell(run) and stacked(run),
           cell_handed_up_from=0),
]

WAYS_OF_STATES = [*INITIAL_STATES, *CARRYING, *IN_A_STEP]
