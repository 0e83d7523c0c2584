"""What makes a recording or a fixture a weak reference: what a mistake would not show in."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from parity_check.containers import read
from parity_check.format import Manifest, Tensors

RECURRENT = ("LSTM", "GRU", "RNN", "LSTMCell", "GRUCell", "RNNCell")


def lint(path: Path | str) -> list[str]:
    """The weaknesses of a fixture or a recording in a file or a folder, one line for each."""
    return findings(*read(path))


def findings(manifest: Manifest, tensors: Tensors) -> list[str]:
    """The same of what such a file holds."""
    groups = ("values/", "inputs/", "outputs/")
    found = []
    for name, array in tensors.items():
        if name.startswith(groups) and array.dtype.kind == "f":
            found += [f"{name.removeprefix('values/')} {what}" for what in of_numbers(array)]
    for name, entry, given, parameters in recurrent(manifest, tensors):
        found += [f"{name} {what}" for what in of_module(entry, given, parameters)]
    return found


def recurrent(
    manifest: Manifest, tensors: Tensors
) -> Iterator[tuple[str, Manifest, Tensors, Tensors]]:
    """Each recurrent module, by name, with its entry in the manifest, `input` and `lengths`, and
    its parameters."""
    if manifest.get("module") in RECURRENT:
        yield manifest["module"], manifest, within(tensors, "inputs/"), within(
            tensors, "state_dict/")
    parameters: dict[str, dict[str, np.ndarray]] = {}
    for name, array in within(tensors, "state_dict/").items():
        module, _, parameter = name.rpartition(".")
        parameters.setdefault(module, {})[parameter] = array
    for entry in manifest.get("stages", []):
        if entry["module"] in RECURRENT and "arguments" in entry:
            value = entry.get("views", {}).get("0", entry["inputs"][0])
            given = {"input": tensors[f"values/{value}"]}
            if "lengths" in entry:
                given["lengths"] = tensors[f"values/{entry['lengths']}"]
            # The parameters are those of its first call.
            is_first = "call" not in entry
            yield (entry["name"] if is_first else f"{entry['name']}#{entry['call']}", entry,
                   given, parameters.get(entry["name"], {}) if is_first else {})


def within(tensors: Tensors, prefix: str) -> dict[str, np.ndarray]:
    return {name.removeprefix(prefix): array for name, array in tensors.items()
            if name.startswith(prefix)}


def of_numbers(array: np.ndarray) -> Iterator[str]:
    nan = int(np.isnan(array).sum())
    if array.size == 0:
        yield "has no elements"
    elif nan == array.size:
        yield "is NaN throughout"
    elif nan:
        yield f"has NaN in {nan} of {array.size} elements"
    elif array.size > 1 and not array.any():
        yield "is 0 throughout: a mistake before it would not show"
    elif array.size > 1 and is_constant(array):
        yield "is the same number throughout: a mistake in its order would not show"


def of_module(
    entry: Mapping[str, Any], given: Tensors, parameters: Tensors
) -> Iterator[str]:
    x, arguments = given.get("input"), entry.get("arguments", {})
    if x is not None and not entry["module"].endswith("Cell"):
        steps = x.shape[1 if arguments.get("batch_first") and x.ndim == 3 else 0]
        if steps == 1:
            yield "is given a single step: what goes from step to step would not show"
    lengths = given.get("lengths")
    if lengths is not None and lengths.size > 1 and is_constant(lengths):
        yield "is given sequences of one length: a mistake in the padding would not show"
    for name, array in parameters.items():
        if name.startswith("bias") and not array.any():
            yield f"has {name} 0 throughout: its place in the formula would not show"
        elif array.size > 1 and is_constant(array):
            yield f"has {name} the same throughout: exchanged gates would not show"
    if parameters and looks_untrained(parameters):
        yield ("has parameters that look untrained, evenly spread within 1/√hidden_size: trained "
               "ones show more")


def is_constant(array: np.ndarray) -> bool:
    return bool((array == array.flat[0]).all())


def looks_untrained(parameters: Tensors) -> bool:
    """Whether all parameters lie within what PyTorch draws them from, and fill it evenly."""
    hidden = next((array.shape[-1] for name, array in parameters.items()
                   if name.startswith("weight_hh")), 0)
    every = np.concatenate([array.ravel().astype(np.float64) for array in parameters.values()])
    if not hidden or every.size < 100:
        return False
    bound = hidden**-0.5
    return bool(0.95 * bound < np.abs(every).max() <= bound * (1 + 1e-6)
                and abs(every.std() / (bound / np.sqrt(3)) - 1) < 0.1)
