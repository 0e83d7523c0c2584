#!/usr/bin/env python3
"""ONNX Runtime's LSTM, GRU and RNN, to be judged:

    parity-check Fixtures --engine-server 'python3 tools/examples/onnxruntime_engine.py' \
        --engine-input npz --actual-activations absolute
"""

import sys
from pathlib import Path

import numpy as np
import onnxruntime
from onnx import TensorProto, helper

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from parity_check import engine

#: Where ONNX has PyTorch's blocks of gates: i, o, f, g and z, r, n.
GATES = {"LSTM": [0, 3, 1, 2], "GRU": [1, 0, 2], "RNN": [0]}


def reordered(array: np.ndarray, order: list[int]) -> np.ndarray:
    blocks = np.split(array, len(order))
    return np.concatenate([blocks[k] for k in order])


@engine.program
@engine.layerwise
def compute(x, weights, h_0, c_0, case):
    if "weight_hr" in weights:
        raise engine.CannotCompute("no projections")
    if x.dtype != np.float32:
        raise engine.CannotCompute(f"no {x.dtype}")
    own = {name: reordered(array, GATES[case.kind]) for name, array in weights.items()}
    inputs = {
        "X": x, "W": own["weight_ih"][None], "R": own["weight_hh"][None],
        "B": np.concatenate([own["bias_ih"], own["bias_hh"]])[None], "initial_h": h_0[None],
    }
    outputs, attributes = ["Y", "Y_h"], {"hidden_size": h_0.shape[-1]}
    if case.kind == "LSTM":
        inputs["initial_c"] = c_0[None]
        outputs.append("Y_c")
    elif case.kind == "GRU":
        attributes["linear_before_reset"] = 1
    else:
        attributes["activations"] = [case.arguments["nonlinearity"].capitalize()]
    # The empty name is that of sequence_lens: all sequences are as long as X.
    node = helper.make_node(
        case.kind, [*list(inputs)[:4], "", *list(inputs)[4:]], outputs, **attributes)
    values = [
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in named]
        for named in (((n, a.shape) for n, a in inputs.items()), ((n, None) for n in outputs))]
    model = helper.make_model(
        helper.make_graph([node], "direction", *values), ir_version=8,
        opset_imports=[helper.make_opsetid("", 14)])
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"])
    y, *states = session.run(None, inputs)
    return y[:, 0], *(state[0] for state in states)
