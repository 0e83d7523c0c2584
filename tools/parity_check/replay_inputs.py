"""What an implementation gave the stages of a model, found among the tensors that it has saved."""

import itertools
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

from parity_check.containers import read_tensors

Arrays = Mapping[str, Any]


class CannotReplay(Exception):
    """Why a stage can't be computed again."""


def tensors_of(path: Path) -> dict[str, np.ndarray]:
    """All tensors of a file, or of the files in a folder."""
    if not path.is_dir():
        return read_tensors(path)
    return {file.relative_to(path).as_posix().removesuffix(".npy"): np.load(file)
            for file in sorted(path.rglob("*.npy"))}


class Actual:
    """An implementation's tensors, whatever stands between the parts of their names."""

    def __init__(self, arrays: Arrays) -> None:
        self._arrays = {plain(name.removeprefix("values/")): array
                        for name, array in arrays.items()}

    def like(self, name: str, expected: torch.Tensor) -> torch.Tensor | None:
        """The tensor of this name, in the expected type and shape; None where there is none."""
        array = next((self._arrays[own] for own in spellings(name) if own in self._arrays), None)
        if array is None:
            return None
        tensor = array if isinstance(array, torch.Tensor) else torch.tensor(np.asarray(array))
        if tensor.numel() != expected.numel():
            raise CannotReplay(f"{name} has the shape {tuple(tensor.shape)}, expected "
                               f"{tuple(expected.shape)}")
        if tensor.is_floating_point() and tensor.dtype.itemsize < expected.dtype.itemsize:
            raise CannotReplay(f"{name} is stored as {tensor.dtype}, too coarse to compute from")
        return tensor.to(expected.dtype).reshape(expected.shape)


def spellings(name: str) -> list[str]:
    """The ways in which a value is called: what a module with states gives as its output goes by
    the module's name as well, and what a module gives alone as its output."""
    return [plain(name), plain(name.removesuffix("/output")), plain(name + "/output")]


def plain(name: str) -> str:
    return name.replace("/", ".").replace("__", ".").replace("_", ".")


def given(
    value: str, entry: dict[str, Any], values: Mapping[str, torch.Tensor], actual: Actual,
    made: Mapping[str, list[str]],
) -> torch.Tensor:
    """What an implementation gave a stage as one of its inputs; of what the model itself was given
    the recording's where the implementation did not save it.

    - `made`: for each value that some stage gave, or that the model's own code made, the values
      that it was made of.
    """
    expected = values[value]
    tensor = actual.like(value, expected)
    if tensor is not None:
        return tensor
    whole = whole_of(value, entry)
    if whole is not None:
        tensor = actual.like(whole, values[whole])
        order = order_of_axes(values[whole], expected) if tensor is not None else None
        if order is not None:
            return tensor.permute(order)
    # Token ids and masks are not computed, and few dump them.
    if not expected.is_floating_point() or value not in made and whole is None:
        return expected
    sources = made.get(value) or ([whole] if whole else [])
    raise CannotReplay(f"its input {value}{', made of ' + ', '.join(sources) if sources else ''} is "
                       "not there: save it by this name")


def whole_of(view: str, entry: dict[str, Any]) -> str | None:
    """The value that a stage was given a view of."""
    for place, name in entry.get("views", {}).items():
        if name == view:
            return (entry["inputs"][int(place)] if place.isdigit()
                    else entry.get("keywords", {}).get(place))
    return None


def order_of_axes(whole: torch.Tensor, view: torch.Tensor) -> tuple[int, ...] | None:
    """The order of a value's axes in which a view of it has them; None where it is another view."""
    if whole.dim() != view.dim() or whole.dim() > 5:
        return None
    return next((order for order in itertools.permutations(range(whole.dim()))
                 if whole.permute(order).shape == view.shape
                 and torch.equal(whole.permute(order), view)), None)
