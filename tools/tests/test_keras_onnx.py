"""ONNX models that Keras has exported (`tools/catalogue/export_keras_onnx.py`) are read to what Keras
computes with them."""

import subprocess
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
PARITY_CHECK = ROOT / ".build" / "release" / "parity-check"
SAMPLES = Path(__file__).resolve().parent / "samples"


def run(name: str, output: np.ndarray, folder: Path) -> subprocess.CompletedProcess[str]:
    np.save(folder / "x.npy", np.load(SAMPLES / f"{name}.npz")["input"])
    np.savez(folder / "keras.npz", output=output)
    return subprocess.run(
        [PARITY_CHECK, "run", SAMPLES / f"{name}.onnx", "--input", folder / "x.npy",
         "--batch-first", "--only", "output", "--actual", folder / "keras.npz"],
        capture_output=True, text=True, timeout=60)


@pytest.mark.parametrize("name", ["keras-lstm", "keras-bidirectional"])
def test_the_weights_give_what_keras_gives(name, tmp_path):
    output = np.load(SAMPLES / f"{name}.npz")["output"]
    right = run(name, output, tmp_path)
    assert right.returncode == 0, right.stdout + right.stderr
    assert right.stdout.startswith("passed ")
    wrong = run(name, output[..., ::-1], tmp_path)
    assert wrong.returncode == 1 and wrong.stdout.startswith("failed ")
