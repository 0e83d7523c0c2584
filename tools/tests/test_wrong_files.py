"""What is said of files and folders that are given in place of others."""

import subprocess
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

import parity_check
from catalogue.fixture import FIXTURES

ROOT = Path(__file__).resolve().parent.parent.parent
PARITY_CHECK = ROOT / ".build" / "release" / "parity-check"


def told(folder: Path, *arguments: object) -> tuple[int, str]:
    """The exit status, and what is printed in a run within a folder."""
    run = subprocess.run(
        [PARITY_CHECK, *map(str, arguments)], capture_output=True, text=True, cwd=folder,
        check=False)
    return run.returncode, run.stdout + run.stderr


def test_results_that_are_no_folder(tmp_path):
    case = FIXTURES / "gru.npz"
    assert told(tmp_path, case, "--actual", "nothing") == (
        2, "error: nothing: no such file or folder\n")
    (tmp_path / "mine").mkdir()
    for path, folder in ("mine/gru.npz", "mine"), ("gru.npz", "."):
        np.savez(tmp_path / path, output=np.zeros(3))
        assert told(tmp_path, case, "--actual", path) == (
            2, f"error: {path}: expected a folder, found a file; give its folder, {folder}\n")


@pytest.mark.parametrize("name", ["tagger.safetensors", "tagger.npz", "tagger"])
def test_a_recording_is_no_case(name, tmp_path):
    model = nn.Sequential(nn.Linear(3, 4), nn.GRU(4, 5)).eval()
    with parity_check.record(model) as recording:
        model(torch.randn(6, 2, 3))
    recording.save(tmp_path / name)
    status, text = told(tmp_path, name)
    assert status == 2
    assert text.startswith(
        f"invalid       tagger  {name}: module: expected a module that makes a case, found "
        '"Recording", a recording of a whole model; parity-check trace judges by it, and '
        "recording.case(NAME) in Python makes a case of one of its modules\n"), text


@pytest.mark.parametrize(("output", "found", "more"), [
    ((3, 7, 64), (3, 4, 32), ""), ((7, 3, 64), (3, 4, 32), ""), ((2, 7, 64), (2, 4, 32), ""),
    ((7, 3, 32), (3, 1, 32), "; or are output and h_n exchanged?"),
])
def test_states_with_the_batch_first(output, found, more, tmp_path):
    np.save(tmp_path / "output.npy", np.ones(output, np.float32))
    np.save(tmp_path / "h_n.npy", np.ones(found, np.float32))
    status, text = told(tmp_path, "layout", "output.npy", "h_n.npy")
    batch, rows, size = found
    assert (status, text) == (
        2, "error: output.npy and h_n.npy: h_n: expected (D·L, B, H), here "
        f"{(rows, batch, size)}, found {found}; h_n seems to be (B, D·L, H): batch_first never "
        f"changes it; h_n.transpose(1, 0, 2){more}\n")
