"""A case, as a function is given it that computes one."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from parity_check.containers import read
from parity_check.format import Manifest, Tensors


class CannotCompute(Exception):
    """A case that an engine has no way to compute; the message is the reason. It is skipped."""


#: How many blocks of hidden_size rows the weights have.
GATES = {"LSTM": 4, "GRU": 3, "RNN": 1}


@dataclass(frozen=True)
class Case:
    """One forward pass. Arrays of numbers are of float64 where that is the arithmetic, else of
    float32; those of 16 bits are rounded to their 16 and held in float32."""

    #: `LSTM`, `GRU`, `RNN`, `LSTMCell`, `GRUCell`, `RNNCell` or `Sequential`.
    module: str
    #: All of the constructor's, with PyTorch's defaults where the case leaves them out.
    arguments: dict[str, Any]
    #: By PyTorch's names.
    state_dict: dict[str, np.ndarray]
    #: With the axes that PyTorch's module takes. Of a `Sequential` it may be integers.
    input: np.ndarray
    #: The initial states; None where the module is called without.
    h_0: np.ndarray | None = None
    c_0: np.ndarray | None = None
    #: (B,) int64, of a packed batch; None where all sequences are as long as the input.
    lengths: np.ndarray | None = None
    #: How many steps a packed batch's output has; None for as many as the longest sequence has.
    total_length: int | None = None
    #: `float16`, `bfloat16`, `tf32`, `float32` or `float64`: what the reference was computed in.
    arithmetic: str = "float32"
    #: All that the case states.
    manifest: Manifest = field(default_factory=dict)

    @classmethod
    def read(cls, path: Path | str) -> "Case":
        """The case of a file or folder. Raises CannotCompute for one without parameters."""
        return cls.of(*read(path))

    @classmethod
    def of(cls, manifest: Manifest, tensors: Tensors) -> "Case":
        """The case of a manifest and its tensors, by their names in a fixture."""
        parameters, inputs = group(tensors, "state_dict/"), group(tensors, "inputs/")
        if not parameters:
            raise CannotCompute("the case has no state_dict to compute with")
        arithmetic = manifest.get("arithmetic") or next(iter(parameters.values())).dtype.name
        parameters, inputs = (
            {name: rounded(array, arithmetic) for name, array in named.items()}
            for named in (parameters, inputs))
        module = manifest["module"]
        return cls(
            module=module, arguments=arguments(module, manifest.get("arguments", {}), parameters),
            state_dict=parameters, input=inputs["input"], h_0=inputs.get("h_0"),
            c_0=inputs.get("c_0"), lengths=inputs.get("lengths"),
            total_length=manifest.get("packed", {}).get("total_length"), arithmetic=arithmetic,
            manifest=manifest)

    @property
    def is_cell(self) -> bool:
        return self.module.endswith("Cell")

    @property
    def kind(self) -> str:
        """The module's name without `Cell`."""
        return self.module.removesuffix("Cell")


def group(tensors: Tensors, prefix: str) -> dict[str, np.ndarray]:
    return {
        name.removeprefix(prefix): array
        for name, array in tensors.items() if name.startswith(prefix)
    }


def arguments(
    module: str, given: Mapping[str, Any], parameters: Tensors
) -> dict[str, Any]:
    """All of the constructor's arguments: those that are given, those that the shapes of the
    parameters tell, and PyTorch's defaults. None of a `Sequential`, whose modules have their own.
    """
    kind = module.removesuffix("Cell")
    if kind not in GATES:
        return dict(given)
    end = "" if module.endswith("Cell") else "_l0"
    rows, input_size = parameters[f"weight_ih{end}"].shape
    own = {
        "input_size": input_size, "hidden_size": rows // GATES[kind],
        "bias": f"bias_ih{end}" in parameters,
    }
    if kind == "RNN":
        own["nonlinearity"] = "tanh"
    if not module.endswith("Cell"):
        directions = 2 if "weight_ih_l0_reverse" in parameters else 1
        layers = sum(name.startswith("weight_ih") for name in parameters) // directions
        own |= {"num_layers": layers, "batch_first": False, "dropout": 0.0,
                "bidirectional": directions == 2}
        if kind == "LSTM":
            projection = parameters.get("weight_hr_l0")
            own["proj_size"] = 0 if projection is None else projection.shape[0]
    return own | dict(given)


def rounded(array: np.ndarray, arithmetic: str) -> np.ndarray:
    """As numbers of the arithmetic, in the type that holds them. Integers, such as lengths and
    an embedding's indices, become int64."""
    if array.dtype.kind != "f":
        return array.astype(np.int64)
    if arithmetic == "float64":
        return array.astype(np.float64)
    array = array.astype(np.float32)
    if arithmetic == "float16":
        return array.astype(np.float16).astype(np.float32)
    if arithmetic == "bfloat16":
        # The upper half of the bits, to the nearest, ties to even. A NaN stays as it is.
        bits = array.view(np.uint32)
        nearest = ((bits + 0x7FFF + (bits >> 16 & 1)) & 0xFFFF0000).view(np.float32)
        return np.where(np.isnan(array), array, nearest)
    return array
