"""Ways to be wrong that stand in the parameters: their gates, layout, precision, biases,
and whose direction or layer they are.
"""

import itertools
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from measure.way import Way, is_lstm, option, stacked_both_ways, two_directions
from measure.wrong_forward import GATES, Array, Parameters, Run


def in_parameters(
    slug: str, group: str, applies: Callable[[Run], bool],
    change: Callable[[Run, str, Array], Array],
) -> Way:
    """A way that changes each tensor by itself."""
    return Way(slug, group, applies, lambda run: run.with_parameters(
        lambda name, tensor: change(run, name, tensor)))


def gate_order(kind: str, order: str) -> Way:
    """Block k of the rows is taken as gate `order[k]`."""
    def change(run: Run, name: str, tensor: Array) -> Array:
        if name == "weight_hr":
            return tensor
        blocks = np.split(tensor, len(order))
        return np.concatenate([blocks[order.index(gate)] for gate in GATES[kind]])

    return in_parameters(f"gates-{order}", "gates", lambda run: run.kind == kind, change)


GATE_ORDERS = [
    gate_order(kind, "".join(order))
    for kind in ("LSTM", "GRU")
    for order in itertools.permutations(GATES[kind])
    if "".join(order) != GATES[kind]
]


def some_weight_ih_is_square(run: Run) -> bool:
    return any(p.weight_ih.shape[1] == run.hidden_size for p in run.parameters.values())


def is_weight(name: str) -> bool:
    return name in ("weight_ih", "weight_hh")


def blocks_transposed(run: Run, name: str, tensor: Array) -> Array:
    if not is_weight(name) or tensor.shape[1] != run.hidden_size:
        return tensor
    return np.concatenate([block.T for block in np.split(tensor, len(GATES[run.kind]))])


def recurrent_transposed(run: Run, name: str, tensor: Array) -> Array:
    return blocks_transposed(run, name, tensor) if name == "weight_hh" else tensor


def reread(run: Run, name: str, tensor: Array) -> Array:
    """The buffer of (G·H, n) taken as that of (n, G·H), and transposed."""
    return tensor.reshape(tensor.shape[::-1]).T if is_weight(name) else tensor


def units_from_gates(run: Run, name: str, tensor: Array) -> Array:
    """Rows that stand gate after gate, put unit after unit."""
    return exchanged_rows(tensor, len(GATES[run.kind])) if name != "weight_hr" else tensor


def gates_from_units(run: Run, name: str, tensor: Array) -> Array:
    return exchanged_rows(tensor, run.hidden_size) if name != "weight_hr" else tensor


def exchanged_rows(tensor: Array, blocks: int) -> Array:
    """The rows of blocks, the first of each first."""
    parted = tensor.reshape(blocks, len(tensor) // blocks, *tensor.shape[1:])
    return parted.swapaxes(0, 1).reshape(tensor.shape)


def has_gates_of_units(run: Run) -> bool:
    return run.kind != "RNN" and run.hidden_size > 1


GATE_LAYOUTS = [
    in_parameters("gates-interleaved", "gates", has_gates_of_units, units_from_gates),
    in_parameters("gates-deinterleaved", "gates", has_gates_of_units, gates_from_units),
]


def exchanged_weights(run: Run) -> Run:
    def own(p: Parameters) -> Parameters:
        if p.weight_ih.shape != p.weight_hh.shape:
            return p
        return replace(p, weight_ih=p.weight_hh, weight_hh=p.weight_ih)

    return replace(run, parameters={place: own(p) for place, p in run.parameters.items()})


def with_exchanged_halves(run: Run) -> Run:
    """Those of weight_ih's columns, in all layers but the first."""
    return replace(run, parameters={
        place: p if place[0] == 0 else replace(p, weight_ih=np.roll(
            p.weight_ih, run.state_size, axis=1))
        for place, p in run.parameters.items()
    })


LAYOUTS = [
    in_parameters(
        "weights-transposed", "layout",
        lambda run: some_weight_ih_is_square(run) and not run.projected and run.hidden_size > 1,
        blocks_transposed),
    in_parameters(
        "weight-hh-transposed", "layout",
        lambda run: not run.projected and run.hidden_size > 1, recurrent_transposed),
    in_parameters("weights-reread", "layout", lambda run: True, reread),
    Way("weights-exchanged", "layout",
        lambda run: some_weight_ih_is_square(run) and not run.projected, exchanged_weights),
    Way("layer-halves-exchanged", "layout", stacked_both_ways, with_exchanged_halves),
]


def rounded_bits(tensor: Array, dropped: int) -> Array:
    """float32 without its last bits, to nearest even."""
    bits = np.ascontiguousarray(tensor, dtype=np.float32).view(np.uint32)
    half = np.uint32((1 << (dropped - 1)) - 1)
    bits = bits + half + ((bits >> np.uint32(dropped)) & np.uint32(1))
    bits = bits & np.uint32((0xFFFFFFFF << dropped) & 0xFFFFFFFF)
    return bits.view(np.float32).astype(tensor.dtype).reshape(tensor.shape)


def tf32(tensor: Array) -> Array:
    """11 significant bits."""
    return rounded_bits(tensor, 13)


def bfloat16(tensor: Array) -> Array:
    """8 significant bits."""
    return rounded_bits(tensor, 16)


def int8(tensor: Array, axis: int | None) -> Array:
    """In steps of the 127th part of the largest of all, or along an axis."""
    narrow = tensor.astype(np.float32)
    scale = np.abs(narrow).max(axis=axis, keepdims=True) / np.float32(127)
    scale[scale == 0] = 1
    return (np.rint(narrow / scale) * scale).astype(tensor.dtype)


def float8(tensor: Array, bits: int, least: int) -> Array:
    """`bits` behind the first of numbers from 2^least on, which are no larger than the
    format's largest."""
    narrow = tensor.astype(np.float32)
    exponents = np.maximum(np.frexp(narrow)[1] - 1, least) - bits
    return np.ldexp(np.rint(np.ldexp(narrow, -exponents)), exponents).astype(tensor.dtype)


def coarse_weights(slug: str, coarse: Callable[[Array], Array]) -> Way:
    return in_parameters(slug, "precision", lambda run: True, lambda run, name, tensor: (
        coarse(tensor) if name.startswith("weight") else tensor))


PRECISIONS = [
    in_parameters("bfloat16-parameters", "precision", lambda run: True,
                  lambda run, name, tensor: bfloat16(tensor)),
    in_parameters("float16-parameters", "precision", lambda run: True,
                  lambda run, name, tensor: tensor.astype(np.float16).astype(tensor.dtype)),
    coarse_weights("weights-int8-per-tensor", lambda tensor: int8(tensor, None)),
    coarse_weights("weights-int8-per-row", lambda tensor: int8(tensor, 1)),
    coarse_weights("weights-float8-e4m3", lambda tensor: float8(tensor, 3, -6)),
    coarse_weights("weights-float8-e5m2", lambda tensor: float8(tensor, 2, -14)),
]


def biases(
    slug: str, change: Callable[[Array, Array], tuple[Array, Array]], kind: str | None = None
) -> Way:
    def before(run: Run) -> Run:
        changed = {}
        for place, p in run.parameters.items():
            bias_ih, bias_hh = change(p.bias_ih, p.bias_hh)
            changed[place] = replace(p, bias_ih=bias_ih, bias_hh=bias_hh)
        return replace(run, parameters=changed)

    return Way(slug, "biases", lambda run: run.bias and kind in (None, run.kind), before)


def gates_of(bias: Array, factors: list[int]) -> Array:
    """The blocks of the gates, each times a factor."""
    return np.concatenate([f * b for f, b in zip(factors, np.split(bias, 3), strict=True)])


def interleaved(ih: Array, hh: Array) -> tuple[Array, Array]:
    """The buffer of both, one after the other, taken as that of pairs."""
    both = np.concatenate([ih, hh])
    return both[0::2], both[1::2]


def deinterleaved(ih: Array, hh: Array) -> tuple[Array, Array]:
    """The buffer of pairs taken as that of both, one after the other."""
    return tuple(np.split(np.stack([ih, hh], axis=1).ravel(), 2))


BIASES = [
    biases("bias-ih-dropped", lambda ih, hh: (0 * ih, hh)),
    biases("bias-hh-dropped", lambda ih, hh: (ih, 0 * hh)),
    biases("biases-dropped", lambda ih, hh: (0 * ih, 0 * hh)),
    biases("bias-ih-twice", lambda ih, hh: (ih, ih)),
    biases("bias-hh-twice", lambda ih, hh: (hh, hh)),
    biases("biases-doubled", lambda ih, hh: (2 * ih, 2 * hh)),
    biases("biases-swapped", lambda ih, hh: (hh, ih), "GRU"),
    biases("b-hn-dropped", lambda ih, hh: (ih, gates_of(hh, [1, 1, 0])), "GRU"),
    biases("b-hr-b-hz-dropped", lambda ih, hh: (ih, gates_of(hh, [0, 0, 1])), "GRU"),
    biases("b-hn-inside-and-outside", lambda ih, hh: (ih + gates_of(hh, [0, 0, 1]), hh), "GRU"),
    biases("b-in-inside-reset",
           lambda ih, hh: (gates_of(ih, [1, 1, 0]), hh + gates_of(ih, [0, 0, 1])), "GRU"),
    biases("biases-interleaved", interleaved),
    biases("biases-deinterleaved", deinterleaved),
    option("forget-bias-one", "biases", is_lstm, added_to_forget=1),
    option("forget-bias-minus-one", "biases", is_lstm, added_to_forget=-1),
]


def parameters_of(run: Run, source: Callable[[int, int], tuple[int, int]]) -> Run:
    """The run with the parameters that `source` says for a layer and direction."""
    return replace(run, parameters={
        place: run.parameters[source(*place)] for place in run.parameters
    })


DIRECTION_PARAMETERS = [
    Way("direction-parameters-swapped", "directions", two_directions,
        lambda run: parameters_of(run, lambda layer, direction: (layer, 1 - direction))),
    Way("reverse-shares-forward-parameters", "directions", two_directions,
        lambda run: parameters_of(run, lambda layer, direction: (layer, 0))),
    Way("forward-shares-reverse-parameters", "directions", two_directions,
        lambda run: parameters_of(run, lambda layer, direction: (layer, 1))),
]


def first_of_equal_shapes(run: Run) -> int:
    """The first of the layers that could take each other's parameters."""
    later = run.directions * run.state_size
    return 0 if run.parameters[0, 0].weight_ih.shape[1] == later else 1


def equal_layers(run: Run) -> int:
    return run.layers - first_of_equal_shapes(run)


def reversed_layers(run: Run) -> Run:
    first = first_of_equal_shapes(run)
    return parameters_of(run, lambda layer, direction: (
        layer if layer < first else run.layers - 1 - layer + first, direction))


def shared_layers(run: Run) -> Run:
    first = first_of_equal_shapes(run)
    return parameters_of(run, lambda layer, direction: (min(layer, first), direction))


def zero_layers(run: Run) -> Run:
    def own(layer: int, p: Parameters) -> Parameters:
        return p if layer == 0 else p.map(lambda _, tensor: 0 * tensor)

    return replace(run, parameters={
        place: own(place[0], p) for place, p in run.parameters.items()
    })


LAYER_PARAMETERS = [
    Way("layers-reversed", "layers", lambda run: equal_layers(run) >= 2, reversed_layers),
    Way("later-layers-zero", "layers", lambda run: run.layers >= 2, zero_layers),
    Way("later-layers-share-parameters", "layers", lambda run: equal_layers(run) >= 2,
        shared_layers),
]

WAYS_OF_WEIGHTS = [
    *LAYOUTS, *GATE_LAYOUTS, *GATE_ORDERS, *PRECISIONS, *BIASES, *DIRECTION_PARAMETERS,
    *LAYER_PARAMETERS,
]
