"""Writes fixtures whose references Keras computed: `Bidirectional` around LSTM and GRU
in each merge mode, as a `Sequential` of PyTorch's module and a DirectionMerge.

The parameters are put into PyTorch's order here. Keras is needed for nothing else, so it
stands in requirements of its own:

    .venv/bin/python -m pip install -r tools/requirements-keras.txt
    .venv/bin/python tools/export_keras.py

Keras runs on its PyTorch backend, on the CPU, with its own loop over the steps
(`use_cudnn=False`), not with PyTorch's modules. A reference that PyTorch's module
does not agree with is not written.
"""

import argparse
import os
import sys
import zlib
from pathlib import Path

os.environ["KERAS_BACKEND"] = "torch"

import keras
import numpy as np
import torch

from catalogue.contract import BrokenContract
from catalogue import index
from catalogue.fixture import (
    FIXTURES, Fixture, Refused, by_name, described, refuse_in_ci,
)
from catalogue.keras_cases import BATCH, CASES, FEATURES, STEPS, UNITS, KerasCase
from catalogue.torch_pipeline import Pipeline
from parity_check.case import made_by_pytorch

#: Keras' blocks of columns, by the letters of PyTorch's gates, and PyTorch's own.
KERAS_ORDER = {"LSTM": "ifgo", "GRU": "zrn"}
PYTORCH_ORDER = {"LSTM": "ifgo", "GRU": "rzn"}

#: How far PyTorch's module may be from Keras.
AGREEMENT = 1e-5


def run(case: KerasCase) -> Fixture:
    """A fixture with which PyTorch's module agrees; no other is made."""
    seed = zlib.crc32(case.name.encode())
    random = np.random.default_rng(seed)
    x = random.standard_normal((BATCH, STEPS, FEATURES)).astype(np.float32)
    layer = bidirectional(case)
    layer.build(x.shape)
    layer.set_weights([
        random.normal(0, 0.5, weight.shape).astype(np.float32) for weight in layer.get_weights()
    ])
    output = call(layer, x)[0]
    state_dict = {f"layer.{name}": t for name, t in pytorch_parameters(case.layer, layer).items()}
    check_alignment(case, layer, x)
    check_agreement(case, state_dict, x, output)
    tensors = {"inputs/input": x, "outputs/output": output} | {
        f"state_dict/{name}": array for name, array in state_dict.items()
    }
    manifest = {
        "module": "Sequential",
        "modules": [stage.entry() for stage in case.stages],
        "description": case.description,
    }
    provenance = {"keras": keras.version(), "backend": keras.backend.backend()}
    return described(
        case.name, case.container, tensors, manifest, provenance | made_by_pytorch(seed))


def bidirectional(case: KerasCase) -> keras.layers.Bidirectional:
    """As users write it; a GRU's reset_after=True is Keras' default."""
    inner = getattr(keras.layers, case.layer)(
        UNITS, return_sequences=case.return_sequences, use_cudnn=False)
    merge = {} if case.merge_mode is None else {"merge_mode": case.merge_mode}
    return keras.layers.Bidirectional(inner, **merge)


def call(layer: keras.layers.Layer, x: np.ndarray) -> list[np.ndarray]:
    """All that a layer returns."""
    with torch.no_grad():
        results = layer(keras.ops.convert_to_tensor(x), training=False)
    results = results if isinstance(results, list | tuple) else [results]
    return [np.ascontiguousarray(keras.ops.convert_to_numpy(result)) for result in results]


def pytorch_parameters(kind: str, layer: keras.layers.Bidirectional) -> dict[str, np.ndarray]:
    """PyTorch's state_dict of Keras' kernels (I, G·H), recurrent kernels (H, G·H) and biases.

    An LSTM has one bias, and PyTorch's second is 0; a GRU with reset_after=True has two, as
    rows of one (2, 3·H).
    """
    def reordered(weight: np.ndarray) -> np.ndarray:
        """Blocks of columns to PyTorch's blocks of rows."""
        blocks = dict(zip(KERAS_ORDER[kind], np.split(weight, len(KERAS_ORDER[kind]), axis=-1)))
        return np.concatenate([blocks[gate] for gate in PYTORCH_ORDER[kind]], axis=-1).T.copy()

    parameters = {}
    for direction, suffix in (layer.forward_layer, ""), (layer.backward_layer, "_reverse"):
        kernel, recurrent_kernel, bias = direction.get_weights()
        bias_ih, bias_hh = (bias, 0 * bias) if kind == "LSTM" else bias
        parameters |= {
            f"weight_ih_l0{suffix}": reordered(kernel),
            f"weight_hh_l0{suffix}": reordered(recurrent_kernel),
            f"bias_ih_l0{suffix}": reordered(bias_ih),
            f"bias_hh_l0{suffix}": reordered(bias_hh),
        }
    return parameters


def check_alignment(case: KerasCase, layer: keras.layers.Bidirectional, x: np.ndarray) -> None:
    """Whether Keras flips the reverse half back: its state is the output of step 0, and the
    backward layer alone, which does not flip, gives the same the other way round.
    """
    apart = keras.layers.Bidirectional(
        getattr(keras.layers, case.layer)(
            UNITS, return_sequences=True, return_state=True, use_cudnn=False),
        merge_mode=None)
    apart.build(x.shape)
    apart.set_weights(layer.get_weights())
    forward, reverse, *states = call(apart, x)
    unflipped = call(apart.backward_layer, x)[0]
    holds = (
        np.array_equal(forward[:, -1], states[0])
        and np.array_equal(reverse[:, 0], states[len(states) // 2])
        and np.array_equal(reverse, unflipped[:, ::-1])
        and not np.array_equal(reverse, unflipped)
    )
    if not holds:
        raise BrokenContract(f"{case.name}: Keras' reverse half stands otherwise than PyTorch's")


def check_agreement(
    case: KerasCase, state_dict: dict[str, np.ndarray], x: np.ndarray, output: np.ndarray
) -> None:
    """PyTorch's module with the parameters written gives what Keras gave."""
    pipeline = Pipeline(case.stages, torch.float32).eval()
    pipeline.load_state_dict({name: torch.from_numpy(t) for name, t in state_dict.items()})
    with torch.no_grad():
        own = pipeline({"input": torch.from_numpy(x)})["output"].numpy()
    if own.shape != output.shape or not np.abs(own - output).max() <= AGREEMENT:
        raise BrokenContract(f"{case.name}: PyTorch's module does not agree with Keras")


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", nargs="?", type=Path, default=FIXTURES, metavar="DIR",
                        help="where to write (default: the repository's Fixtures/)")
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    try:
        refuse_in_ci(options.folder)
        fixtures = by_name(map(run, CASES))
    except Refused as error:
        print(f"refused, and nothing written: {error}", file=sys.stderr)
        return 1
    options.folder.mkdir(parents=True, exist_ok=True)
    for fixture in fixtures.values():
        print(fixture.write(options.folder).relative_to(options.folder))
    print(f"{len(fixtures)} cases in {options.folder}")
    index.update(options.folder)
    return 0
