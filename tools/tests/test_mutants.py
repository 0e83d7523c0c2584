"""Damaged fixtures cost themselves alone, and what looks for that can find something."""

import stat
import subprocess
import sys
from pathlib import Path

import pytest

TOOL = Path(__file__).resolve().parent.parent / "mutate_fixtures.py"


def mutate(*options) -> subprocess.CompletedProcess:
    return subprocess.run([sys.executable, TOOL, *options], capture_output=True, text=True,
                          timeout=300)


@pytest.mark.parametrize("ending", [".npz", ".h5", ".safetensors", ".pt"])
def test_damaged_fixtures_cost_themselves_alone(ending):
    run = mutate("--endings", ending, "--batches", "1", "--seed", "20")
    assert run.returncode == 0, run.stdout
    assert run.stdout.startswith(f"{ending}: 90 damaged files and 10 good ones: ")


def tool(folder: Path, script: str) -> Path:
    path = folder / "tool"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


@pytest.mark.parametrize(("script", "told"), [
    ('for f in "$1"/*; do n=${f##*/}; echo "passed ${n%.*}"; done',
     "passes though its reference is another"),
    ("kill -SEGV $$", "status -11"),
    ('for f in "$1"/*; do n=${f##*/}; echo "unreadable ${n%.*}"; done; exit 2',
     "is unreadable"),
])
def test_what_is_wrong_is_found(script, told, tmp_path):
    run = mutate("--endings", ".npz", "--batches", "2", "--tool", tool(tmp_path, script))
    assert run.returncode == 1 and told in run.stdout
