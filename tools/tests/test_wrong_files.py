"""What is said of files and folders that are given in place of others."""

import subprocess
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

import parity_check
from catalogue.fixture import FIXTURES
from parity_check.containers import read

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


def outputs() -> dict[str, np.ndarray]:
    _, tensors = read(FIXTURES / "gru.npz")
    return {name.removeprefix("outputs/"): array for name, array in tensors.items()
            if name.startswith("outputs/")}


@pytest.mark.parametrize("exchanged", [False, True])
def test_a_case_is_compared_with_results(exchanged, tmp_path):
    case, mine = FIXTURES / "gru.npz", tmp_path / "mine.npz"
    sides = [mine, case] if exchanged else [case, mine]
    note = f"note: of {case}, the outputs/ alone are compared\n"
    np.savez(mine, **outputs())
    status, text = told(tmp_path, "compare", *sides)
    assert status == 0 and text.startswith(note) and "\n2 tensors: 2 agree in " in text, text
    np.savez(mine, output=outputs()["output"], more=np.zeros(2))
    status, text = told(tmp_path, "compare", *sides)
    assert status == 1 and text.startswith(note), text
    assert "3 tensors: 1 agrees" in text and "1 missing, 1 extra" in text, text
    # Names that meet as they stand are compared as they stand.
    status, text = told(tmp_path, "compare", case, case)
    assert status == 0 and "note: " not in text


@pytest.mark.parametrize("exchanged", [False, True])
def test_results_of_other_names_are_proposed_to_be_mapped(exchanged, tmp_path):
    case, mine = FIXTURES / "gru.npz", tmp_path / "mine.npz"
    sides = [mine, case] if exchanged else [case, mine]
    np.savez(mine, Y=outputs()["output"], Y_h=outputs()["h_n"])
    status, text = told(tmp_path, "compare", *sides)
    options = ["--map", "Y=output", "--map", "Y_h=h_n"] if exchanged else [
        "--map", "output=Y", "--map", "h_n=Y_h"]
    assert status == 2 and text.endswith(
        f" if these are the same results, say: {' '.join(options)}\n"), text
    status, text = told(tmp_path, "compare", *sides, *options)
    assert status == 0 and "\n2 tensors: 2 agree in " in text, text
    np.savez(mine, one=outputs()["output"], two=outputs()["h_n"])
    status, text = told(tmp_path, "compare", *sides)
    assert status == 2 and "--map" not in text
