"""libhdf5 crashes and loops on damaged files. Here a wrapper around it does both for
certain, by a file's name, since which bytes do depends on the library's version."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parent
ROOT = TESTS.parent.parent
PARITY_CHECK = ROOT / ".build" / "release" / "parity-check"

pytestmark = pytest.mark.skipif(
    sys.platform != "linux" or shutil.which("cc") is None,
    reason="preloads a library that the C compiler makes")


@pytest.fixture(scope="module")
def wrapper(tmp_path_factory) -> Path:
    library = tmp_path_factory.mktemp("wrapper") / "wrapper.so"
    source = TESTS / "damaging_hdf5.c"
    subprocess.run(
        ["cc", "-Wall", "-Werror", "-shared", "-fPIC", "-o", library, source, "-ldl"],
        check=True)
    return library


def run(wrapper: Path, *arguments) -> tuple[int, list[str]]:
    environment = os.environ | {"LD_PRELOAD": str(wrapper), "PARITY_CHECK_WATCH_SECONDS": "1"}
    run = subprocess.run(
        [PARITY_CHECK, *arguments], env=environment, capture_output=True, text=True, timeout=60)
    return run.returncode, (run.stdout + run.stderr).splitlines()


def cases(folder: Path, *names: str) -> Path:
    for name in names:
        shutil.copy(ROOT / "Fixtures" / "gru-one-sequence.h5", folder / f"{name}.h5")
    return folder


def test_each_crash_and_loop_costs_its_own_case(wrapper, tmp_path):
    names = ["a-good", "b-crashes", "c-good", "d-crashes", "e-loops", "f-good", "g-waits"]
    status, lines = run(wrapper, cases(tmp_path, *names))
    assert status == 2
    assert [line.split()[:2] for line in lines[:-1]] == [
        ["unreadable" if name[2:] != "good" else "passed", name] for name in names]
    for line, name in zip(lines, names):
        assert (f"/{name}.h5: " in line) == (not name.endswith("good"))
        assert ("crashed on it (signal 11" in line) == name.endswith("crashes")
        assert ("computed for 1 s and gave no answer" in line) == name.endswith("loops")
        assert ("gave no answer for 4 s" in line) == name.endswith("waits")
    assert lines[-1].startswith("7 cases: 3 passed, 4 unreadable in ")


def test_a_damaged_heap_blames_nobody_else(wrapper, tmp_path):
    names = ["a-good", "b-damages", "c-good", "d-damages", "e-crashes", "f-good"]
    status, lines = run(wrapper, cases(tmp_path, *names), "--jobs", "1")
    assert status == 2
    assert [line.split()[:2] for line in lines[:-1]] == [
        ["unreadable" if name[2:] == "crashes" else "passed", name] for name in names]


def test_a_crash_is_an_error_of_a_comparison(wrapper, tmp_path):
    folder = cases(tmp_path, "good", "crashes")
    status, lines = run(wrapper, "compare", folder / "good.h5", folder / "crashes.h5")
    assert status == 2
    assert len(lines) == 1 and lines[0].startswith("error: ")
    assert lines[0].endswith("/crashes.h5: libhdf5 crashed on it (signal 11)")


def test_without_the_wrapper_all_pass(tmp_path):
    folder = cases(tmp_path, "a-good", "b-crashes")
    run = subprocess.run([PARITY_CHECK, folder], capture_output=True, text=True)
    assert run.returncode == 0
