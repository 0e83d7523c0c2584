"""LSTM and GRU of one layer in ONNX Runtime, Keras and JAX, with a PyTorch module's parameters.

Each function takes a module with biases and an input of (T, B, I), starts from zero states, and
gives results by PyTorch's names and axes. `requirements-frameworks.txt` lists what they need.
"""

import os
from collections.abc import Callable

import numpy as np
import torch

Results = dict[str, np.ndarray]

os.environ.setdefault("KERAS_BACKEND", "jax")


def parameters(module: torch.nn.Module, end: str) -> list[np.ndarray]:
    """weight_ih, weight_hh, bias_ih and bias_hh of a direction."""
    return [
        getattr(module, f"{name}_l0{end}").detach().numpy()
        for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
    ]


def ends(module: torch.nn.Module) -> list[str]:
    return ["", "_reverse"] if module.bidirectional else [""]


def reordered(module: torch.nn.Module, tensor: np.ndarray, order: list[int]) -> np.ndarray:
    """The blocks of rows of PyTorch's gates in another order."""
    blocks = np.split(tensor, len(tensor) // module.hidden_size)
    return np.concatenate([blocks[k] for k in order])


def both_directions(
    module: torch.nn.Module, x: torch.Tensor, run: Callable[[str, np.ndarray], tuple]
) -> Results:
    """`run` gives h at each step, (T, B, H), and the last h and c of the direction of this
    ending, for an input that stands in its order."""
    outputs, states = [], []
    for end in ends(module):
        own = x.numpy()[::-1].copy() if end else x.numpy()
        hidden, *last = run(end, own)
        outputs.append(hidden[::-1] if end else hidden)
        states.append(last)
    results = {"output": np.concatenate(outputs, -1), "h_n": np.stack([h for h, _ in states])}
    if isinstance(module, torch.nn.LSTM):
        results["c_n"] = np.stack([c for _, c in states])
    return results


def onnxruntime(module: torch.nn.Module, x: torch.Tensor) -> Results:
    import onnxruntime
    from onnx import TensorProto, helper, numpy_helper

    is_lstm = isinstance(module, torch.nn.LSTM)
    # iofc, and zrh.
    order = [0, 3, 1, 2] if is_lstm else [1, 0, 2]
    own = [
        [reordered(module, tensor, order) for tensor in parameters(module, end)]
        for end in ends(module)
    ]
    constants = {
        "W": np.stack([w_ih for w_ih, _, _, _ in own]),
        "R": np.stack([w_hh for _, w_hh, _, _ in own]),
        "B": np.stack([np.concatenate([b_ih, b_hh]) for _, _, b_ih, b_hh in own]),
    }
    names = ["Y", "Y_h", "Y_c"][:3 if is_lstm else 2]
    node = helper.make_node(
        type(module).__name__, ["X", *constants], names, hidden_size=module.hidden_size,
        direction="bidirectional" if module.bidirectional else "forward",
        **({} if is_lstm else {"linear_before_reset": 1}))
    graph = helper.make_graph(
        [node], "module",
        [helper.make_tensor_value_info("X", TensorProto.FLOAT, list(x.shape))],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in names],
        [numpy_helper.from_array(tensor, name) for name, tensor in constants.items()])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 14)], ir_version=8)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    y, *states = session.run(None, {"X": x.numpy()})
    steps, _, batch, _ = y.shape
    output = y.transpose(0, 2, 1, 3).reshape(steps, batch, -1)
    return {"output": output} | dict(zip(("h_n", "c_n"), states))


def keras(module: torch.nn.Module, x: torch.Tensor) -> Results:
    import keras as k

    is_lstm = isinstance(module, torch.nn.LSTM)

    def run(end: str, own: np.ndarray) -> tuple:
        kind = k.layers.LSTM if is_lstm else k.layers.GRU
        # An LSTM's gates stand as in PyTorch, a GRU's are z, r, h.
        order = [0, 1, 2, 3] if is_lstm else [1, 0, 2]
        w_ih, w_hh, b_ih, b_hh = (
            reordered(module, tensor, order) for tensor in parameters(module, end))
        layer = kind(
            module.hidden_size, return_sequences=True, return_state=True, use_cudnn=False)
        layer.build((own.shape[1], own.shape[0], own.shape[2]))
        layer.set_weights([w_ih.T, w_hh.T, b_ih + b_hh if is_lstm else np.stack([b_ih, b_hh])])
        hidden, *last = map(np.asarray, layer(own.swapaxes(0, 1)))
        return hidden.swapaxes(0, 1), last[0], last[-1]

    return both_directions(module, x, run)


def jax(module: torch.nn.Module, x: torch.Tensor) -> Results:
    """As people write it with `lax.scan`, compiled."""
    import jax as j
    import jax.numpy as jnp

    def lstm(weights, carry, step):
        w_ih, w_hh, b_ih, b_hh = weights
        h, c = carry
        i, f, g, o = jnp.split(step @ w_ih.T + h @ w_hh.T + (b_ih + b_hh), 4, -1)
        c = j.nn.sigmoid(f) * c + j.nn.sigmoid(i) * jnp.tanh(g)
        return j.nn.sigmoid(o) * jnp.tanh(c), c

    def gru(weights, carry, step):
        w_ih, w_hh, b_ih, b_hh = weights
        h, c = carry
        r, z, n = jnp.split(step @ w_ih.T + b_ih, 3, -1)
        r_h, z_h, n_h = jnp.split(h @ w_hh.T + b_hh, 3, -1)
        z = j.nn.sigmoid(z + z_h)
        n = jnp.tanh(n + j.nn.sigmoid(r + r_h) * n_h)
        return (1 - z) * n + z * h, c

    cell = lstm if isinstance(module, torch.nn.LSTM) else gru

    @j.jit
    def scan(weights, own):
        def body(carry, step):
            carry = cell(weights, carry, step)
            return carry, carry[0]
        zeros = jnp.zeros((own.shape[1], module.hidden_size), own.dtype)
        return j.lax.scan(body, (zeros, zeros), own)

    def run(end: str, own: np.ndarray) -> tuple:
        (h, c), hidden = scan(parameters(module, end), own)
        return tuple(map(np.asarray, (hidden, h, c)))

    return both_directions(module, x, run)


#: By name: how the results are made, and what is stated of them.
FRAMEWORKS = {
    "ONNX Runtime": (onnxruntime, ["--actual-activations", "absolute"]),
    "Keras": (keras, []),
    "JAX": (jax, []),
}
