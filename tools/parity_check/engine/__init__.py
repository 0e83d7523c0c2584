"""Makes a function a program that `parity-check` judges, with `--engine` and `--engine-server`.

A whole program, which computes LSTM, GRU, RNN and their cells in any framework that can run one
direction of one layer:

    from parity_check import engine

    @engine.program
    @engine.layerwise
    def compute(x, weights, h_0, c_0, case):
        if case.module != "LSTM":
            raise engine.CannotCompute(f"no {case.module}")
        ...
        return output, h_n, c_n

Without `layerwise` the function is given the case alone and returns its results by name:
`{"output": ..., "h_n": ..., "c_n": ...}`. `Case` says what it is given.
"""

from parity_check.engine.case import CannotCompute, Case
from parity_check.engine.layers import layerwise, stepwise
from parity_check.engine.program import program, run

__all__ = ["CannotCompute", "Case", "layerwise", "program", "run", "stepwise"]
