"""A small forward pass of PyTorch's recurrent modules in NumPy, which can be told to
go wrong. `Run` is a module with its inputs and the ways in which it deviates; with no
deviation it computes what PyTorch computes. Inside, axes are always (T, B, units).
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

Array = np.ndarray
Function = Callable[[Array], Array]

#: The gates' letters, in the order of PyTorch's blocks.
GATES = {"LSTM": "ifgo", "GRU": "rzn", "RNN": "h"}


@np.errstate(over="ignore")
def sigmoid(x: Array) -> Array:
    return 1 / (1 + np.exp(-x))


def relu(x: Array) -> Array:
    return np.maximum(x, 0)


def unchanged(x: Array) -> Array:
    return x


@dataclass(frozen=True)
class Parameters:
    """Of one direction of one layer; without biases these are zero."""

    weight_ih: Array
    weight_hh: Array
    bias_ih: Array
    bias_hh: Array
    weight_hr: Array | None = None

    def map(self, change: Callable[[str, Array], Array]) -> "Parameters":
        """Every tensor changed by name."""
        return Parameters(**{
            name: None if tensor is None else change(name, tensor)
            for name, tensor in vars(self).items()
        })


@dataclass(frozen=True)
class Run:
    """A module, its inputs, and how it deviates."""

    kind: Literal["LSTM", "GRU", "RNN"]
    is_cell: bool
    batched: bool
    batch_first: bool
    bias: bool
    hidden_size: int
    #: proj_size, or else hidden_size.
    state_size: int
    layers: int
    directions: int
    nonlinearity: str
    #: By layer and direction.
    parameters: dict[tuple[int, int], Parameters]
    #: (T, B, I)
    x: Array
    #: (L·D, B, P) and (L·D, B, H); zero where the case has none.
    h_0: Array
    c_0: Array
    has_initial_states: bool
    #: Of every sequence, where packed; the longest is T.
    lengths: Array | None = None
    total_length: int | None = None

    sigmoid: Function = sigmoid
    #: LSTM's g, GRU's n, RNN's only one.
    candidate: Function = np.tanh
    #: LSTM's last one, of c'.
    cell_output: Function = np.tanh
    #: What every product of matrices does to its operands.
    operand: Function = unchanged
    added_to_forget: float = 0
    #: Where GRU's b_hn stands, and what r multiplies.
    new_gate: Literal["PyTorch", "b_hn outside", "r before product"] = "PyTorch"
    update_reversed: bool = False
    b_hn_skipped_first: bool = False
    reverse_reads_forward: bool = False
    reverse_not_flipped_back: bool = False
    first_step_skipped: bool = False
    last_step_skipped: bool = False
    last_step_twice: bool = False
    packing: Literal["PyTorch", "none", "reverse reads padding"] = "PyTorch"

    @property
    def projected(self) -> bool:
        return self.state_size != self.hidden_size

    @property
    def ragged(self) -> bool:
        return self.lengths is not None and bool((self.lengths < len(self.x)).any())

    def in_type(self, dtype: type) -> "Run":
        """The same numbers in another type."""
        return replace(
            self, x=self.x.astype(dtype), h_0=self.h_0.astype(dtype), c_0=self.c_0.astype(dtype)
        ).with_parameters(lambda _, tensor: tensor.astype(dtype))

    def with_parameters(self, change: Callable[[str, Array], Array]) -> "Run":
        changed = {place: own.map(change) for place, own in self.parameters.items()}
        return replace(self, parameters=changed)


@dataclass(frozen=True)
class Results:
    """Of a run; `output` is (T, B, D·P)."""

    output: Array
    h_n: Array
    c_n: Array
    #: The output of each layer, without what total_length adds.
    by_layer: tuple[Array, ...]
    #: What a layer's direction has before a projection, (T, B, H).
    hidden: dict[tuple[int, int], Array]


@dataclass(frozen=True)
class Way:
    """A way to be wrong: a change of the run, a change of its results, or both."""

    slug: str
    #: Two ways of one group are not combined.
    group: str
    #: Whether it could be visible in this run's configuration and inputs.
    applies: Callable[[Run], bool]
    before: Callable[[Run], Run] = lambda run: run
    after: Callable[[Run, Results], Results] = lambda _, results: results


def step(run: Run, p: Parameters, x: Array, h: Array, c: Array, first: bool) -> tuple[Array, ...]:
    """One step of one direction: h', c', and h' before a projection."""
    def product(vector: Array, matrix: Array) -> Array:
        return run.operand(vector) @ run.operand(matrix).T

    of_x, of_h = product(x, p.weight_ih) + p.bias_ih, product(h, p.weight_hh) + p.bias_hh
    if run.kind == "RNN":
        h = run.candidate(of_x + of_h)
        return h, c, h
    if run.kind == "LSTM":
        i, f, g, o = np.split(of_x + of_h, 4, axis=-1)
        i, o = run.sigmoid(i), run.sigmoid(o)
        f = run.sigmoid(f + x.dtype.type(run.added_to_forget))
        c = f * c + i * run.candidate(g)
        hidden = o * run.cell_output(c)
        return hidden if p.weight_hr is None else product(hidden, p.weight_hr), c, hidden
    h = gru_step(run, p, of_x, of_h, h, product, first)
    return h, c, h


def gru_step(
    run: Run, p: Parameters, of_x: Array, of_h: Array, h: Array,
    product: Callable[[Array, Array], Array], first: bool,
) -> Array:
    x_r, x_z, x_n = np.split(of_x, 3, axis=-1)
    h_r, h_z, _ = np.split(of_h, 3, axis=-1)
    w_hn, b_hn = np.split(p.weight_hh, 3)[2], np.split(p.bias_hh, 3)[2]
    if first and run.b_hn_skipped_first:
        b_hn = 0 * b_hn
    r, z = run.sigmoid(x_r + h_r), run.sigmoid(x_z + h_z)
    if run.new_gate == "PyTorch":
        recurrent = r * (product(h, w_hn) + b_hn)
    elif run.new_gate == "b_hn outside":
        recurrent = r * product(h, w_hn) + b_hn
    else:
        recurrent = product(r * h, w_hn) + b_hn
    n = run.candidate(x_n + recurrent)
    return z * n + (1 - z) * h if run.update_reversed else (1 - z) * n + z * h


def scan(
    run: Run, p: Parameters, x: Array, h: Array, c: Array, reverse: bool
) -> tuple[Array, ...]:
    """A direction of a layer: its results, final h and c, and results before a projection."""
    longest, batch = x.shape[:2]
    lengths = np.full(batch, longest) if run.lengths is None else run.lengths
    if run.packing == "none" or reverse and run.packing == "reverse reads padding":
        lengths = np.full(batch, longest)
    backwards = reverse and not run.reverse_reads_forward
    results = np.zeros((longest, batch, run.state_size), x.dtype)
    wide = np.zeros((longest, batch, run.hidden_size), x.dtype)
    sequences = np.arange(batch)
    hidden = wide[0]
    for s in range(longest):
        reads = s < lengths
        t = np.where(reads, lengths - 1 - s, 0) if backwards else np.full(batch, s)
        new = step(run, p, x[t, sequences], h, c, first=s == 0)
        moves = reads.copy()
        if run.first_step_skipped:
            moves &= s > 0
        if run.last_step_skipped:
            moves &= s < lengths - 1
        h, c, hidden = (
            np.where(moves[:, None], after, before)
            for after, before in zip(new, (h, c, hidden))
        )
        place = np.full(batch, s) if reverse and run.reverse_not_flipped_back else t
        results[place[reads], sequences[reads]] = h[reads]
        wide[place[reads], sequences[reads]] = hidden[reads]
    if run.last_step_twice:
        last = np.zeros(batch, int) if backwards else lengths - 1
        h, c, _ = step(run, p, x[last, sequences], h, c, first=False)
    return results, h, c, wide


def forward(run: Run) -> Results:
    x, by_layer, hidden = run.x, [], {}
    finals: list[tuple[Array, Array]] = []
    for layer in range(run.layers):
        halves = []
        for direction in range(run.directions):
            row = layer * run.directions + direction
            results, h, c, hidden[layer, direction] = scan(
                run, run.parameters[layer, direction], x, run.h_0[row], run.c_0[row],
                reverse=direction == 1,
            )
            halves.append(results)
            finals.append((h, c))
        x = np.concatenate(halves, axis=-1)
        if run.packing == "reverse reads padding":
            x = without_padding(run, x)
        by_layer.append(x)
    h_n, c_n = (np.stack(states) for states in zip(*finals))
    missing = 0 if run.total_length is None else run.total_length - len(x)
    output = np.pad(x, [(0, missing), (0, 0), (0, 0)])
    return Results(output, h_n, c_n, tuple(by_layer), hidden)


def without_padding(run: Run, output: Array) -> Array:
    """Zero where a sequence is over."""
    if run.lengths is None:
        return output
    valid = np.arange(len(output))[:, None] < run.lengths
    return np.where(valid[..., None], output, output.dtype.type(0))


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
