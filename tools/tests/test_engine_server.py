"""`--engine-server`: a program that answers case after case, in Python."""

import importlib.util
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from parity_check.containers import read, write

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
PARITY_CHECK = ROOT / ".build" / "release" / "parity-check"
ENGINE = f"'{sys.executable}' '{HERE / 'package_engine.py'}'"


def judge(path: Path, command: str, *options: str) -> tuple[int, list[str], str]:
    run = subprocess.run(
        [PARITY_CHECK, path, "--engine-server", command, *options],
        capture_output=True, text=True, timeout=300)
    return run.returncode, run.stdout.splitlines(), run.stderr


def cases(folder: Path, **descriptions: str) -> Path:
    manifest, tensors = read(ROOT / "Fixtures" / "gru.npz")
    for name, description in descriptions.items():
        write(folder / "cases" / f"{name}.npz", manifest | {"description": description}, tensors)
    return folder / "cases"


def server(folder: Path, body: str) -> str:
    """A program of the standard library alone: `body` is done for each `question`, and
    `answer(...)` answers. Its number is noted in `started`."""
    path = folder / "server.py"
    path.write_text(f"""
import json, os, shutil, signal, sys, time
from pathlib import Path
with open({str(folder / "started")!r}, "a") as file:
    print(os.getpid(), file=file)
def answer(status="done", **more):
    print(json.dumps({{"status": status}} | more), flush=True)
for line in sys.stdin:
    question = json.loads(line)
    name = Path(question["case"]).stem
{body}
""")
    return f"'{sys.executable}' '{path}'"


RIGHT = """
    import zipfile
    with zipfile.ZipFile(question["case"]) as case, \\
            zipfile.ZipFile(question["out"] + ".npz", "w") as out:
        for member in case.namelist():
            if member.startswith("outputs/"):
                out.writestr(member.removeprefix("outputs/"), case.read(member))
    answer()
"""


def started(folder: Path) -> list[int]:
    return [int(line) for line in (folder / "started").read_text().split()]


def is_there(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.parametrize("container", ["npz", "h5", "safetensors", "folder"])
def test_streams_and_containers(container, tmp_path):
    """Each chunk of a stream is asked for by itself, from the states that were given."""
    kept = tmp_path / "kept"
    status, lines, _ = judge(
        ROOT / "Fixtures", ENGINE, "--filter", "^(gru-no-bias|(lstm|gru)-chunks.*)$",
        "--engine-input", container, "--keep", str(kept), "--twice", "--jobs", "1")
    assert status == 0 and lines[-1].startswith("5 cases: 5 passed in "), lines
    ending = "" if container == "folder" else "." + container
    for folder in "gru-no-bias", "lstm-chunks/2", "lstm-chunks (second run)/0":
        assert (kept / folder / f"case{ending}").exists()
        assert (kept / folder / "outputs.npz").is_file()


def test_an_error_costs_its_case(tmp_path):
    """An exception is answered, a crash is none; what is printed disturbs no answer."""
    path = cases(tmp_path, a="", b="raise", c="", d="die", e="")
    status, lines, _ = judge(path, ENGINE, "--jobs", "1")
    assert status == 1
    told = {line.split()[1]: line for line in lines if not line.startswith(" ")}
    assert [told[name].split()[0] for name in "abcde"] == [
        "passed", "failed", "passed", "failed", "passed"], lines
    assert "the engine failed: ValueError: a mistake in the engine" in told["b"]
    assert "the engine ended with exit status 5" in told["d"]
    text = "\n".join(lines)
    assert text.count("Traceback") == 1 and "computing GRU" in text and "a library prints" in text


def test_no_zombie_stays_while_others_are_judged(tmp_path):
    """The third process looks for what is left of the two before."""
    path = cases(tmp_path, a="", b="", c="")
    report = tmp_path / "report"
    command = server(tmp_path, f"""
    if name != "c": os._exit(5)
    time.sleep(0.2)
    children = Path(f"/proc/{{os.getppid()}}/task/{{os.getppid()}}/children").read_text().split()
    Path({str(report)!r}).write_text(" ".join(children))
{RIGHT}""")
    status, lines, _ = judge(path, command, "--jobs", "1", "--quiet")
    assert lines[-1].startswith("3 cases: 1 passed, 2 failed in ")
    first, second, third = started(tmp_path)
    # Children are noted by the thread that started them.
    state = [p for p in (first, second) if is_there(p)]
    assert not state and not is_there(third)
    left = set(report.read_text().split())
    assert not {str(first), str(second)} & left


def test_programs_that_end_leave_no_open_files(tmp_path):
    """Nor do those that can't be started."""
    path = cases(tmp_path, **{f"case{k}": "" for k in range(40)})
    for command, told in (
        (server(tmp_path, "    os._exit(5)"), "the engine ended with exit status 5"),
        ("/tmp", "can't run /tmp: "),
    ):
        run = subprocess.run(
            ["bash", "-c", 'ulimit -n 60; exec "$@"', "bash", PARITY_CHECK, path, "--jobs", "1",
             "--engine-server", command, "--quiet"], capture_output=True, text=True)
        assert run.stdout.count(told) == 40, run.stdout + run.stderr


@pytest.mark.parametrize("jobs", ["1", "4"])
def test_a_program_for_each_job(jobs, tmp_path):
    path = cases(tmp_path, **{f"case{k}": "" for k in range(12)})
    status, lines, _ = judge(path, server(tmp_path, RIGHT), "--jobs", jobs)
    assert status == 0 and lines[-1].startswith("12 cases: 12 passed in "), lines
    assert 1 <= len(started(tmp_path)) <= int(jobs)
    assert not any(map(is_there, started(tmp_path)))


def test_more_than_a_pipe_holds_is_printed(tmp_path):
    path = cases(tmp_path, a="", b="")
    command = server(tmp_path, f"""
    for _ in range(3000): print("x" * 100, file=sys.stderr)
{RIGHT}""")
    status, lines, _ = judge(path, command, "--jobs", "1", "--engine-timeout", "20")
    assert status == 0, lines


def test_a_line_between_two_cases_is_found(tmp_path):
    """What comes behind an answer, before the next case is asked for."""
    path = cases(tmp_path, a="", b="", c="")
    command = server(tmp_path, f"""
    {RIGHT.strip()}
    if name == "a" and not Path({str(tmp_path / "late")!r}).exists():
        Path({str(tmp_path / "late")!r}).touch()
        print("late", flush=True)
        time.sleep(1)
""")
    # The first case is run twice, with one process.
    status, lines, _ = judge(path, command, "--jobs", "1", "--quiet")
    assert status == 1
    text = "\n".join(lines)
    assert "the engine printed" in text and "2 passed, 1 failed" in lines[-1], text


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("delay", [0.1, 1.0])
def test_a_signal_leaves_nothing(number, delay, tmp_path):
    path = cases(tmp_path, a="", b="", c="")
    command = server(tmp_path, """
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    time.sleep(1000)
""")
    run = subprocess.Popen(
        [PARITY_CHECK, path, "--engine-server", command, "--jobs", "2"],
        env=os.environ | {"SWIFT_BACKTRACE": "enable=no"}, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True)
    time.sleep(delay)
    os.kill(run.pid, number)
    out, _ = run.communicate(timeout=30)
    assert "failed" not in out and run.returncode in (-number, 128 + number)
    if (tmp_path / "started").exists():
        assert not any(map(is_there, started(tmp_path)))


def test_fail_fast_ends_the_others(tmp_path):
    path = cases(tmp_path, a="", b="", c="")
    command = server(tmp_path, """
    if name == "a": answer("failed", reason="so"); continue
    time.sleep(1000)
""")
    start = time.monotonic()
    status, lines, _ = judge(path, command, "--jobs", "2", "--fail-fast")
    assert status == 1 and "the engine failed: so" in lines[0]
    assert time.monotonic() - start < 30
    assert not any(map(is_there, started(tmp_path)))


def test_a_crash_of_parity_check_leaves_nothing(tmp_path):
    """The child of parity-check is the parent of the program."""
    path = cases(tmp_path, a="", b="", c="")
    command = server(tmp_path, f"""
    if name == "b": os.kill(os.getppid(), signal.SIGKILL); time.sleep(1000)
{RIGHT}""")
    status, lines, _ = judge(path, command, "--jobs", "1")
    assert status == 2 and lines[-1].startswith("3 cases: 2 passed, 1 unreadable in "), lines
    assert not any(map(is_there, started(tmp_path)))


@pytest.mark.parametrize("container", ["folder", "npz"])
def test_the_engine_in_numpy_answers_too(container):
    path = ROOT / "tools" / "examples" / "numpy_engine.py"
    status, lines, _ = judge(
        ROOT / "Fixtures", f"'{sys.executable}' '{path}'", "--engine-input", container)
    assert status == 0, lines
    assert re.match(r"\d+ cases: \d+ passed, \d passed with a remark, 1 skipped in ", lines[-1])
    status, lines, _ = judge(
        ROOT / "Fixtures", f"'{sys.executable}' '{path}' --bug b-hn-misplaced",
        "--engine-input", container, "--filter", "^gru$")
    assert status == 1 and "[b-hn-outside-reset]" in lines[1], lines


def needs(*packages: str) -> None:
    """Without importing them: Keras looks for its backend then."""
    for package in packages:
        if importlib.util.find_spec(package) is None:
            pytest.skip(f"no {package} here")


def example(name: str, *options: str) -> tuple[int, list[str]]:
    path = ROOT / "tools" / "examples" / name
    status, lines, _ = judge(
        ROOT / "Fixtures", f"'{sys.executable}' '{path}'", "--engine-input", "npz", *options)
    return status, lines


def test_onnxruntime_is_judged():
    """It computes infinities and NaN otherwise; all else agrees."""
    needs("onnx", "onnxruntime")
    _, lines = example("onnxruntime_engine.py", "--actual-activations", "absolute")
    failed = [line.split()[1] for line in lines if line.startswith("failed")]
    assert failed == [name for name in failed if name.endswith("-special-values")], failed
    passed = sum(line.startswith("passed") for line in lines)
    assert passed >= 65, lines[-1]


def test_keras_is_judged():
    needs("keras", "jax")
    status, lines = example(
        "keras_engine.py", "--filter",
        "^(lstm-packed|gru-bidirectional|rnn-relu-stacked-bidirectional|lstm-cell|gru"
        "|lstm-float64)$")
    assert status == 0, lines
    assert re.match(r"6 cases: 5 passed, 1 skipped by the engine in ", lines[-1]), lines[-1]


def test_mlx_is_judged():
    needs("mlx")
    status, lines = example("mlx_engine.py")
    assert status == 0, lines
    assert sum(line.startswith("passed") for line in lines) >= 65, lines[-1]


def test_an_example_is_short():
    for path in (ROOT / "tools" / "examples").glob("*_engine.py"):
        if path.name != "numpy_engine.py":
            assert len(path.read_text().splitlines()) <= 60, path
