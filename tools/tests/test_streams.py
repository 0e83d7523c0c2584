"""Streams: modules that are called on one chunk of steps after the other."""

import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from catalogue import export_fixtures
from catalogue.containers import CONTAINERS
from catalogue.cases import CASES
from parity_check.containers import read
from parity_check.modules import chunk_sizes, run_recurrent

ROOT = Path(__file__).resolve().parent.parent.parent
PARITY_CHECK = ROOT / ".build" / "release" / "parity-check"
STREAMS = [case for case in CASES if case.chunks]
NAMES = [case.name for case in STREAMS]
#: These and no others that somebody may have put there.
FILTER = f"^({'|'.join(NAMES)})$"
LSTM_FILTER = f"^({'|'.join(name for name in NAMES if name.startswith('lstm'))})$"


def judge(*options: str | Path) -> tuple[int, str]:
    run = subprocess.run(
        [PARITY_CHECK, *options], capture_output=True, text=True, cwd=ROOT)
    return run.returncode, run.stdout


def engine(name: str) -> list[str]:
    folder = ROOT / "tools" / "examples" if name == "numpy_engine.py" else Path(__file__).resolve().parent
    return ["--engine", f"'{sys.executable}' '{folder / name}' {{case}} {{out}}"]


def test_a_size_alone_leaves_the_rest_to_the_last_chunk():
    assert chunk_sizes(4, 10) == [4, 4, 2]
    assert chunk_sizes(5, 10) == [5, 5]
    assert chunk_sizes(12, 10) == [10]
    assert chunk_sizes((1, 7, 2), 10) == [1, 7, 2]


def test_there_is_each_kind_of_stream():
    assert {case.module for case in STREAMS} == {"LSTM", "GRU"}
    assert any(case.cell_loop for case in STREAMS)
    assert any(case.arguments.get("num_layers") == 2 for case in STREAMS)
    assert any(len(set(chunk_sizes(case.chunks, case.steps))) > 1 for case in STREAMS)


@pytest.mark.parametrize("case", STREAMS, ids=NAMES)
@torch.no_grad()
def test_pytorch_gives_the_same_in_chunks_and_at_once(case):
    """But for rounding. Each is called as often as its chunks say."""
    torch.manual_seed(case.seed)
    module = export_fixtures.make(case)
    inputs = export_fixtures.random_inputs(case, module)
    calls = []
    hook = torch.nn.modules.module.register_module_forward_hook(
        lambda called, given, result: calls.append(type(called).__name__))
    try:
        results = export_fixtures.forward(case, module, inputs)
    finally:
        hook.remove()
    name = f"{case.module}Cell" if case.cell_loop else case.module
    assert calls == [name] * len(chunk_sizes(case.chunks, case.steps))
    whole = run_recurrent(module, inputs, None)
    assert results.keys() == whole.keys()
    for result, tensor in results.items():
        torch.testing.assert_close(tensor, whole[result], rtol=0, atol=1e-6)


def test_the_states_are_handed_over():
    """Without them the second chunk is another."""
    case = next(case for case in STREAMS if case.name == "lstm-chunks")
    _, tensors = read(ROOT / "Fixtures" / "lstm-chunks.npz")
    module = export_fixtures.make(case)
    state_dict = {
        name.removeprefix("state_dict/"): torch.from_numpy(array)
        for name, array in tensors.items() if name.startswith("state_dict/")
    }
    module.load_state_dict(state_dict)
    x = torch.from_numpy(tensors["inputs/input"])
    with torch.no_grad():
        alone, _ = module(x[4:8])
    expected = tensors["outputs/output"][4:8]
    assert not np.allclose(alone.numpy(), expected, rtol=0, atol=1e-2)


@pytest.mark.parametrize("container", ["folder", "npz"])
def test_an_engine_is_called_once_a_chunk(container):
    status, text = judge(
        "Fixtures", "--filter", FILTER, "--engine-input", container, *engine("numpy_engine.py"))
    assert status == 0, text
    assert f"{len(STREAMS)} cases: {len(STREAMS)} passed" in text


def test_a_chunk_is_handed_over_in_the_cases_own_container():
    """As it stands it would be the whole stream, with its outputs."""
    status, text = judge(
        "Fixtures", "--filter", LSTM_FILTER, *engine("numpy_engine.py"))
    assert status == 0, text
    assert "3 cases: 3 passed" in text


def test_an_engine_that_ignores_its_states_is_named():
    status, text = judge(
        "Fixtures", "--filter", FILTER, "--engine-input", "folder",
        *engine("stateless_engine.py"))
    assert status == 1
    failed = re.findall(r"^failed +(\S+) +(.*)\n(.*)", text, re.MULTILINE)
    assert sorted(name for name, _, _ in failed) == sorted(NAMES)
    for name, reason, diagnosis in failed:
        assert "initial-states-ignored" in diagnosis, text
        has_states = next(case for case in STREAMS if case.name == name).initial_state
        chunk = "chunk 1 of" if has_states else "chunk 2 of"
        assert f"the first step of {chunk}" in reason, text


def test_each_chunk_is_held_to_the_layout_contract():
    status, text = judge(
        "Fixtures", "--filter", FILTER, "--engine-input", "folder",
        *engine("secretive_engine.py"))
    assert status == 1
    reasons = re.findall(r"^failed +\S+ +(.*)", text, re.MULTILINE)
    assert len(reasons) == len(NAMES)
    for reason in reasons:
        assert re.match(r"chunk 1 of \d: h_n: expected output\[.*\] == h_n\[[01]\], found", reason)


def test_what_is_wrong_with_a_chunk_is_said_with_its_name(tmp_path):
    script = tmp_path / "engine.py"
    script.write_text(
        "import sys, pathlib, numpy as np\n"
        "case, out = map(pathlib.Path, sys.argv[1:])\n"
        "x = np.load(case / 'inputs/input.npy')\n"
        "out.mkdir()\n"
        "h = np.zeros((1, 3, 6), np.float32)\n"
        "np.save(out / 'output.npy', np.zeros((len(x), 3, 6), np.float32))\n"
        "np.save(out / 'h_n.npy', h)\n"
        "np.save(out / 'c_n.npy', h if len(x) == 4 else h[0])\n")
    line = f"'{sys.executable}' '{script}' {{case}} {{out}}"
    status, text = judge(
        "Fixtures", "--filter", "^lstm-chunks$", "--engine", line, "--engine-input", "folder")
    assert status == 1
    assert "chunk 3 of 3: c_n: expected the shape (1, 3, 6), found (3, 6)" in text, text


def test_outputs_that_are_there_already_are_judged_whole(tmp_path):
    for case in STREAMS:
        torch.manual_seed(case.seed)
        module = export_fixtures.make(case)
        inputs = export_fixtures.random_inputs(case, module)
        with torch.no_grad():
            results = run_recurrent(module, inputs, None)
        np.savez(tmp_path / f"{case.name}.npz", **{n: t.numpy() for n, t in results.items()})
    status, text = judge("Fixtures", "--filter", FILTER, "--actual", tmp_path)
    assert status == 0, text


def test_a_reference_without_handing_over_is_told(tmp_path):
    """PyTorch itself, called on each chunk without its states."""
    case = next(case for case in STREAMS if case.name == "lstm-chunks-two-layers")
    manifest, tensors = read(ROOT / "Fixtures" / case.name)
    module = export_fixtures.make(case)
    module.load_state_dict({
        name.removeprefix("state_dict/"): torch.from_numpy(array)
        for name, array in tensors.items() if name.startswith("state_dict/")})
    x = torch.from_numpy(tensors["inputs/input"])
    given = torch.from_numpy(tensors["inputs/h_0"]), torch.from_numpy(tensors["inputs/c_0"])
    outputs = []
    with torch.no_grad():
        for chunk in x.split([1, 5, 2]):
            output, states = module(chunk, None if outputs else given)
            outputs.append(output)
    tensors |= {
        "outputs/output": torch.cat(outputs).numpy(), "outputs/h_n": states[0].numpy(),
        "outputs/c_n": states[1].numpy()}
    del manifest["digest"]
    path = CONTAINERS["folder"](tmp_path / "case", manifest, tensors)
    status, text = judge(path)
    assert status == 1
    assert "the reference does not follow from these weights" in text
    assert "it starts at step 1, the first step of chunk 2 of 3" in text
    assert "[states-not-handed-over]" in text
    assert json.loads((path / "manifest.json").read_text())["chunks"] == [1, 5, 2]
