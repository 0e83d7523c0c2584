#!/usr/bin/env python3
"""MLX's LSTM, GRU and RNN, to be judged:

    parity-check Fixtures --engine-server 'python3 tools/examples/mlx_engine.py' \
        --engine-input npz
"""

import sys
from pathlib import Path

import mlx.core as mx
import mlx.nn
import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from parity_check import engine


@engine.program
@engine.layerwise
def compute(x, weights, h_0, c_0, case):
    if "weight_hr" in weights:
        raise engine.CannotCompute("no projections")
    if x.dtype != np.float32:
        raise engine.CannotCompute(f"no {x.dtype}")
    x = mx.array(x.swapaxes(0, 1))
    h_0, w_ih, w_hh, b_ih, b_hh = map(mx.array, (
        h_0, *(weights[name] for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"))))
    sizes = w_ih.shape[1], w_hh.shape[1]
    if case.kind == "LSTM":
        layer = mlx.nn.LSTM(*sizes)
        layer.update({"Wx": w_ih, "Wh": w_hh, "bias": b_ih + b_hh})
        output, cells = map(np.array, layer(x, h_0, mx.array(c_0)))
        return output.swapaxes(0, 1), output[:, -1], cells[:, -1]
    if case.kind == "GRU":
        layer = mlx.nn.GRU(*sizes)
        # b_hn is kept apart, since the reset gate multiplies it.
        r_and_z = mx.arange(b_hh.size) < 2 * sizes[1]
        bias = b_ih + mx.where(r_and_z, b_hh, 0)
        layer.update({"Wx": w_ih, "Wh": w_hh, "b": bias, "bhn": b_hh[2 * sizes[1]:]})
    else:
        layer = mlx.nn.RNN(*sizes, nonlinearity=getattr(mlx.nn, case.arguments["nonlinearity"]))
        layer.update({"Wxh": w_ih, "Whh": w_hh, "bias": b_ih + b_hh})
    output = np.array(layer(x, h_0))
    return output.swapaxes(0, 1), output[:, -1]
