"""Damaged fixtures cost themselves alone, and what looks for that can find something."""

import stat
import subprocess
import sys
from pathlib import Path

import pytest

from measure.mutant_sources import CONTAINERS

TOOL = Path(__file__).resolve().parent.parent / "mutate_fixtures.py"


def mutate(*options) -> subprocess.CompletedProcess:
    return subprocess.run([sys.executable, TOOL, *options], capture_output=True, text=True,
                          timeout=300)


@pytest.mark.parametrize("container", CONTAINERS)
def test_damaged_fixtures_cost_themselves_alone(container):
    run = mutate("--containers", container, "--batches", "1", "--seed", "20")
    assert run.returncode == 0, run.stdout
    assert run.stdout.startswith(f"{container}: 90 damaged files and 10 good ones: ")


@pytest.mark.parametrize("container", ["folder", ".gguf", ".onnx"])
def test_a_folder_whose_numbers_are_others_must_not_pass(container, tmp_path):
    """A tool that passes all that it is given: it must be told of wrong parameters too."""
    passes = tool(tmp_path, 'for f in "$1"/*; do echo "passed ${f##*/}"; done')
    run = mutate("--containers", container, "--batches", "2", "--tool", passes)
    assert run.returncode == 1 and "passes though its reference is another" in run.stdout


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
    run = mutate("--containers", ".npz", "--batches", "2", "--tool", tool(tmp_path, script))
    assert run.returncode == 1 and told in run.stdout
