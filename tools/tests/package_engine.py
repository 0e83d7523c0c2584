"""NumPy's steps as a program by `parity_check.engine`; misbehaves where a case's name says so.

With `function` in the environment variable ENGINE_WAY, the cells are put together by
`engine.layerwise` from whole directions, else by `engine.stepwise` from steps.
"""

import os
import sys
from pathlib import Path

import numpy as np

TOOLS = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(TOOLS), str(TOOLS / "examples")]
import numpy_modules  # noqa: E402
from parity_check import engine  # noqa: E402

STEPS = {"LSTM": numpy_modules.lstm, "GRU": numpy_modules.gru, "RNN": numpy_modules.rnn}


def step(x, weights, h, c, case):
    if case.arguments.get("nonlinearity") == "relu":
        return numpy_modules.rnn_relu(weights, x, h, c)
    return STEPS[case.kind](weights, x, h, c)


def direction(x, weights, h_0, c_0, case):
    h, c, outputs = h_0, c_0, []
    for own in x:
        h, c = step(own, weights, h, c, case)
        outputs.append(h)
    return (np.stack(outputs), h) if c is None else (np.stack(outputs), h, c)


whole = os.environ.get("ENGINE_WAY") == "function"
computed = engine.layerwise(direction) if whole else engine.stepwise(step)


def compute(case):
    # Printed by Python, and by what is not Python.
    print("computing", case.module)
    os.write(1, b"a library prints\n")
    description = case.manifest.get("description", "")
    if "raise" in description:
        raise ValueError("a mistake in the engine")
    if "die" in description:
        os._exit(5)
    return computed(case)


if __name__ == "__main__":
    engine.run(compute)
