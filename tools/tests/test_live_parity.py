"""`tools/live_parity.py`: engines that are right, wrong and broken, judged on random modules."""

import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch

import numpy_engine
from parity_check import judging
from parity_check import live_command
from parity_check import live_parity as live_module
from parity_check.configurations import Configuration, quiet_pytorch
from parity_check.containers import read
from parity_check.drawing import draw
from parity_check.live_parity import Failure, Run, live, write_all
from parity_check.shrinking import STEPS, shrink

ENGINE = Path(numpy_engine.__file__)


@pytest.fixture(scope="module", autouse=True)
def quiet():
    quiet_pytorch()


def options(engine: Path, *more: str) -> list[str]:
    line = " ".join([f"'{sys.executable}' '{engine}'", *more, "{case} {out}"])
    return ["--engine", line, "--engine-input", "folder"]


def first_of(wanted, count: int = 60) -> int:
    """A seed of which one of the first two configurations is wanted."""
    return next(seed for seed in range(count) if any(wanted(draw(n, seed)) for n in range(2)))


def has_gru_bias(c: Configuration) -> bool:
    return c.module in ("GRU", "GRUCell") and c.arguments["bias"]


def test_a_hundred_pass():
    run = live(100, 3)
    assert run.exit_status == 0 and not run.failed and not run.failures
    assert run.drawn == sum(run.counts.values()) == 100
    assert set(run.counts) <= {"passed", "passed with a remark"}


def failure_of(run: Run) -> Failure:
    assert run.exit_status == 1
    (failure,) = run.failures
    assert failure.verdict.status == failure.simplest_verdict.status == "failed"
    return failure


def test_a_wrong_engine_leaves_a_small_case_that_fails_alone(tmp_path):
    wrong = options(ENGINE, "--bug", "b-hn-misplaced")
    failure = failure_of(live(2, first_of(has_gru_bias), options=wrong, keep=tmp_path))
    assert "[b-hn-outside-reset" in failure.verdict.diagnosis
    manifest, tensors = read(failure.path)
    assert failure.path.parent == tmp_path and len(list(tmp_path.iterdir())) == 1
    assert manifest["module"] in ("GRU", "GRUCell") and "packed" not in manifest
    assert max(tensor.size for tensor in tensors.values()) <= 20
    assert all((tensor * 8 % 1 == 0).all() for name, tensor in tensors.items()
               if not name.startswith("outputs/"))
    assert judging.judge(failure.path, wrong).exit_status == 1
    assert judging.judge(failure.path, options(ENGINE)).exit_status == 0
    assert judging.judge(failure.path).exit_status == 0


def test_what_crashes_an_engine_is_kept(tmp_path):
    """Bidirectional modules alone."""
    engine = tmp_path / "crashing.py"
    engine.write_text(
        "import json, pathlib, sys\n"
        f"sys.path.insert(0, {str(ENGINE.parent)!r})\n"
        "import numpy_engine\n"
        "manifest = json.loads((pathlib.Path(sys.argv[1]) / 'manifest.json').read_text())\n"
        "if manifest['arguments'].get('bidirectional'): sys.exit('no')\n"
        "sys.exit(numpy_engine.main(sys.argv[1:]))\n")
    seed = first_of(lambda c: c.arguments.get("bidirectional"))
    failure = failure_of(live(2, seed, options=options(engine), keep=tmp_path / "kept"))
    assert "exit status 1" in failure.simplest_verdict.sentence
    manifest, tensors = read(failure.path)
    assert manifest["arguments"]["bidirectional"] is True
    assert manifest["arguments"]["num_layers"] == manifest["arguments"]["hidden_size"] == 1
    assert failure.simplest.container == "" and "inputs/h_0" not in tensors
    assert max(tensor.size for tensor in tensors.values()) <= 20


def test_each_kind_of_failure_is_made_simple_once(tmp_path, monkeypatch):
    """A crash, and numbers that are wrong."""
    engine = tmp_path / "both.py"
    engine.write_text(
        "import json, pathlib, sys\n"
        f"sys.path.insert(0, {str(ENGINE.parent)!r})\n"
        "import numpy_engine\n"
        "manifest = json.loads((pathlib.Path(sys.argv[1]) / 'manifest.json').read_text())\n"
        "if manifest['module'].startswith('LSTM'): sys.exit('no')\n"
        "sys.exit(numpy_engine.main([*sys.argv[1:], '--bug', 'b-hn-misplaced']))\n")
    monkeypatch.setattr(live_module, "shrunk", lambda c, verdict, options, keep: Failure(
        c, verdict, c, keep / c.name, verdict))
    run = live(20, 1, options=options(engine), keep=tmp_path)
    wrong = [c.name for c in (draw(number, 1) for number in range(20))
             if c.module.startswith("LSTM") or has_gru_bias(c)]
    assert list(run.failed) == wrong and len(wrong) > 4
    assert len(run.failures) == 2
    assert {"LSTM" in failure.drawn.module for failure in run.failures} == {True, False}


def test_a_seed_draws_the_same_again(tmp_path, capsys):
    for folder in ("a", "b"):
        assert live_command.main(["--write", str(tmp_path / folder), "--count", "9",
                                  "--seed", "5"]) == 0
    assert capsys.readouterr().out.splitlines()[0] == \
        f"seed 5: 9 drawn, 9 written to {tmp_path / 'a'}"
    names = sorted(path.name for path in (tmp_path / "a").iterdir())
    assert len(names) == 9
    for name in names:
        assert read(tmp_path / "a" / name)[0] == read(tmp_path / "b" / name)[0]


def test_without_a_seed_one_is_chosen_and_printed(capsys):
    seeds = []
    for _ in range(2):
        assert live_command.main(["--count", "1"]) == 0
        first, last = capsys.readouterr().out.splitlines()
        seeds.append(re.fullmatch(r"seed (\d+)", first)[1])
        assert last.startswith(f"seed {seeds[-1]}: 1 drawn, 1 judged: 1 passed")
    assert seeds[0] != seeds[1]


def test_seconds_end_a_run_after_whole_batches(monkeypatch):
    monkeypatch.setattr("parity_check.live_parity.BATCH", 3)
    assert live(None, 1, seconds=0).drawn == 3
    # Five at most, whatever the time.
    assert live(5, 1, seconds=1000).drawn == 5


def test_what_pytorch_cannot_compute_is_drawn_and_not_judged(monkeypatch):
    def cannot(c, module, inputs):
        if c.module == "GRU":
            raise RuntimeError('"gru_cpu" not implemented for \'Half\'')
        return real(c, module, inputs)

    real = live_module.forward
    monkeypatch.setattr(live_module, "forward", cannot)
    grus = sum(draw(number, 1).module == "GRU" for number in range(12))
    run = live(12, 1)
    assert 0 < grus < 12 and sum(run.counts.values()) == 12 - grus
    assert str(run).startswith(f"seed 1: 12 drawn, {12 - grus} judged: ")


def test_a_missing_binary_is_one_line_of_what_to_do(monkeypatch, capsys, tmp_path):
    monkeypatch.setattr(judging, "program", lambda: None)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert live_command.main(["--count", "1"]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1 and "tools/check" in said


def test_wrong_usage(capsys):
    assert live_command.main(["--count", "1", "--", "--bogus"]) == 64
    assert "--bogus" in capsys.readouterr().err
    for wrong in (["--", "--actual", "mine"], ["--write", "x", "--", "--strict"],
                  ["--count", "0"]):
        with pytest.raises(SystemExit) as exit:
            live_command.main(wrong)
        assert exit.value.code == 2


def test_the_command_ends_with_parity_checks_status():
    tool = ENGINE.parent.parent / "live_parity.py"
    right = [sys.executable, tool, "--count", "3", "--seed", "1"]
    assert subprocess.run(right, capture_output=True).returncode == 0
    skipping = [*right, "--", "--engine", "sh -c 'exit 77' {case} {out}"]
    ended = subprocess.run(skipping, capture_output=True, text=True)
    assert ended.returncode == 1
    assert ended.stdout.splitlines()[-1] == \
        "seed 1: 3 drawn, 3 judged: 3 skipped by the engine"


@pytest.mark.parametrize("needs", [
    lambda c: c.arguments.get("bidirectional"), lambda c: c.arguments.get("num_layers", 1) > 1,
    lambda c: c.lengths and min(c.lengths) < max(c.lengths), lambda c: c.chunks,
    lambda c: c.dtype == torch.float64, lambda c: c.hidden_size > 2 and c.steps > 4,
    lambda c: c.batch is None, lambda c: "total_length" in c.packed,
    lambda c: "proj_size" in c.arguments,
])
def test_only_what_a_failure_needs_is_left(needs):
    """Nothing more can be left out, and each configuration on the way is one that PyTorch has."""
    found = 0
    for start in (draw(number, 1) for number in range(100)):
        if not needs(start):
            continue
        found += 1
        simplest = shrink(start, lambda tried: [c for c in tried if needs(c)])
        assert needs(simplest)
        assert not [step for step in STEPS if step(simplest) != simplest
                    and needs(step(simplest))]
    assert found >= 3


def test_where_everything_fails_nothing_is_left():
    """Of each module, one number of each thing."""
    seen = set()
    for start in (draw(number, 1) for number in range(30)):
        seen.add(start.module)
        left = shrink(start, lambda tried: tried)
        assert (left.input_size, left.hidden_size, left.batch, left.steps) == (1, 1, 1, 1)
        assert left.module == start.module and left.dtype == torch.float32
        on = {name: value for name, value in left.arguments.items() if value}
        assert on == ({} if left.is_cell else {"num_layers": 1})
        assert (left.lengths, left.packed, left.chunks, left.container) == (None, {}, None, "")
        assert not left.initial_state and left.grid == 0.5
    assert seen == {"LSTM", "GRU", "RNN", "LSTMCell", "GRUCell", "RNNCell"}


def test_every_simpler_configuration_can_be_computed(tmp_path):
    simpler = [step(draw(number, 2)) for number in range(12) for step in STEPS]
    simpler = [replace(c, name=f"s{index}", container=".npz", dtype=torch.float32)
               for index, c in enumerate(simpler)]
    assert write_all(simpler, tmp_path) == len(simpler)
    assert judging.judge(tmp_path, ["--quiet"]).exit_status == 0
