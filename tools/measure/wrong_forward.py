"""A small forward pass of PyTorch's recurrent modules in NumPy, which can be told to
go wrong. `Run` is a module with its inputs and the ways in which it deviates; with no
deviation it computes what PyTorch computes. Inside, axes are always (T, B, units).
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np

Array = np.ndarray
Function = Callable[[Array], Array]
#: Steps, from the position in the order of reading, the lengths, and the longest of all.
Order = Callable[[Array, Array, int], Array]
Place = tuple[int, int]

#: The gates' letters, in the order of PyTorch's blocks.
GATES = {"LSTM": "ifgo", "GRU": "rzn", "RNN": "h"}


@np.errstate(over="ignore")
def sigmoid(x: Array) -> Array:
    return 1 / (1 + np.exp(-x))


def relu(x: Array) -> Array:
    return np.maximum(x, 0)


def unchanged(x: Array) -> Array:
    return x


def from_start(position: Array, lengths: Array, longest: int) -> Array:
    return position


def from_end(position: Array, lengths: Array, longest: int) -> Array:
    return lengths - 1 - position


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
    parameters: dict[Place, Parameters]
    #: (T, B, I)
    x: Array
    #: (L·D, B, P) and (L·D, B, H); zero where the case has none.
    h_0: Array
    c_0: Array
    has_initial_states: bool
    #: Of every sequence, where packed; the longest is T.
    lengths: Array | None = None
    total_length: int | None = None
    #: In how many steps at a time a stream is run; None where it is run at once.
    chunks: tuple[int, ...] | None = None

    sigmoid: Function = sigmoid
    #: LSTM's g, GRU's n, RNN's only one.
    candidate: Function = np.tanh
    #: LSTM's last one, of c'.
    cell_output: Function = np.tanh
    #: What every product of matrices does to its operands.
    operand: Function = unchanged
    #: What each gate's sums go through before its activation.
    sums: Function = unchanged
    added_to_forget: float = 0
    coupled_gates: bool = False
    #: What an LSTM's c' goes through.
    new_cell: Function = unchanged
    #: How much of the old h and c zoneout mixes into the new ones.
    kept: tuple[float, float] = (0, 0)
    #: Where GRU's b_hn stands, and what r multiplies.
    new_gate: Literal["PyTorch", "b_hn outside", "r before product", "no r"] = "PyTorch"
    update_reversed: bool = False
    b_hn_skipped_first: bool = False
    #: Unit after unit is written into the h that is read.
    h_in_place: bool = False
    old_cell_in_h: bool = False
    #: Of h and c, before the step at a position in the order of reading.
    states_before: Callable[[int, Array, Array], tuple[Array, Array]] = lambda _, h, c: (h, c)
    #: The layer and direction, already read, whose final states these ones start from.
    starts_from: Callable[[int, int], Place | None] = lambda layer, direction: None
    sequences_in_turn: bool = False
    #: What the next chunk of a stream starts from, of what it began with and what the chunk
    #: ended with.
    handed_over: Callable[["Run", Array, Array], tuple[Array, Array]] = lambda _, h, c: (h, c)
    #: The first layer whose output is c.
    cell_handed_up_from: int | None = None
    #: Of the reverse direction: what it reads, and where the result stands.
    reverse_reads: Order = from_end
    reverse_stands: Order = from_end
    #: The layers and directions in which it deviates in the formulas of a step, and what
    #: these fields are elsewhere.
    deviates_in: Callable[[int, int], bool] = lambda layer, direction: True
    elsewhere: dict[str, Any] = field(default_factory=dict)
    first_step_skipped: bool = False
    last_step_skipped: bool = False
    last_step_twice: bool = False
    packing: Literal[
        "PyTorch", "none", "forward reads padding", "reverse reads padding"
    ] = "PyTorch"

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
    hidden: dict[Place, Array]


def step(run: Run, p: Parameters, x: Array, h: Array, c: Array, first: bool) -> tuple[Array, ...]:
    """One step of one direction: h', c', and h' before a projection."""
    new_h, new_c, hidden = (in_place if run.h_in_place else unmixed)(run, p, x, h, c, first)
    share_h, share_c = run.kept
    new_h = share_h * h + (1 - share_h) * new_h if share_h else new_h
    new_c = share_c * c + (1 - share_c) * new_c if share_c else new_c
    return new_h, new_c, hidden


def unmixed(
    run: Run, p: Parameters, x: Array, h: Array, c: Array, first: bool
) -> tuple[Array, ...]:
    def product(vector: Array, matrix: Array) -> Array:
        return run.operand(vector) @ run.operand(matrix).T

    of_x, of_h = product(x, p.weight_ih) + p.bias_ih, product(h, p.weight_hh) + p.bias_hh
    if run.kind == "RNN":
        h = run.candidate(run.sums(of_x + of_h))
        return h, c, h
    if run.kind == "LSTM":
        i, f, g, o = (run.sums(gate) for gate in np.split(of_x + of_h, 4, axis=-1))
        i, o = run.sigmoid(i), run.sigmoid(o)
        f = 1 - i if run.coupled_gates else run.sigmoid(f + x.dtype.type(run.added_to_forget))
        old, c = c, run.new_cell(f * c + i * run.candidate(g))
        hidden = o * run.cell_output(old if run.old_cell_in_h else c)
        return hidden if p.weight_hr is None else product(hidden, p.weight_hr), c, hidden
    h = gru_step(run, p, of_x, of_h, h, product, first)
    return h, c, h


def in_place(
    run: Run, p: Parameters, x: Array, h: Array, c: Array, first: bool
) -> tuple[Array, ...]:
    """Unit after unit, each of which reads the earlier ones' h'."""
    h, cells = h.copy(), c.copy()
    for unit in range(run.hidden_size):
        new_h, new_c, _ = unmixed(run, p, x, h, c, first)
        h[:, unit], cells[:, unit] = new_h[:, unit], new_c[:, unit]
    return h, cells, h


def gru_step(
    run: Run, p: Parameters, of_x: Array, of_h: Array, h: Array,
    product: Callable[[Array, Array], Array], first: bool,
) -> Array:
    x_r, x_z, x_n = np.split(of_x, 3, axis=-1)
    h_r, h_z, _ = np.split(of_h, 3, axis=-1)
    w_hn, b_hn = np.split(p.weight_hh, 3)[2], np.split(p.bias_hh, 3)[2]
    if first and run.b_hn_skipped_first:
        b_hn = 0 * b_hn
    r, z = run.sigmoid(run.sums(x_r + h_r)), run.sigmoid(run.sums(x_z + h_z))
    if run.new_gate == "PyTorch":
        recurrent = r * (product(h, w_hn) + b_hn)
    elif run.new_gate == "b_hn outside":
        recurrent = r * product(h, w_hn) + b_hn
    elif run.new_gate == "no r":
        recurrent = product(h, w_hn) + b_hn
    else:
        recurrent = product(r * h, w_hn) + b_hn
    n = run.candidate(run.sums(x_n + recurrent))
    return z * n + (1 - z) * h if run.update_reversed else (1 - z) * n + z * h


def scan(
    run: Run, p: Parameters, x: Array, h: Array, c: Array, reverse: bool, cell: bool = False
) -> tuple[Array, ...]:
    """A direction of a layer: its results (h, or else c), final h and c, and results
    before a projection."""
    longest, batch = x.shape[:2]
    lengths = np.full(batch, longest) if run.lengths is None else run.lengths
    if run.packing in ("none", ("reverse" if reverse else "forward") + " reads padding"):
        lengths = np.full(batch, longest)
    reading = run.reverse_reads if reverse else from_start
    standing = run.reverse_stands if reverse else from_start
    results = np.zeros((longest, batch, run.hidden_size if cell else run.state_size), x.dtype)
    wide = np.zeros((longest, batch, run.hidden_size), x.dtype)
    sequences = np.arange(batch)
    hidden = wide[0]
    for s in range(longest):
        position, reads = np.full(batch, s), s < lengths
        t = np.where(reads, reading(position, lengths, longest), 0)
        new = step(run, p, x[t, sequences], *run.states_before(s, h, c), first=s == 0)
        moves = reads.copy()
        if run.first_step_skipped:
            moves &= s > 0
        if run.last_step_skipped:
            moves &= s < lengths - 1
        h, c, hidden = (
            np.where(moves[:, None], after, before)
            for after, before in zip(new, (h, c, hidden))
        )
        place = standing(position, lengths, longest)
        results[place[reads], sequences[reads]] = (c if cell else h)[reads]
        wide[place[reads], sequences[reads]] = hidden[reads]
    if run.last_step_twice:
        last = reading(lengths - 1, lengths, longest)
        h, c, _ = step(run, p, x[last, sequences], h, c, first=False)
    return results, h, c, wide


def scan_in_turn(
    run: Run, p: Parameters, x: Array, h: Array, c: Array, reverse: bool, cell: bool = False
) -> tuple[Array, ...]:
    """As `scan`, each sequence from the final states of the one before."""
    scanned, h, c = [], h[:1], c[:1]
    for b in range(x.shape[1]):
        lengths = None if run.lengths is None else run.lengths[b:b + 1]
        scanned.append(scan(
            replace(run, lengths=lengths), p, x[:, b:b + 1], h, c, reverse, cell))
        _, h, c, _ = scanned[-1]
    results, finals_h, finals_c, wide = zip(*scanned)
    return (np.concatenate(results, axis=1), np.concatenate(finals_h), np.concatenate(finals_c),
            np.concatenate(wide, axis=1))


def forward(run: Run) -> Results:
    x, by_layer, hidden = run.x, [], {}
    finals: dict[Place, tuple[Array, Array]] = {}
    for layer in range(run.layers):
        halves = []
        cell = run.cell_handed_up_from is not None and layer >= run.cell_handed_up_from
        for direction in range(run.directions):
            place, row = (layer, direction), layer * run.directions + direction
            start = run.starts_from(layer, direction)
            h, c = (run.h_0[row], run.c_0[row]) if start is None else finals[start]
            own = run if run.deviates_in(*place) else replace(run, **run.elsewhere)
            results, h, c, hidden[place] = (scan_in_turn if run.sequences_in_turn else scan)(
                own, run.parameters[place], x, h, c, direction == 1, cell)
            halves.append(results)
            finals[place] = h, c
        x = np.concatenate(halves, axis=-1)
        if run.packing == "reverse reads padding":
            x = without_padding(run, x)
        by_layer.append(x)
    h_n, c_n = (np.stack(states) for states in zip(*finals.values()))
    missing = 0 if run.total_length is None else run.total_length - len(x)
    output = np.pad(x, [(0, missing), (0, 0), (0, 0)])
    return Results(output, h_n, c_n, tuple(by_layer), hidden)


def without_padding(run: Run, output: Array) -> Array:
    """Zero where a sequence is over."""
    if run.lengths is None:
        return output
    valid = np.arange(len(output))[:, None] < run.lengths
    return np.where(valid[..., None], output, output.dtype.type(0))
