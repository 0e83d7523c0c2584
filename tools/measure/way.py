"""What a way to be wrong is, and conditions of where ways apply."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from measure.wrong_forward import Array, Results, Run

Applies = Callable[[Run], bool]


@dataclass(frozen=True)
class Way:
    """A way to be wrong: a change of the run, a change of its results, or both."""

    slug: str
    #: Two ways of one group are not combined.
    group: str
    #: Whether it could be visible in this run's configuration and inputs.
    applies: Applies
    before: Callable[[Run], Run] = lambda run: run
    after: Callable[[Run, Results], Results] = lambda _, results: results


def option(slug: str, group: str, applies: Applies, **options: Any) -> Way:
    """A way that the forward pass knows by itself."""
    return Way(slug, group, applies, lambda run: replace(run, **options))


def option_in(
    scope: str, slug: str, group: str, applies: Applies, deviates_in: Callable[[int, int], bool],
    **options: Any,
) -> Way:
    """The same in some layers and directions only; `scope` is what these are called."""
    def before(run: Run) -> Run:
        elsewhere = {name: getattr(run, name) for name in options}
        return replace(run, **options, deviates_in=deviates_in, elsewhere=elsewhere)

    return Way(f"{slug}({scope})", group, applies, before)


def is_lstm(run: Run) -> bool:
    return run.kind == "LSTM"


def is_gru(run: Run) -> bool:
    return run.kind == "GRU"


def has_gates(run: Run) -> bool:
    return run.kind != "RNN"


def always(run: Run) -> bool:
    return True


def two_directions(run: Run) -> bool:
    return run.directions == 2


def stacked(run: Run) -> bool:
    return run.layers > 1


def stacked_both_ways(run: Run) -> bool:
    return stacked(run) and two_directions(run)


def has_output(run: Run) -> bool:
    return not run.is_cell


def several_sequences(run: Run) -> bool:
    return run.x.shape[1] > 1


def several_steps(run: Run) -> bool:
    return len(run.x) > 1


def steps_of(run: Run) -> Array:
    return np.full(run.x.shape[1], len(run.x)) if run.lengths is None else run.lengths


def in_sequences(run: Run, tensor: Array, change: Callable[[Array], Array]) -> Array:
    """A tensor's steps of each sequence changed, without its padding."""
    tensor = tensor.copy()
    for sequence, steps in enumerate(steps_of(run)):
        tensor[:steps, sequence] = change(tensor[:steps, sequence])
    return tensor


def is_ragged(run: Run) -> bool:
    return run.ragged
