"""Ways to be wrong in what is handed out, and where it stands."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from measure.way import (
    Applies, Way, has_output, in_sequences, is_lstm, is_ragged, several_sequences, several_steps,
    stacked, stacked_both_ways, steps_of, two_directions,
)
from measure.ways_of_states import (
    by_rows, directions_flipped, layers_flipped, rows_and_sequences, written_batch_major,
)
from measure.wrong_forward import Array, Results, Run


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


def states_at_padded_step(run: Run, results: Results) -> Results:
    h_n = results.h_n.copy()
    h_n[-2:] = np.split(results.by_layer[-1][-1], 2, axis=-1)
    return replace(results, h_n=h_n)


def sorted_batch(run: Run, results: Results, output: bool) -> Results:
    order = np.argsort(-steps_of(run), kind="stable")
    return replace(
        results, h_n=results.h_n[:, order], c_n=results.c_n[:, order],
        output=results.output[:, order] if output else results.output,
    )


def unsorted(run: Run) -> bool:
    return run.ragged and bool((np.diff(run.lengths) > 0).any())


def padded_to(output: Array, steps: int) -> Array:
    return np.pad(output, [(0, steps - len(output)), (0, 0), (0, 0)])


def zeros_behind(steps: int) -> Way:
    """As many steps of zeros behind every sequence, and not in output."""
    return Way(
        f"zeros-behind({steps})", "axes", lambda run: has_output(run) and run.lengths is None,
        lambda run: replace(run, x=np.pad(run.x, [(0, steps), (0, 0), (0, 0)])),
        lambda run, results: replace(results, output=results.output[:-steps]))


def halves_swapped(run: Run, results: Results) -> Results:
    halves = np.split(results.output, 2, axis=-1)
    return replace(results, output=np.concatenate(halves[::-1], axis=-1))


def halves_interleaved(run: Run, results: Results) -> Results:
    halves = np.stack(np.split(results.output, 2, axis=-1), axis=-1)
    return replace(results, output=halves.reshape(results.output.shape))


def moved_in_time(slug: str, move: Callable[[Array], Array]) -> Way:
    return Way(
        slug, "time", lambda run: has_output(run) and several_steps(run),
        after=lambda run, results: replace(
            results, output=in_sequences(run, results.output, move)))


def step_late(output: Array) -> Array:
    return np.concatenate([np.zeros_like(output[:1]), output[:-1]])


def step_early(output: Array) -> Array:
    return np.concatenate([output[1:], np.zeros_like(output[:1])])


#: Zero is what a step without another has.
MOVED_IN_TIME = [
    moved_in_time("output-reversed-in-time", np.flipud),
    moved_in_time("output-step-late", step_late),
    moved_in_time("output-step-early", step_early),
]


def merge(slug: str, merged: Callable[[Array, Array], Array]) -> Way:
    return Way(slug, "merge", two_directions, after=lambda run, results: replace(
        results, output=merged(*np.split(results.output, 2, axis=-1))))


MERGES = [
    merge("merge-sum", lambda forward, reverse: forward + reverse),
    merge("merge-ave", lambda forward, reverse: (forward + reverse) / 2),
    merge("merge-mul", lambda forward, reverse: forward * reverse),
]


def written_direction_major(run: Run, states: Array) -> Array:
    return states.swapaxes(0, 1)


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
    final_states("final-states-reread", "final", rows_and_sequences, written_batch_major),
]


def can_flip_batch_first(run: Run) -> bool:
    steps, batch = run.x.shape[:2]
    return (
        not run.is_cell and run.batched and run.lengths is None and run.chunks is None
        and (steps, batch) != (1, 1)
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


def output_reshaped(run: Run, results: Results) -> Results:
    """The buffer of the other layout, taken as that of this one."""
    output = results.output
    steps, batch, units = output.shape
    if run.batch_first:
        reshaped = output.reshape(batch, steps, units).swapaxes(0, 1)
    else:
        reshaped = output.swapaxes(0, 1).reshape(steps, batch, units)
    return replace(results, output=reshaped)


#: In the place that they have among what is done to results.
BATCH_FIRST_MISTAKEN = Way("batch-first-mistaken", "axes", can_flip_batch_first,
                           batch_first_flipped, axes_exchanged)
AXES_EXCHANGED = Way("output-axes-exchanged", "axes",
                     lambda run: has_output(run) and run.batched, after=axes_exchanged)
OUTPUT_RESHAPED = Way(
    "output-reshaped", "axes",
    lambda run: has_output(run) and several_steps(run) and several_sequences(run),
    after=output_reshaped)

WAYS_OF_RESULTS = [
    Way("reverse-state-at-last-step", "directions", two_directions,
        after=reverse_state_at_last_step),
    Way("state-at-padded-step", "ragged", is_ragged, after=state_at_padded_step),
    Way("last-step-for-h-n", "directions", two_directions, after=states_at_padded_step),
    Way("output-of-first-layer", "layers", stacked, after=lambda run, results: replace(
        results, output=padded_to(results.by_layer[0], len(results.output)))),
    *map(zeros_behind, (1, 2, 3)),
    Way("output-halves-swapped", "directions", two_directions, after=halves_swapped),
    Way("output-halves-interleaved", "directions",
        lambda run: two_directions(run) and run.state_size > 1, after=halves_interleaved),
    *MOVED_IN_TIME,
    *FINAL_STATES,
    Way("batch-left-sorted", "ragged", unsorted,
        after=lambda run, results: sorted_batch(run, results, output=True)),
    Way("states-left-sorted", "ragged", unsorted,
        after=lambda run, results: sorted_batch(run, results, output=False)),
    *MERGES, OUTPUT_RESHAPED, BATCH_FIRST_MISTAKEN, AXES_EXCHANGED,
]
