"""What a crash of parity-check, or a signal, costs: its own case, or nothing.
Here engines crash their parent, which is the process that judges."""

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
PARITY_CHECK = ROOT / ".build" / "release" / "parity-check"
ENGINE = f"'{sys.executable}' '{ROOT / 'tools' / 'examples' / 'numpy_engine.py'}'"

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")


def cases(folder: Path, *names: str) -> Path:
    folder.mkdir()
    for name in names:
        shutil.copy(ROOT / "Fixtures" / "gru.npz", folder / f"{name}.npz")
    return folder


def engine(folder: Path, script: str) -> list[str]:
    """A shell script as an engine; `right` computes what PyTorch does."""
    path = folder / "engine.sh"
    path.write_text(f'echo "$1" >> {folder}/log\nright() {{ {ENGINE} "$1" "$2"; }}\n{script}\n')
    return ["--engine", f"sh {path} {{case}} {{out}}"]


def processes(text: str) -> list[int]:
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if text in path.read_bytes().decode(errors="replace").replace("\0", " "):
                found.append(int(path.parent.name))
        except OSError:
            pass
    return found


def folders() -> set[str]:
    return {name for name in os.listdir(tempfile.gettempdir())
            if re.match(r"parity-check-\d+-", name)}


@pytest.mark.parametrize("jobs", ["1", "2"])
@pytest.mark.parametrize(("number", "told"), [
    (signal.SIGILL, "parity-check crashed on it (signal 4)"),
    (signal.SIGKILL, "parity-check was killed while it judged this (signal 9"),
])
def test_a_crash_is_named_and_the_rest_is_judged(number, told, jobs, tmp_path):
    names = ["a", "b-bad", "c", "d-bad", "e"]
    asleep = "77" + str(os.getpid())
    before = folders()
    script = f'case "$1" in *bad*) kill -{number.value} $PPID; sleep {asleep};; esac; right "$1" "$2"'
    run = subprocess.run(
        [PARITY_CHECK, cases(tmp_path / "cases", *names), "--jobs", jobs,
         *engine(tmp_path, script)],
        capture_output=True, text=True, timeout=120)
    lines = run.stdout.splitlines()
    assert run.returncode == 2 and not run.stderr
    assert [line.split()[:2] for line in lines[:-1]] == [
        ["unreadable" if "bad" in name else "passed", name] for name in names]
    assert sum(told in line for line in lines) == 2
    assert lines[-1].startswith("5 cases: 3 passed, 2 unreadable in ")
    assert not processes(f"sleep {asleep}") and folders() <= before
    # Judged cases whose lines were printed are not computed again.
    computed = (tmp_path / "log").read_text().splitlines()
    assert sum(Path(path).stem.startswith("e") for path in computed) <= 2


@pytest.mark.parametrize("number", [
    signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT])
@pytest.mark.parametrize("to_child", [False, True])
@pytest.mark.parametrize("delay", [0.02, 0.1, 0.5])
def test_a_signal_leaves_nothing(number, to_child, delay, tmp_path):
    asleep = "78" + str(os.getpid())
    before = folders()
    run = subprocess.Popen(
        [PARITY_CHECK, cases(tmp_path / "cases", "a", "b", "c"),
         *engine(tmp_path, f"sleep {asleep} & sleep {asleep}")],
        # Before the program itself has begun, Swift's runtime takes SIGQUIT for a crash, and
        # goes on.
        env=os.environ | {"SWIFT_BACKTRACE": "enable=no"},
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    time.sleep(delay)
    target = run.pid
    if to_child:
        children = Path(f"/proc/{run.pid}/task/{run.pid}/children").read_text().split()
        target = int(children[0]) if children else run.pid
    os.kill(target, number)
    out, _ = run.communicate(timeout=30)
    assert "failed" not in out
    assert run.returncode in (-number, 128 + number)
    assert not processes(f"sleep {asleep}") and folders() <= before


def test_the_protection_needs_no_temporary_folder(tmp_path):
    script = 'kill -ILL $PPID; sleep 5'
    run = subprocess.run(
        [PARITY_CHECK, cases(tmp_path / "cases", "a")], env=os.environ | {"TMPDIR": "/nowhere"},
        capture_output=True, text=True, timeout=60)
    assert run.returncode == 0
    run = subprocess.run(
        [PARITY_CHECK, tmp_path / "cases", *engine(tmp_path, script)],
        env=os.environ | {"TMPDIR": "/nowhere"}, capture_output=True, text=True, timeout=60)
    assert run.returncode == 1 and "can't make a folder for the engine's files" in run.stdout
