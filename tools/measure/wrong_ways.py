"""Known ways to compute a recurrent module wrongly, each with a short name, for a NumPy
forward pass that shares nothing with what is to find them.
"""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import numpy as np

from measure.way import Way
from measure.ways_of_results import WAYS_OF_RESULTS
from measure.ways_of_running import WAYS_OF_RUNNING
from measure.ways_of_states import WAYS_OF_STATES
from measure.ways_of_streams import WAYS_OF_STREAMS
from measure.ways_of_weights import GATE_ORDERS, WAYS_OF_WEIGHTS
from measure.wrong_forward import Array, Parameters, Results, Run, forward, relu

#: By name, in the order in which two of them are applied: from how parameters are
#: stored to how results are handed out.
WAYS: dict[str, Way] = {way.slug: way for way in [
    *WAYS_OF_WEIGHTS, *WAYS_OF_STATES, *WAYS_OF_STREAMS, *WAYS_OF_RUNNING, *WAYS_OF_RESULTS,
]}

GATE_SLUGS = [way.slug for way in GATE_ORDERS]
OTHER_SLUGS = [slug for slug in WAYS if slug not in GATE_SLUGS]

_RANKS = {slug: rank for rank, slug in enumerate(WAYS)}


def compute(run: Run, slugs: Iterable[str] = ()) -> dict[str, Array]:
    """The tensors `output` (not of cells), `h_n` and `c_n` (of LSTMs), gone wrong in
    all of these ways; those of a stream from calls that are each wrong in these ways, or
    from one call where results of a wrong shape can't be joined or handed over."""
    ways = [WAYS[slug] for slug in sorted(slugs, key=_RANKS.__getitem__)]
    if run.chunks is None:
        return arranged(run, call(run, ways))
    start, parts = 0, []
    h, c = run.h_0, run.c_0
    for steps in run.chunks:
        chunk = replace(run, x=run.x[start:start + steps], h_0=h, c_0=c)
        parts.append(call(chunk, ways))
        if not fits(run, parts[-1]):
            return arranged(run, call(run, ways))
        handed_over = changed(run, ways).handed_over
        h, c = handed_over(run, parts[-1].h_n, parts[-1].c_n)
        start += steps
    output = np.concatenate([part.output for part in parts])
    return arranged(run, replace(parts[-1], output=output))


def fits(run: Run, results: Results) -> bool:
    return (results.output.shape[1:] == (run.x.shape[1], run.directions * run.state_size)
            and results.h_n.shape == run.h_0.shape and results.c_n.shape == run.c_0.shape)


def changed(run: Run, ways: list[Way]) -> Run:
    for way in ways:
        run = way.before(run)
    return run


def call(run: Run, ways: list[Way]) -> Results:
    run = changed(run, ways)
    results = forward(run)
    for way in ways:
        results = way.after(run, results)
    return results


def arranged(run: Run, results: Results) -> dict[str, Array]:
    """The tensors as the module of this run hands them out."""
    output, h_n, c_n = results.output, results.h_n, results.c_n
    if not run.batched:
        output, h_n, c_n = output[:, 0], h_n[:, 0], c_n[:, 0]
    elif run.batch_first:
        output = output.swapaxes(0, 1)
    tensors = {"output": output, "h_n": h_n, "c_n": c_n}
    if run.is_cell:
        tensors = {"h_n": h_n[0], "c_n": c_n[0]}
    if run.kind != "LSTM":
        del tensors["c_n"]
    return {name: np.ascontiguousarray(tensor) for name, tensor in tensors.items()}


def run_of(
    module: str, arguments: dict[str, Any], tensors: dict[str, Array],
    packed: dict[str, Any] | None = None, chunks: tuple[int, ...] | None = None,
) -> Run:
    """The run of a case in the fixture format, from its tensors `state_dict/…` and
    `inputs/…`."""
    kind, is_cell = module.removesuffix("Cell"), module.endswith("Cell")
    layers = arguments.get("num_layers", 1)
    directions = 2 if arguments.get("bidirectional") else 1
    hidden_size = arguments["hidden_size"]
    state_size = arguments.get("proj_size") or hidden_size
    batch_first = arguments.get("batch_first", False)
    x = tensors["inputs/input"]
    batched = x.ndim == (2 if is_cell else 3)
    if is_cell:
        x = x[None]
    elif batch_first and batched:
        x = x.swapaxes(0, 1)
    if not batched:
        x = x[:, None]
    lengths = tensors.get("inputs/lengths")
    if lengths is not None:
        x = x[:lengths.max()]

    def states(name: str, size: int) -> Array:
        given = tensors.get(f"inputs/{name}")
        shape = (layers * directions, x.shape[1], size)
        return np.zeros(shape, x.dtype) if given is None else given.reshape(shape)

    def parameters(layer: int, direction: int) -> Parameters:
        end = "" if is_cell else f"_l{layer}" + ("_reverse" if direction else "")
        own = {
            name: tensors.get(f"state_dict/{name}{end}")
            for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh", "weight_hr")
        }
        zero = np.zeros(len(own["weight_ih"]), x.dtype)
        return Parameters(**own | {
            name: zero for name in ("bias_ih", "bias_hh") if own[name] is None
        })

    nonlinearity = arguments.get("nonlinearity", "tanh")
    return Run(
        kind, is_cell, batched, batch_first, arguments.get("bias", True), hidden_size,
        state_size, layers, directions, nonlinearity,
        {(layer, d): parameters(layer, d) for layer in range(layers) for d in range(directions)},
        x, states("h_0", state_size), states("c_0", hidden_size), "inputs/h_0" in tensors,
        lengths, (packed or {}).get("total_length"), chunks,
        candidate=relu if nonlinearity == "relu" else np.tanh,
    )
