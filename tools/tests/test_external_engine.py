"""The engine in NumPy, as `parity-check --engine` runs it."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from catalogue.committed import filter_options

ROOT = Path(__file__).resolve().parent.parent.parent
PARITY_CHECK = ROOT / ".build" / "release" / "parity-check"
ENGINE = ROOT / "tools" / "examples" / "numpy_engine.py"
H5_ENGINE = Path(__file__).resolve().parent / "h5_engine.py"


def judge(*options: str, bug: str = "", engine: Path = ENGINE) -> tuple[int, str]:
    line = f"'{sys.executable}' '{engine}' {bug} {{case}} {{out}}"
    command = [PARITY_CHECK, ROOT / "Fixtures", "--engine", line]
    if "--filter" not in options:
        # Not what somebody else has put there.
        command += filter_options()
    run = subprocess.run([*command, *options], capture_output=True, text=True)
    return run.returncode, run.stdout


@pytest.mark.parametrize(
    ("container", "engine"), [("folder", ENGINE), ("npz", ENGINE), ("h5", H5_ENGINE)])
def test_all_fixtures_pass(container, engine):
    status, text = judge("--engine-input", container, engine=engine)
    assert status == 0, text
    summary = text.splitlines()[-1]
    assert re.match(r"\d+ cases: \d+ passed, \d passed with a remark, 1 skipped in ", summary), summary
    assert int(summary.split()[0]) >= 100


def test_a_misplaced_bias_is_named():
    status, text = judge(
        "--engine-input", "folder", "--filter", "^gru", bug="--bug b-hn-misplaced")
    assert status == 1
    failed = re.findall(r"^failed +(\S+).*\n(.*)", text, re.MULTILINE)
    named = [name for name, line in failed if "[b-hn-outside-reset" in line]
    assert len(failed) >= 15
    assert len(named) >= 0.9 * len(failed), text


def test_a_case_that_is_not_handed_over_plainly_fails_alone():
    """The engine reads no HDF5: as they stand, such cases fail and the others pass."""
    status, text = judge("--filter", "^(gru-one-sequence|gru-no-bias)$")
    assert status == 1
    assert "failed        gru-one-sequence  the engine ended with exit status" in text
    assert "passed        gru-no-bias " in text


def test_kept_files_can_be_judged_again(tmp_path):
    """What was given and written stays, and the second run beside it."""
    kept = tmp_path / "kept"
    options = ["--engine-input", "npz", "--filter", "^(gru-no-bias|lstm-chunks)$"]
    status, text = judge(*options, "--keep", str(kept))
    assert status == 0, text
    names = {str(path.relative_to(kept)) for path in kept.rglob("*") if path.is_file()}
    assert {"gru-no-bias/case.npz", "gru-no-bias/outputs/h_n.npy"} <= names, names
    assert "gru-no-bias (second run)/outputs/output.npy" in names
    assert {f"lstm-chunks/{chunk}/case.npz" for chunk in range(3)} <= names, names
    # Kept anew, but never in the place of other files.
    (kept / "gru-no-bias" / "outputs" / "h_n.npy").write_text("old")
    assert judge(*options, "--keep", str(kept))[0] == 0
    assert (kept / "gru-no-bias" / "outputs" / "h_n.npy").read_bytes().startswith(b"\x93NUMPY")
    (kept / "gru-no-bias" / "mine.txt").write_text("keep me")
    status, text = judge(*options, "--keep", str(kept))
    assert status == 1 and "holds mine.txt, which is not kept here" in text, text
    assert (kept / "gru-no-bias" / "mine.txt").exists()
