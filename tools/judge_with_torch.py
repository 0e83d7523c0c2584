#!/usr/bin/env python3
"""Judges fixtures with PyTorch itself: loads each, runs the module, compares
with torch.testing.assert_close under its defaults, or the rtol and atol that a
case states. The peer that parity-check is measured against, and a second
opinion on every fixture.
"""

import argparse
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

import parity_format
from parity_format import Manifest, Tensors


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
    name = manifest["module"]
    arguments = dict(manifest.get("arguments", {}))
    state_dict = {
        key.removeprefix("state_dict/"): torch.from_numpy(native(array)).to(dtype)
        for key, array in tensors.items()
        if key.startswith("state_dict/")
    }
    first = "" if name.endswith("Cell") else "_l0"
    projection = state_dict.get("weight_hr_l0")
    recurrent = state_dict["weight_hh" + first]
    hidden = (projection if projection is not None else recurrent).shape[1]
    told = {
        "input_size": state_dict["weight_ih" + first].shape[1], "hidden_size": hidden,
        "bias": "bias_ih" + first in state_dict,
    }
    if first:
        told["bidirectional"] = "weight_ih_l0_reverse" in state_dict
        told["num_layers"] = len({k for k in state_dict if k.startswith("weight_ih")}) // (
            2 if told["bidirectional"] else 1)
        if projection is not None:
            told["proj_size"] = projection.shape[0]
    result = getattr(torch.nn, name)(**(told | arguments), dtype=dtype).eval()
    result.load_state_dict(state_dict)
    return result


def native(array: np.ndarray) -> np.ndarray:
    return np.array(array, dtype=array.dtype.newbyteorder("="), order="C")


@torch.no_grad()
def judge(path: Path) -> str:
    manifest, tensors = parity_format.read(path)
    if not any(name.startswith("state_dict/") for name in tensors):
        return "layout only"
    stored = torch.from_numpy(native(tensors["outputs/h_n"])).dtype
    dtype = getattr(torch, manifest.get("arithmetic", str(stored).removeprefix("torch.")))
    own = module(manifest, tensors, dtype)
    inputs = {
        name.removeprefix("inputs/"): torch.from_numpy(native(array))
        for name, array in tensors.items()
        if name.startswith("inputs/")
    }
    x = inputs["input"].to(dtype)
    state = inputs["h_0"].to(dtype) if "h_0" in inputs else None
    if "c_0" in inputs:
        state = (state, inputs["c_0"].to(dtype))
    if isinstance(own, torch.nn.RNNCellBase):
        final, output = own(x, state), None
    elif "lengths" in inputs:
        packed = pack_padded_sequence(
            x, inputs["lengths"].long(), batch_first=own.batch_first, enforce_sorted=False
        )
        output, final = own(packed, state)
        output, _ = pad_packed_sequence(
            output, batch_first=own.batch_first,
            total_length=manifest["packed"].get("total_length"),
        )
    else:
        output, final = own(x, state)
    h_n, c_n = final if isinstance(final, tuple) else (final, None)
    tolerance = manifest.get("tolerance", {})
    for name, actual in {"output": output, "h_n": h_n, "c_n": c_n}.items():
        if actual is None:
            continue
        bounds = {key: tolerance[key] for key in ("rtol", "atol") if key in tolerance}
        expected = torch.from_numpy(native(tensors[f"outputs/{name}"])).to(dtype)
        torch.testing.assert_close(actual, expected, equal_nan=True, **bounds)
    return "passed"


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
                manifest, _ = parity_format.read(path)
                verdict = "expected to fail" if "expected_failure" in manifest else "failed"
                print(f"{verdict}: {path.name}")
            counts[verdict] = counts.get(verdict, 0) + 1
    print(", ".join(f"{count} {verdict}" for verdict, count in sorted(counts.items())))
    return 1 if "failed" in counts else 0


if __name__ == "__main__":
    sys.exit(main())
