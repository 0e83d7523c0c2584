"""`parity-check compare` against torch.testing.assert_close, on random tensors."""

import re
import subprocess
from pathlib import Path

import h5py
import numpy as np
import pytest
import torch

ROOT = Path(__file__).resolve().parent.parent.parent
PARITY_CHECK = ROOT / ".build" / "release" / "parity-check"

# rtol and atol of torch.testing, of each type that is saved.
TOLERANCES = {
    "float16": (1e-3, 1e-5),
    "float32": (1.3e-6, 1e-5),
    "float64": (1e-7, 1e-7),
    "int32": (0, 0),
    "int64": (0, 0),
}
ENDINGS = ["npy", "npz", "h5", "fortran.npy", "big-endian.npy", "deflated.npz", "chunked.h5"]


def save(path: Path, array: np.ndarray) -> Path:
    if path.name.endswith(".h5"):
        chunks = tuple(min(3, size) for size in array.shape) if "chunked" in path.name else None
        with h5py.File(path, "w") as file:
            file.create_dataset("a", data=array, chunks=chunks or None)
    elif path.name.endswith(".npz"):
        (np.savez_compressed if "deflated" in path.name else np.savez)(path, a=array)
    elif "fortran" in path.name:
        np.save(path, np.asfortranarray(array))
    elif "big-endian" in path.name:
        np.save(path, array.astype(array.dtype.newbyteorder(">")))
    else:
        np.save(path, array)
    return path


def compare(*arguments: object) -> tuple[int, str]:
    command = [PARITY_CHECK, "compare", *map(str, arguments), "--color", "never"]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert not run.stderr, run.stderr
    return run.returncode, run.stdout


def tensors(name: str, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """A tensor, and one whose elements are off by half the tolerance or by twice it."""
    random = np.random.default_rng(seed)
    shape = tuple(random.integers(1, 9, size=3))
    if name.startswith("int"):
        expected = random.integers(-1000, 1000, size=shape).astype(name)
        return expected, expected + (random.random(shape) < 0.1 * (seed % 3)).astype(name)
    expected = (random.standard_normal(shape) * 10.0 ** random.integers(-2, 3)).astype(name)
    rtol, atol = TOLERANCES[name]
    # An element of float16 or float32 may be off by rounding beside this.
    factor = np.where(random.random(shape) < 0.1 * (seed % 3), 4, 0.25)
    actual = (expected + factor * (atol + rtol * abs(expected.astype("f8")))).astype(name)
    for value in (np.nan, np.inf, -np.inf)[: seed % 4]:
        place = tuple(random.integers(0, size) for size in shape)
        expected[place] = value
        if random.random() < 0.7:
            actual[place] = value
    return expected, actual


@pytest.mark.parametrize("name", TOLERANCES)
@pytest.mark.parametrize("ending", ENDINGS)
def test_the_verdict_is_torchs(name, ending, tmp_path):
    verdicts = set()
    for seed in range(12):
        expected, actual = tensors(name, seed)
        status, text = compare(
            save(tmp_path / f"expected.{ending}", expected), save(tmp_path / "actual.npz", actual)
        )
        try:
            torch.testing.assert_close(
                torch.from_numpy(actual), torch.from_numpy(expected), equal_nan=True
            )
            mismatched = 0
        except AssertionError as error:
            found = re.search(r"Mismatched elements: (\d+) / \d+", str(error))
            mismatched = int(found[1]) if found else 1
        assert status == (mismatched > 0), text
        if mismatched:
            assert f": {mismatched} of {expected.size} element" in text
        verdicts.add(status)
    assert verdicts == {0, 1}


def test_memory_stays_below_the_files(tmp_path):
    array = np.random.default_rng(0).standard_normal((1 << 13, 1 << 12)).astype("f4")
    path = save(tmp_path / "a.npy", array)
    script = (
        "import resource, subprocess, sys; subprocess.run(sys.argv[1:], check=True); "
        "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
    )
    for other in (path, save(tmp_path / "a.npz", array), save(tmp_path / "a.h5", array)):
        command = ["python3", "-c", script, PARITY_CHECK, "compare", path, other]
        run = subprocess.run(command, capture_output=True, text=True, check=True)
        assert int(run.stdout.splitlines()[-1]) * 1024 < array.nbytes / 2
