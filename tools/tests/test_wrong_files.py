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
