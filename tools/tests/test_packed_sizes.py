"""A tensor that unpacks to much more than its file holds is refused by its shape, unread."""

import gzip
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from catalogue.containers import CONTAINERS
from parity_check.containers import read

ROOT = Path(__file__).resolve().parent.parent.parent
PARITY_CHECK = ROOT / ".build" / "release" / "parity-check"
#: 2^25 numbers: 128 MB out of some 130 KB.
HUGE = {
    "state_dict/weight_hh_l0": (1 << 12, 1 << 13),
    "inputs/input": (1 << 10, 1 << 8, 1 << 7),
    "inputs/h_0": (1, 1 << 12, 1 << 13),
    "outputs/output": (1 << 25,),
    "state_dict/another": (1 << 25,),
}


def case(folder: Path, name: str, shape: tuple[int, ...], packing: str) -> Path:
    """The fixture `gru` with a huge tensor of zeros in it."""
    manifest, tensors = read(ROOT / "Fixtures" / "gru.npz")
    manifest.pop("digest")
    tensors[name] = np.zeros(shape, np.float32)
    if packing == "npz":
        CONTAINERS["npz-deflated"](folder / "huge", manifest, tensors)
        return folder / "huge.npz"
    place = folder / "huge"
    for own, tensor in tensors.items():
        path = place / f"{own}.npy.gz"
        path.parent.mkdir(parents=True, exist_ok=True)
        with gzip.open(path, "wb", compresslevel=1) as file:
            np.save(file, tensor)
    (place / "manifest.json").write_text(json.dumps(manifest))
    return place


def judged(path: Path) -> tuple[str, int]:
    """What is printed, and the most memory that was held, in bytes."""
    script = (
        "import resource, subprocess, sys; print(subprocess.run(sys.argv[1:], "
        "capture_output=True, text=True).stdout); "
        "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)")
    run = subprocess.run(
        [sys.executable, "-c", script, PARITY_CHECK, path, "--diagnose", "off"], capture_output=True, text=True,
        check=True)
    printed, memory = run.stdout.rstrip().rsplit("\n", 1)
    return printed, int(memory) * 1024


@pytest.mark.parametrize("packing", ["npz", "npy.gz"])
@pytest.mark.parametrize("name", HUGE)
def test_what_does_not_fit_is_not_unpacked(name, packing, tmp_path):
    printed, memory = judged(case(tmp_path, name, HUGE[name], packing))
    assert printed.startswith("invalid ") and name in printed
    assert "found" in printed and memory < 80 << 20


def test_what_fits_is_unpacked_and_judged(tmp_path):
    """A large case that is right but for its reference, which is zeros."""
    manifest = {"format": "pytorch-parity/1", "module": "RNN", "arguments": {}}
    tensors = {
        "state_dict/weight_ih_l0": np.ones((2, 1 << 23), np.float32),
        "state_dict/weight_hh_l0": np.ones((2, 2), np.float32),
        "inputs/input": np.ones((1, 1, 1 << 23), np.float32),
        "outputs/output": np.zeros((1, 1, 2), np.float32),
        "outputs/h_n": np.zeros((1, 1, 2), np.float32),
    }
    CONTAINERS["npz-deflated"](tmp_path / "large", manifest, tensors)
    printed, _ = judged(tmp_path / "large.npz")
    assert printed.startswith("failed "), printed
