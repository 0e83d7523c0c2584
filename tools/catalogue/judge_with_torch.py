"""Judges fixtures with PyTorch itself: loads each, runs the module, compares
with torch.testing.assert_close under its defaults, or the rtol and atol that a
case states. The peer that parity-check is measured against, and a second
opinion on every fixture.
"""

import argparse
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch

from catalogue.torch_pipeline import Pipeline, Stage
from parity_check.containers import read
from parity_check.format import Manifest, Tensors
from parity_check.modules import Named, run_recurrent, states


def cases(folder: Path) -> Iterator[Path]:
    """The cases in a folder, the files that they borrow left out."""
    if folder.is_file() or (folder / "manifest.json").exists():
        yield folder
        return
    for path in sorted(folder.iterdir()):
        if path.is_dir() and path.name != "checkpoints":
            yield from cases(path)
        elif path.suffix in {".npz", ".h5"}:
            yield path


def module(manifest: Manifest, tensors: Tensors, dtype: torch.dtype) -> torch.nn.Module:
    name, arguments = manifest["module"], manifest.get("arguments", {})
    state_dict = {
        key.removeprefix("state_dict/"): torch.from_numpy(native(array)).to(dtype)
        for key, array in tensors.items()
        if key.startswith("state_dict/")
    }
    if name == "Sequential":
        result = pipeline(manifest, state_dict, dtype)
    else:
        result = getattr(torch.nn, name)(**(told(name, state_dict) | arguments), dtype=dtype)
    result.load_state_dict(state_dict)
    return result.eval()


def told(name: str, state_dict: Named) -> dict[str, Any]:
    """The arguments that the shapes tell."""
    if name == "Embedding":
        return dict(zip(("num_embeddings", "embedding_dim"), state_dict["weight"].shape))
    if name == "Linear":
        out_features, in_features = state_dict["weight"].shape
        return {
            "in_features": in_features, "out_features": out_features, "bias": "bias" in state_dict,
        }
    if not state_dict:
        return {}
    first = "" if name.endswith("Cell") else "_l0"
    projection = state_dict.get("weight_hr_l0")
    recurrent = state_dict["weight_hh" + first]
    hidden = (projection if projection is not None else recurrent).shape[1]
    arguments = {
        "input_size": state_dict["weight_ih" + first].shape[1], "hidden_size": hidden,
        "bias": "bias_ih" + first in state_dict,
    }
    if first:
        arguments["bidirectional"] = "weight_ih_l0_reverse" in state_dict
        arguments["num_layers"] = len({k for k in state_dict if k.startswith("weight_ih")}) // (
            2 if arguments["bidirectional"] else 1)
        if projection is not None:
            arguments["proj_size"] = projection.shape[0]
    return arguments


def pipeline(manifest: Manifest, state_dict: Named, dtype: torch.dtype) -> Pipeline:
    stages = []
    for entry in manifest["modules"]:
        prefix = entry["name"] + "."
        own = {k.removeprefix(prefix): v for k, v in state_dict.items() if k.startswith(prefix)}
        arguments = told(entry["module"], own) | entry.get("arguments", {})
        stages.append(Stage(**(entry | {"arguments": arguments})))
    return Pipeline(stages, dtype)


def native(array: np.ndarray) -> np.ndarray:
    return np.array(array, dtype=array.dtype.newbyteorder("="), order="C")


def judge(path: Path) -> str:
    """Whether PyTorch computes the reference again: "passed", or "layout only" where there is
    nothing to compute.

    In 16 bits PyTorch has two answers on a CPU: oneDNN's, where the processor has instructions
    for the type, and that of its own kernels. They round differently, and a fixture holds the
    one that its machine gave, so agreeing with either is enough.

    Raises an AssertionError where it computes something else.
    """
    manifest, tensors = read(path)
    if not any(name.startswith("state_dict/") for name in tensors):
        return "layout only"
    if dtype_of(manifest, tensors).itemsize == 2:
        try:
            with torch.backends.mkldnn.flags(enabled=False):
                return compared(manifest, tensors)
        except AssertionError:
            pass
    return compared(manifest, tensors)


def dtype_of(manifest: Manifest, tensors: Tensors) -> torch.dtype:
    """The type that the case is computed in."""
    result = "output" if manifest["module"] == "Sequential" else "h_n"
    stored = torch.from_numpy(native(tensors[f"outputs/{result}"])).dtype
    return getattr(torch, manifest.get("arithmetic", str(stored).removeprefix("torch.")))


@torch.no_grad()
def compared(manifest: Manifest, tensors: Tensors) -> str:
    dtype = dtype_of(manifest, tensors)
    own = module(manifest, tensors, dtype)
    inputs = {
        name.removeprefix("inputs/"): torch.from_numpy(native(array))
        for name, array in tensors.items()
        if name.startswith("inputs/")
    }
    if isinstance(own, Pipeline):
        # A case need not give the results of each module.
        results = own(
            {name: typed(t, dtype) for name, t in inputs.items()}, manifest.get("packed"))
        results = {
            name.removeprefix("outputs/"): results[name.removeprefix("outputs/")]
            for name in tensors
            if name.startswith("outputs/")
        }
    else:
        results = run(own, manifest, {name: typed(t, dtype) for name, t in inputs.items()})
    tolerance = manifest.get("tolerance", {})
    bounds = {key: tolerance[key] for key in ("rtol", "atol") if key in tolerance}
    for name, actual in results.items():
        expected = torch.from_numpy(native(tensors[f"outputs/{name}"])).to(dtype)
        torch.testing.assert_close(actual, expected, equal_nan=True, **bounds)
    return "passed"


def typed(tensor: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
    """In this type, unless it holds whole numbers."""
    return tensor.to(dtype) if tensor.is_floating_point() else tensor


def run(own: torch.nn.Module, manifest: Manifest, inputs: Named) -> Named:
    """The results of one recurrent module, by name."""
    if not isinstance(own, torch.nn.RNNCellBase):
        return run_recurrent(own, inputs, manifest.get("packed"))
    state = inputs.get("h_0")
    if "c_0" in inputs:
        state = (state, inputs["c_0"])
    return states(own(inputs["input"], state))


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("paths", nargs="+", type=Path, metavar="PATH")
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    warnings.filterwarnings("ignore", message="LSTM with projections")
    counts: dict[str, int] = {}
    for folder in options.paths:
        for path in cases(folder):
            try:
                verdict = judge(path)
            except AssertionError:
                manifest, _ = read(path)
                verdict = "expected to fail" if "expected_failure" in manifest else "failed"
                print(f"{verdict}: {path.name}")
            counts[verdict] = counts.get(verdict, 0) + 1
    print(", ".join(f"{count} {verdict}" for verdict, count in sorted(counts.items())))
    return 1 if "failed" in counts else 0
