"""What is said of files and folders that are given in place of others."""

import subprocess
from pathlib import Path

import numpy as np
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
