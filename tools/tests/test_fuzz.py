"""The readers of files under libFuzzer, which finds what is there to be found."""

import subprocess
from pathlib import Path

import pytest

FUZZ = Path(__file__).resolve().parent.parent / "fuzz"


def fuzz(*options: str) -> subprocess.CompletedProcess:
    ended = subprocess.run([FUZZ, *options], capture_output=True, text=True, timeout=1200)
    if "no libFuzzer" in ended.stderr:
        pytest.skip(ended.stderr.strip())
    return ended


def test_readers_take_whatever_comes():
    ended = fuzz("--runs", "4000")
    assert ended.returncode == 0, ended
    assert ended.stdout.count("4000 inputs, no finding\n") == len(ended.stdout.splitlines()) == 8


def test_a_planted_bug_is_found():
    ended = fuzz("--runs", "100000", "planted")
    assert ended.returncode == 1, ended
    assert "the planted bug" in ended.stdout and "planted: a finding" in ended.stdout
