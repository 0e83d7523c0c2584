"""What cannot be written or opened is told in one line: no room on the disk, too few files."""

import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
PARITY_CHECK = ROOT / ".build" / "release" / "parity-check"
ENGINE = f"python3 {ROOT}/tools/examples/numpy_engine.py {{case}} {{out}}"


def run(limit: str, *arguments: object, **environment: str) -> subprocess.CompletedProcess:
    """Under a limit of the shell. A write beyond that of a file's size fails like one to a full
    disk."""
    return subprocess.run(
        ["bash", "-c", f"trap '' XFSZ; {limit}; exec \"$@\"", "bash", PARITY_CHECK,
         *map(str, arguments)], capture_output=True, text=True, timeout=120,
        env=os.environ | environment)


@pytest.mark.parametrize("format", ["folder", "npz", "h5", "safetensors"])
def test_export_counts_what_is_written(format, tmp_path):
    ended = run("ulimit -f 3", "export", ROOT / "Fixtures", tmp_path / "out", "--as", format,
                "--filter", "^(gru|lstm|rnn|gru-long|lstm-long)$")
    written = [path.name for path in (tmp_path / "out").iterdir()]
    assert ended.returncode == 2, ended
    assert ended.stdout.split()[:2] == ["wrote", f"{len(written)}"]
    errors = ended.stderr.splitlines()
    assert len(errors) == 5 - len(written) > 0
    assert all(line.startswith(f"{tmp_path}/out/") and "/." not in line
               and line.endswith("(file too large)") for line in errors), errors


def test_a_program_is_not_started_without_files_for_it():
    ended = run("ulimit -n 20", ROOT / "Fixtures" / "gru.npz", "--engine", ENGINE,
                "--engine-input", "folder")
    assert ended.returncode == 2, ended
    assert ended.stderr.startswith("--engine: expected to be let open 20 more files, found ")
    assert ended.stderr.count("\n") == 1


def test_a_missing_folder_for_temporary_files_is_told():
    ended = run("true", ROOT / "Fixtures" / "gru.npz", "--engine", ENGINE, TMPDIR="/missing/here")
    assert ended.returncode == 1
    assert ("/missing/here/: can't make a folder for the engine's files (no such file or "
            "directory); TMPDIR names another place") in ended.stdout
