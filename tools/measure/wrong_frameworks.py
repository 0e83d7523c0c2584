"""Results of ONNX Runtime and Keras that got PyTorch's parameters carelessly: nothing
here computes a recurrent module itself.
"""

import os
import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

os.environ.setdefault("KERAS_BACKEND", "torch")

import keras
import numpy as np
import onnxruntime
from onnx import TensorProto, helper

from measure.wrong_cases import Right, Tensors, draw, equivalents, right, save, visible
from measure.wrong_forward import GATES, Array, Parameters, Run
from measure.wrong_ways import compute

#: How far a framework may be from the NumPy program, in rounding errors of PyTorch's.
SAME = 100


def permuted(p: Parameters, kind: str, order: str) -> Parameters:
    """The blocks of rows in another order."""
    def change(_: str, tensor: Array) -> Array:
        blocks = dict(zip(GATES[kind], np.split(tensor, len(order))))
        return np.concatenate([blocks[gate] for gate in order])

    return p.map(change)


def with_onnx(run: Run, order: str, **attributes: int) -> Tensors:
    """One node, its blocks of rows in this order."""
    own = [permuted(run.parameters[0, d], run.kind, order) for d in range(run.directions)]
    feeds = {
        "X": run.x, "W": np.stack([p.weight_ih for p in own]),
        "R": np.stack([p.weight_hh for p in own]),
        "B": np.stack([np.concatenate([p.bias_ih, p.bias_hh]) for p in own]),
        "initial_h": run.h_0,
    }
    names, outputs = ["X", "W", "R", "B", "", "initial_h"], ["Y", "Y_h"]
    if run.kind == "LSTM":
        feeds["initial_c"] = run.c_0
        names, outputs = names + ["initial_c"], outputs + ["Y_c"]
    node = helper.make_node(
        run.kind, names, outputs, hidden_size=run.hidden_size,
        direction="bidirectional" if run.directions == 2 else "forward", **attributes,
    )

    def value(name: str) -> object:
        return helper.make_tensor_value_info(name, TensorProto.FLOAT, None)

    inputs = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, array.shape)
        for name, array in feeds.items()
    ]
    graph = helper.make_graph([node], "layer", inputs, [value(name) for name in outputs])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    y, h_n, *c_n = session.run(None, {n: np.ascontiguousarray(a) for n, a in feeds.items()})
    # (T, D, B, H)
    output = y.transpose(0, 2, 1, 3).reshape(*y.shape[::2], -1)
    return handed_out(run, output, h_n, *c_n)


def handed_out(run: Run, output: Array, h_n: Array, c_n: Array | None = None) -> Tensors:
    """From (T, B, units) to PyTorch's layout."""
    output = output.swapaxes(0, 1) if run.batch_first else output
    tensors = {"output": output, "h_n": h_n}
    if c_n is not None:
        tensors["c_n"] = c_n
    return {name: np.ascontiguousarray(tensor) for name, tensor in tensors.items()}


def with_keras(
    run: Run, order: str, bias: Callable[[Parameters], Array],
    kernel: Callable[[Array], Array] = np.transpose, merge_mode: str = "concat", **options: object,
) -> Tensors:
    """One layer, its blocks of columns in this order; `bias` makes Keras' of PyTorch's two."""
    own = [permuted(run.parameters[0, d], run.kind, order) for d in range(run.directions)]
    layer = getattr(keras.layers, run.kind)(
        run.hidden_size, return_sequences=True, return_state=True, **options)
    if run.directions == 2:
        layer = keras.layers.Bidirectional(layer, merge_mode=merge_mode)
    x = run.x.swapaxes(0, 1).copy()
    layer.build(x.shape)
    layer.set_weights([
        weights for p in own
        for weights in (kernel(p.weight_ih), kernel(p.weight_hh), bias(p))
    ])
    lstm = run.kind == "LSTM"
    initial = [
        keras.ops.convert_to_tensor(states[d].copy()) for d in range(run.directions)
        for states in ([run.h_0, run.c_0] if lstm else [run.h_0])
    ]
    output, *finals = (
        keras.ops.convert_to_numpy(tensor) for tensor in layer(x, initial_state=initial))
    if not lstm:
        return handed_out(run, output.swapaxes(0, 1), np.stack(finals))
    return handed_out(run, output.swapaxes(0, 1), np.stack(finals[::2]), np.stack(finals[1::2]))


def summed(p: Parameters) -> Array:
    return p.bias_ih + p.bias_hh


def input_only(p: Parameters) -> Array:
    return p.bias_ih


def both(p: Parameters) -> Array:
    """reset_after=True: (2, 3H)."""
    return np.stack([p.bias_ih, p.bias_hh])


def all_in_first(p: Parameters) -> Array:
    return np.stack([p.bias_ih + p.bias_hh, 0 * p.bias_hh])


def reshaped(weight: Array) -> Array:
    return weight.reshape(weight.shape[::-1])


@dataclass(frozen=True)
class Misuse:
    description: str
    kind: str
    expected: list[str]
    compute: Callable[[Run], Tensors]
    #: What the expected ways need beside the module.
    directions: tuple[int, ...] = (1, 2)
    bias: bool = False


MISUSES = [
    Misuse("ONNX Runtime, blocks left as i, f, g, o", "LSTM", ["gates-iofg"],
           lambda run: with_onnx(run, "ifgo")),
    Misuse("ONNX Runtime, blocks left as r, z, n", "GRU", ["gates-zrn"],
           lambda run: with_onnx(run, "rzn", linear_before_reset=1)),
    Misuse("ONNX Runtime, blocks left as r, z, n, linear_before_reset=0", "GRU",
           ["gates-zrn", "reset-before-product"],
           lambda run: with_onnx(run, "rzn", linear_before_reset=0)),
    Misuse("ONNX Runtime, linear_before_reset=0", "GRU", ["reset-before-product"],
           lambda run: with_onnx(run, "zrn", linear_before_reset=0)),
    Misuse("Keras, blocks left as r, z, n", "GRU", ["gates-zrn"],
           lambda run: with_keras(run, "rzn", both)),
    Misuse("Keras, blocks left as r, z, n, reset_after=False", "GRU",
           ["gates-zrn", "reset-before-product"],
           lambda run: with_keras(run, "rzn", summed, reset_after=False)),
    Misuse("Keras, reset_after=False", "GRU", ["reset-before-product"],
           lambda run: with_keras(run, "zrn", summed, reset_after=False)),
    Misuse("Keras, both biases in the input's", "GRU", ["b-hn-outside-reset"],
           lambda run: with_keras(run, "zrn", all_in_first), bias=True),
    Misuse("Keras, blocks left as r, z, n, both biases in the input's", "GRU",
           ["gates-zrn", "b-hn-outside-reset"],
           lambda run: with_keras(run, "rzn", all_in_first), bias=True),
    Misuse("Keras, bias_hh forgotten", "LSTM", ["bias-hh-dropped"],
           lambda run: with_keras(run, "ifgo", input_only), bias=True),
    Misuse("Keras, kernels reshaped and not transposed", "LSTM", ["weights-reread"],
           lambda run: with_keras(run, "ifgo", summed, reshaped)),
    Misuse("Keras, recurrent_activation hard_sigmoid", "LSTM", ["hard-sigmoid-keras-3"],
           lambda run: with_keras(run, "ifgo", summed, recurrent_activation="hard_sigmoid")),
    Misuse("Keras, merge_mode sum", "LSTM", ["merge-sum"],
           lambda run: with_keras(run, "ifgo", summed, merge_mode="sum"), (2,)),
]


def write_frameworks(folder: Path, count: int, seed: int) -> dict[str, dict]:
    truth = {}
    number = attempt = 0
    while number < count:
        misuse = MISUSES[number % len(MISUSES)]
        r = random.Random(f"{seed}/{attempt}/frameworks")
        attempt += 1
        case = right(draw(r, f"{number:05}-MODULE", [misuse.kind], plain=True), r)
        run = case.run
        if run.directions not in misuse.directions or misuse.bias and not run.bias:
            continue
        wrong = misuse.compute(run)
        if not visible(case, case.reference, wrong):
            continue
        hold_to_expected(case, misuse, wrong)
        save(folder, case.fixture, wrong)
        truth[case.fixture.name] = {
            "ways": misuse.expected, "made": misuse.description,
            "equivalent": equivalents(run, misuse.expected),
        }
        number += 1
    return truth


def hold_to_expected(case: Right, misuse: Misuse, wrong: Tensors) -> None:
    """The ways expected make what the framework made, or the list above is wrong."""
    expected = compute(case.run, misuse.expected)
    for name, rounding in case.rounding.items():
        same_shape = expected[name].shape == wrong[name].shape
        if not same_shape or not np.abs(expected[name] - wrong[name]).max() <= SAME * rounding:
            raise AssertionError(f"{misuse.description}: {misuse.expected} makes another {name}")
