#!/usr/bin/env python3
"""Keras' LSTM, GRU and SimpleRNN on JAX, to be judged:

    parity-check Fixtures --engine-server 'python3 tools/examples/keras_engine.py' \
        --engine-input npz
"""

import os
import sys
from pathlib import Path

import numpy as np

os.environ |= {"KERAS_BACKEND": "jax", "JAX_PLATFORMS": "cpu"}
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
import keras
from parity_check import engine


@engine.program
@engine.layerwise
def compute(x, weights, h_0, c_0, case):
    if "weight_hr" in weights:
        raise engine.CannotCompute("no projections")
    if x.dtype != np.float32:
        # Keras 3.15 computes tanh in float32 there.
        raise engine.CannotCompute(f"no {x.dtype}")
    w_ih, w_hh, b_ih, b_hh = (
        weights[name] for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"))
    options = {"return_sequences": True, "return_state": True}
    if case.kind == "LSTM":
        layer, bias = keras.layers.LSTM(h_0.shape[-1], **options), b_ih + b_hh
    elif case.kind == "GRU":
        # Keras' gates are z, r, h in the place of r, z, n.
        w_ih, w_hh, b_ih, b_hh = (
            np.concatenate([np.split(array, 3)[k] for k in (1, 0, 2)])
            for array in (w_ih, w_hh, b_ih, b_hh))
        layer, bias = keras.layers.GRU(h_0.shape[-1], **options), np.stack([b_ih, b_hh])
    else:
        layer = keras.layers.SimpleRNN(
            h_0.shape[-1], activation=case.arguments["nonlinearity"], **options)
        bias = b_ih + b_hh
    x = x.swapaxes(0, 1)
    layer.build(x.shape)
    layer.set_weights([w_ih.T, w_hh.T, bias])
    output, *states = layer(x, initial_state=[s for s in (h_0, c_0) if s is not None])
    return np.asarray(output).swapaxes(0, 1), *states
