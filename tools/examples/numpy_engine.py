#!/usr/bin/env python3
"""PyTorch's recurrent modules in NumPy alone: an engine to be judged from outside.

    tools/examples/numpy_engine.py [CASE OUT]

reads a case (a folder of .npy files with manifest.json, or an .npz with that member),
computes its forward pass in the case's own arithmetic, and writes `output`, `h_n` and
`c_n`, as far as the module has them, to OUT: an .npz, or else a folder of .npy files.
It exits with 3 where it can't compute a case. Without CASE and OUT it is told them line
by line, as `parity-check --engine-server` does it. To judge an engine of your own, put its
forward pass in place of `compute`'s (`numpy_modules.py`).
"""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

from numpy_modules import MODULES, Array, CannotCompute, Tensors


def compute(manifest: dict[str, Any], tensors: Tensors, bug: str | None = None) -> Tensors:
    """The results of a case, by name."""
    named = {
        group: {n.removeprefix(group): t for n, t in tensors.items() if n.startswith(group)}
        for group in ("state_dict/", "inputs/")
    }
    if not named["state_dict/"]:
        raise CannotCompute("no state_dict in .npy files: nothing to compute with")
    if manifest["module"] not in MODULES:
        raise CannotCompute(f"no module {manifest['module']} here")
    arithmetic = manifest.get("arithmetic") or next(iter(named["state_dict/"].values())).dtype.name
    p, inputs = (
        {name: rounded(tensor, arithmetic) for name, tensor in group.items()}
        for group in named.values()
    )
    # NaN and infinities are computed with as with other numbers.
    with np.errstate(all="ignore"):
        results = MODULES[manifest["module"]](manifest, p, inputs, bug)
    return {name: np.ascontiguousarray(tensor) for name, tensor in results.items()}


def rounded(tensor: Array, arithmetic: str) -> Array:
    """As numbers of the arithmetic, in the type to compute in: 16 bits are computed with in
    float32. Lengths and token ids stay as they are.
    """
    if tensor.dtype.kind != "f":
        return tensor.astype(np.int64)
    if arithmetic == "float64":
        return tensor.astype(np.float64)
    tensor = tensor.astype(np.float32)
    if arithmetic == "float16":
        return tensor.astype(np.float16).astype(np.float32)
    if arithmetic == "bfloat16":
        # The upper half of the bits, the nearest with ties to even.
        bits = tensor.view(np.uint32)
        nearest = (bits + 0x7FFF + (bits >> 16 & 1) & 0xFFFF0000).view(np.float32)
        return np.where(np.isnan(tensor), tensor, nearest)
    if arithmetic != "float32":
        raise CannotCompute(f"no {arithmetic} here")
    return tensor


def read(path: Path) -> tuple[dict[str, Any], Tensors]:
    if path.is_dir():
        manifest = (path / "manifest.json").read_bytes()
        files = {file.relative_to(path).as_posix(): file for file in path.rglob("*.npy")}
        tensors = {name.removesuffix(".npy"): np.load(file) for name, file in files.items()}
    else:
        with np.load(path) as archive:
            # NumPy hands out what is no .npy as its bytes.
            tensors = {name: archive[name] for name in archive.files}
        manifest = tensors.pop("manifest.json")
    return json.loads(manifest), tensors


def write(path: Path, results: Tensors) -> None:
    if path.suffix == ".npz":
        np.savez(path, **results)
        return
    path.mkdir(parents=True, exist_ok=True)
    for name, tensor in results.items():
        np.save(path / f"{name}.npy", tensor)


def serve(bug: str | None) -> None:
    """Answers each line of the standard input with one line."""
    for line in sys.stdin:
        question = json.loads(line)
        try:
            write(Path(question["out"]), compute(*read(Path(question["case"])), bug))
            answer = {"status": "done"}
        except CannotCompute as error:
            answer = {"status": "failed", "reason": str(error)}
        print(json.dumps(answer), flush=True)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("case", type=Path, metavar="CASE", nargs="?")
    parser.add_argument("out", type=Path, metavar="OUT", nargs="?")
    parser.add_argument("--bug", choices=["b-hn-misplaced"],
                        help="compute wrongly on purpose, to see the mistake named")
    options = parser.parse_args(arguments)
    if options.case is None:
        serve(options.bug)
        return 0
    if options.out is None:
        parser.error("CASE needs OUT")
    try:
        write(options.out, compute(*read(options.case), options.bug))
    except CannotCompute as error:
        print(f"{options.case}: {error}", file=sys.stderr)
        return 3
    return 0


if __name__ == "__main__":
    sys.exit(main())
