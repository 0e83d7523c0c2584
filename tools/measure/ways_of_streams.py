"""Ways to lose the states between the chunks of a stream."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from measure.way import Way, is_lstm
from measure.wrong_forward import Array, Run

#: From the states a stream begins with, the h and c that a chunk ended with, to the h and c
#: that the next one starts from.
HandsOver = Callable[[Run, Array, Array], tuple[Array, Array]]


def is_stream(run: Run) -> bool:
    return run.chunks is not None and len(run.chunks) > 1


def hands_over(slug: str, applies: Callable[[Run], bool], change: HandsOver) -> Way:
    return Way(slug, "streams", lambda run: is_stream(run) and applies(run),
               lambda run: replace(run, handed_over=change))


WAYS_OF_STREAMS = [
    hands_over("states-not-handed-over", lambda run: True,
               lambda run, h, c: (np.zeros_like(h), np.zeros_like(c))),
    hands_over("states-restarted-in-every-chunk", lambda run: run.has_initial_states,
               lambda run, h, c: (run.h_0, run.c_0)),
    hands_over("h-not-handed-over", is_lstm, lambda run, h, c: (np.zeros_like(h), c)),
    hands_over("c-not-handed-over", is_lstm, lambda run, h, c: (h, np.zeros_like(c))),
]
