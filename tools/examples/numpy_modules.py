"""The forward pass of PyTorch's recurrent modules, and of short chains around them, in NumPy.

Computes in the type of what it is given; `numpy_engine.py` makes a program of it.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

Array = np.ndarray
Tensors = dict[str, Array]
#: A step: from parameters, (B, I) and the states (B, P) and (B, H) to the next states.
Step = Callable[[Tensors, Array, Array, Array], tuple[Array, Array]]


class CannotCompute(Exception):
    """A case that lacks something, or asks for what is not here."""


# One step of one direction. Parameters have PyTorch's names without the layer's suffix; a
# module without biases has none.


def lstm(p: Tensors, x: Array, h: Array, c: Array) -> tuple[Array, Array]:
    """i, f, g, o of Wx + b + Uh + b;  c' = f·c + i·g;  h' = o·tanh(c')."""
    i, f, g, o = np.split(affine(p, "ih", x) + affine(p, "hh", h), 4, axis=-1)
    c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
    h = sigmoid(o) * np.tanh(c)
    return (h @ p["weight_hr"].T if "weight_hr" in p else h), c


def gru(p: Tensors, x: Array, h: Array, c: Array) -> tuple[Array, Array]:
    """n = tanh(W_n x + b_in + r·(U_n h + b_hn));  h' = (1-z)·n + z·h."""
    x_r, x_z, x_n = np.split(affine(p, "ih", x), 3, axis=-1)
    h_r, h_z, h_n = np.split(affine(p, "hh", h), 3, axis=-1)
    r, z = sigmoid(x_r + h_r), sigmoid(x_z + h_z)
    n = np.tanh(x_n + r * h_n)
    return (1 - z) * n + z * h, c


def gru_with_misplaced_b_hn(p: Tensors, x: Array, h: Array, c: Array) -> tuple[Array, Array]:
    """A common mistake: b_hn outside what r multiplies."""
    if "bias_hh" not in p:
        return gru(p, x, h, c)
    b_hr, b_hz, b_hn = np.split(p["bias_hh"], 3)
    zero = np.zeros_like(b_hn)
    moved = {
        "bias_ih": p["bias_ih"] + np.concatenate([zero, zero, b_hn]),
        "bias_hh": np.concatenate([b_hr, b_hz, zero]),
    }
    return gru(p | moved, x, h, c)


def rnn(p: Tensors, x: Array, h: Array, c: Array) -> tuple[Array, Array]:
    return np.tanh(affine(p, "ih", x) + affine(p, "hh", h)), c


def rnn_relu(p: Tensors, x: Array, h: Array, c: Array) -> tuple[Array, Array]:
    return np.maximum(affine(p, "ih", x) + affine(p, "hh", h), 0), c


def affine(p: Tensors, which: str, x: Array) -> Array:
    product = x @ p[f"weight_{which}"].T
    return product + p[f"bias_{which}"] if f"bias_{which}" in p else product


def sigmoid(x: Array) -> Array:
    """exp of nothing positive, so that it never overflows."""
    e = np.exp(-np.abs(x))
    return np.where(x >= 0, np.ones_like(e), e) / (1 + e)


# Steps in a row, and layers of them. Inside, axes are always (T, B, units).


def scan(
    step: Step, p: Tensors, x: Array, lengths: Array, h: Array, c: Array, reverse: bool
) -> tuple[Array, Array, Array]:
    """A direction of a layer: its output, 0 where a sequence is over, and its final states.

    Sequence b takes its own steps and no others: forward 0, 1, … lengths[b]-1, in reverse
    the same from the end.
    """
    output = np.zeros((*x.shape[:2], h.shape[-1]), x.dtype)
    h, c = h.copy(), c.copy()
    for s in range(len(x)):
        b = np.flatnonzero(s < lengths)
        t = lengths[b] - 1 - s if reverse else np.full_like(b, s)
        h[b], c[b] = step(p, x[t, b], h[b], c[b])
        output[t, b] = h[b]
    return output, h, c


def layers(
    step: Step, parameters: Tensors, x: Array, lengths: Array, h_0: Array | None, c_0: Array | None
) -> tuple[Array, Array, Array]:
    """output (T, B, D·P), h_n (L·D, B, P) and c_n (L·D, B, H): by layer, then direction."""
    h_n: list[Array] = []
    c_n: list[Array] = []
    directions = ["", "_reverse"] if "weight_ih_l0_reverse" in parameters else [""]
    for layer in range(sum(name.startswith("weight_ih") for name in parameters) // len(directions)):
        outputs = []
        for direction in directions:
            p = of_suffix(parameters, f"_l{layer}{direction}")
            h, c = zero_states(p, x.shape[1], x.dtype)
            h = h if h_0 is None else h_0[len(h_n)]
            c = c if c_0 is None else c_0[len(c_n)]
            output, h, c = scan(step, p, x, lengths, h, c, reverse=direction == "_reverse")
            outputs.append(output)
            h_n.append(h)
            c_n.append(c)
        x = np.concatenate(outputs, axis=-1)
    return x, np.stack(h_n), np.stack(c_n)


def of_suffix(parameters: Tensors, suffix: str) -> Tensors:
    return {n.removesuffix(suffix): t for n, t in parameters.items() if n.endswith(suffix)}


def zero_states(p: Tensors, batch: int, dtype: np.dtype) -> tuple[Array, Array]:
    """U is (gates·H, P) and a projection (P, H)."""
    state_size = p["weight_hh"].shape[1]
    hidden_size = p["weight_hr"].shape[1] if "weight_hr" in p else state_size
    return np.zeros((batch, state_size), dtype), np.zeros((batch, hidden_size), dtype)


# Modules, as PyTorch calls them.


def recurrent(manifest: dict[str, Any], p: Tensors, inputs: Tensors, bug: str | None) -> Tensors:
    """LSTM, GRU or RNN: `output`, `h_n`, and of an LSTM `c_n`."""
    batched = inputs["input"].ndim == 3
    swapped = batched and manifest.get("arguments", {}).get("batch_first", False)
    if not batched:
        inputs = {name: tensor[:, None] for name, tensor in inputs.items()}
    x, h_0, c_0 = inputs["input"], inputs.get("h_0"), inputs.get("c_0")
    if swapped:
        x = x.swapaxes(0, 1)
    # Packed sequences are as long as they say, else all of them as long as the input. States
    # stay in the batch's own order, whether sorting is enforced or not.
    lengths = inputs.get("lengths", np.full(x.shape[1], len(x)))
    longest = lengths.max(initial=0) if "lengths" in inputs else len(x)
    output, h_n, c_n = layers(step_of(manifest, bug), p, x[:longest], lengths, h_0, c_0)
    total_length = manifest.get("packed", {}).get("total_length") or longest
    output = np.pad(output, [(0, total_length - longest), (0, 0), (0, 0)])
    if not batched:
        output, h_n, c_n = output[:, 0], h_n[:, 0], c_n[:, 0]
    elif swapped:
        output = output.swapaxes(0, 1)
    results = {"output": output, "h_n": h_n}
    return results | {"c_n": c_n} if manifest["module"] == "LSTM" else results


def cell(manifest: dict[str, Any], p: Tensors, inputs: Tensors, bug: str | None) -> Tensors:
    """LSTMCell, GRUCell or RNNCell: one step, with or without a batch axis."""
    x = inputs["input"]
    h, c = zero_states(p, x.shape[0] if x.ndim == 2 else 1, x.dtype)
    if x.ndim == 1:
        h, c = h[0], c[0]
    h, c = step_of(manifest, bug)(p, x, inputs.get("h_0", h), inputs.get("c_0", c))
    return {"h_n": h, "c_n": c} if manifest["module"] == "LSTMCell" else {"h_n": h}


def step_of(manifest: dict[str, Any], bug: str | None) -> Step:
    name = manifest["module"].removesuffix("Cell")
    relu = manifest.get("arguments", {}).get("nonlinearity") == "relu"
    misplaced = bug == "b-hn-misplaced"
    return {
        "LSTM": lstm,
        "GRU": gru_with_misplaced_b_hn if misplaced else gru,
        "RNN": rnn_relu if relu else rnn,
    }[name]


def sequential(manifest: dict[str, Any], p: Tensors, inputs: Tensors, bug: str | None) -> Tensors:
    """Each module gets what the one before hands on; the last one's is the `output`."""
    x, select = inputs["input"], "output"
    left = {name: tensor for name, tensor in inputs.items() if name != "input"}
    for entry in manifest["modules"]:
        prefix, kind, arguments = entry["name"] + ".", entry["module"], entry.get("arguments", {})
        own = {n.removeprefix(prefix): t for n, t in p.items() if n.startswith(prefix)}
        if kind in RECURRENT:
            # Each packs its sequences; initial states are the first one's.
            results = recurrent(
                entry | {"packed": manifest.get("packed", {})}, own, left | {"input": x}, bug)
            left = {name: tensor for name, tensor in left.items() if name == "lengths"}
            select = entry.get("select", "output")
            last_rows = 2 if "weight_ih_l0_reverse" in own else 1
            x = results["h_n"][-last_rows:] if select == "h_n" else results["output"]
        elif kind == "DirectionMerge":
            forward, reverse = x if select == "h_n" else np.split(x, 2, axis=-1)
            x = MERGES[arguments["mode"]](forward, reverse)
        elif kind == "Embedding":
            x = own["weight"][x]
        elif kind == "Linear":
            x = x @ own["weight"].T + own.get("bias", x.dtype.type(0))
        elif kind in ("Softmax", "LogSoftmax"):
            x = x - x.max(arguments["dim"], keepdims=True)
            total = np.exp(x).sum(arguments["dim"], keepdims=True)
            x = np.exp(x) / total if kind == "Softmax" else x - np.log(total)
        else:
            raise CannotCompute(f"no module {kind} here")
    return {"output": x}


MERGES: dict[str, Callable[[Array, Array], Array]] = {
    "concat": lambda forward, reverse: np.concatenate([forward, reverse], axis=-1),
    "sum": lambda forward, reverse: forward + reverse,
    "ave": lambda forward, reverse: (forward + reverse) / 2,
    "mul": lambda forward, reverse: forward * reverse,
}

RECURRENT = ("LSTM", "GRU", "RNN")
MODULES: dict[str, Callable[[dict[str, Any], Tensors, Tensors, str | None], Tensors]] = (
    dict.fromkeys(RECURRENT, recurrent)
    | dict.fromkeys(("LSTMCell", "GRUCell", "RNNCell"), cell)
    | {"Sequential": sequential}
)
