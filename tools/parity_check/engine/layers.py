"""Layers, directions and ragged batches around a function that computes one direction of one
layer, as PyTorch's LSTM, GRU, RNN and their cells put them together."""

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from parity_check.engine.case import GATES, CannotCompute, Case

Array = np.ndarray
Results = dict[str, Array]
Direction = Callable[..., tuple[Any, ...]]


def layerwise(direction: Direction) -> Callable[[Case], Results]:
    """A function that computes a whole case, from one that computes a direction of a layer.

    `direction(x, weights, h_0, c_0, case)` is given
    - `x`: (T, B, I), in the order in which the steps are taken, which is from the end for the
      reverse direction; all B sequences are of T steps, B is at least 1;
    - `weights`: `weight_ih`, `weight_hh`, `bias_ih`, `bias_hh`, and `weight_hr` where there are
      projections, of this layer and direction. Of a module without biases these are zeros;
    - `h_0`: (B, P), zeros where the case has none; P is `proj_size` where that is not 0, else
      `hidden_size` H;
    - `c_0`: (B, H) of an LSTM, else None;
    - `case`: the whole case, for its module and arguments.

    It returns the output (T, B, P) in the same order, h_n (B, P), and of an LSTM c_n (B, H), and
    may return the c_n of others as None. ValueError is raised for another number of results and
    for other shapes.

    Sequences of different lengths are run in groups of equal ones. Dropout is not applied, as in
    eval(). A cell is run as one step. A `Sequential` raises CannotCompute.
    """

    @functools.wraps(direction)
    def compute(case: Case) -> Results:
        if case.kind not in GATES:
            raise CannotCompute(f"no {case.module}")
        return cell(direction, case) if case.is_cell else module(direction, case)

    return compute


def stepwise(step: Callable[..., Any]) -> Callable[[Case], Results]:
    """The same from a function for one step.

    `step(x, weights, h, c, case)` is given x (B, I) and an LSTM's states h (B, P) and c (B, H), and
    returns the next h and c. A GRU's or RNN's step has the same arguments, c is None, and returns
    h.
    """

    @functools.wraps(step)
    def direction(
        x: Array, weights: Results, h: Array, c: Array | None, case: Case
    ) -> tuple[Any, ...]:
        outputs = []
        for own in x:
            h, c = next_states(step(own, weights, h, c, case), case)
            outputs.append(h)
        return np.stack(outputs), h, c

    return layerwise(direction)


def next_states(result: Any, case: Case) -> tuple[Any, Any]:
    """The h and c that a step returned; c is None where the module has none. Raises ValueError for
    an LSTM's step without c."""
    h, *rest = result if isinstance(result, tuple | list) else (result,)
    c = rest[0] if rest else None
    if case.kind != "LSTM":
        return h, None
    if c is None:
        raise ValueError("an LSTM's step returns h and c, found h alone")
    return h, c


def cell(direction: Direction, case: Case) -> Results:
    """One step, with or without an axis for the batch."""
    axis = (0,) if case.input.ndim == 1 else ()
    x, h_0, c_0 = (
        None if array is None else np.expand_dims(array, axis)
        for array in (case.input, case.h_0, case.c_0))
    weights = weights_of(case, "")
    h_0, c_0 = states(case, weights, len(x), h_0, c_0)
    _, h_n, c_n = checked(direction, case, x[None], weights, h_0, c_0)
    results = {"h_n": h_n, "c_n": c_n}
    return {name: array.squeeze(axis) for name, array in results.items() if array is not None}


def module(direction: Direction, case: Case) -> Results:
    """LSTM, GRU or RNN. Inside, axes are always (T, B, units)."""
    x, h_0, c_0 = case.input, case.h_0, case.c_0
    batched, batch_first = x.ndim == 3, case.arguments["batch_first"]
    if not batched:
        x, h_0, c_0 = (None if array is None else array[..., None, :] for array in (x, h_0, c_0))
    elif batch_first:
        x = x.swapaxes(0, 1)
    steps, batch = x.shape[:2]
    lengths = np.full(batch, steps) if case.lengths is None else case.lengths
    finals: list[tuple[Array, Array | None]] = []
    for layer in range(case.arguments["num_layers"]):
        outputs = []
        for end in ["", "_reverse"] if case.arguments["bidirectional"] else [""]:
            weights = weights_of(case, f"_l{layer}{end}")
            row = len(finals)
            initial = states(
                case, weights, batch, None if h_0 is None else h_0[row],
                None if c_0 is None else c_0[row])
            output, *final = ragged(
                direction, case, x, weights, *initial, lengths, reverse=end != "")
            outputs.append(output)
            finals.append(tuple(final))
        x = np.concatenate(outputs, axis=-1)
    h_n, c_n = (None if rows[0] is None else np.stack(rows) for rows in zip(*finals))
    if case.lengths is not None:
        x = resized(x, case.total_length or int(lengths.max(initial=0)))
    results = {"output": x, "h_n": h_n, "c_n": c_n}
    if not batched:
        # Each result has the batch on the axis before the last.
        results = {n: a if a is None else a.squeeze(-2) for n, a in results.items()}
    elif batch_first:
        results["output"] = x.swapaxes(0, 1)
    return {name: array for name, array in results.items() if array is not None}


def ragged(
    direction: Direction, case: Case, x: Array, weights: Results, h_0: Array, c_0: Array | None,
    lengths: Array, reverse: bool,
) -> tuple[Array, Array, Array | None]:
    """A direction over sequences of any lengths: its output, zero where a sequence is over, and
    its final states."""
    output = np.zeros((*x.shape[:2], h_0.shape[-1]), x.dtype)
    h_n, c_n = h_0.copy(), None if c_0 is None else c_0.copy()
    for length in np.unique(lengths):
        # A sequence of no steps keeps its states.
        if length == 0:
            continue
        own = np.flatnonzero(lengths == length)
        # A copy in the order of its own steps: not every framework takes a negative stride, which
        # ascontiguousarray leaves on an axis of one step.
        part = x[:length, own][::-1 if reverse else 1].copy()
        part_output, part_h, part_c = checked(
            direction, case, part, weights, h_0[own], None if c_0 is None else c_0[own])
        output[:length, own] = part_output[::-1 if reverse else 1]
        h_n[own] = part_h
        if c_n is not None:
            c_n[own] = part_c
    return output, h_n, c_n


def checked(
    direction: Direction, case: Case, x: Array, weights: Results, h_0: Array, c_0: Array | None
) -> tuple[Array, Array, Array | None]:
    """What the function gives, as arrays; raises ValueError where their shapes are others."""
    with np.errstate(all="ignore"):
        returned = direction(x, weights, h_0, c_0, case)
    expected = {"output": (len(x), *h_0.shape), "h_n": h_0.shape}
    if c_0 is not None:
        expected["c_n"] = c_0.shape
    results = returned if isinstance(returned, tuple | list) else (returned,)
    if len(results) < len(expected):
        raise ValueError(f"expected {', '.join(expected)} of one direction, found "
                         + ("one result" if len(results) == 1 else f"{len(results)} results"))
    arrays = [np.asarray(result) for result in results[:len(expected)]]
    for (name, shape), array in zip(expected.items(), arrays):
        if array.shape != shape:
            raise ValueError(f"{name} of one direction: expected the shape {shape}, "
                             f"found {array.shape}")
    return arrays[0], arrays[1], arrays[2] if c_0 is not None else None


def weights_of(case: Case, end: str) -> Results:
    """The parameters whose names have this ending, without it, and zeros for missing biases."""
    names = ("weight_ih", "weight_hh", "bias_ih", "bias_hh", "weight_hr")
    weights = {
        name: case.state_dict[name + end] for name in names if name + end in case.state_dict}
    rows, dtype = len(weights["weight_ih"]), weights["weight_ih"].dtype
    return {"bias_ih": np.zeros(rows, dtype), "bias_hh": np.zeros(rows, dtype)} | weights


def states(
    case: Case, weights: Results, batch: int, h_0: Array | None, c_0: Array | None
) -> tuple[Array, Array | None]:
    """The initial states of a direction: zeros where none are given."""
    rows, state_size = weights["weight_hh"].shape
    dtype = weights["weight_hh"].dtype
    if h_0 is None:
        h_0 = np.zeros((batch, state_size), dtype)
    if case.kind == "LSTM" and c_0 is None:
        c_0 = np.zeros((batch, rows // GATES[case.kind]), dtype)
    return h_0, c_0 if case.kind == "LSTM" else None


def resized(x: Array, steps: int) -> Array:
    """With so many steps: cut off, or zeros added."""
    return np.pad(x[:steps], [(0, max(0, steps - len(x))), (0, 0), (0, 0)])
