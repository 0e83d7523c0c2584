"""`parity_check.engine`: a function as a program, and layers around one direction."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from catalogue.fixture import FIXTURES
from package_engine import direction, step
from parity_check import engine
from parity_check.containers import read, write

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
PARITY_CHECK = ROOT / ".build" / "release" / "parity-check"
ENGINE = HERE / "package_engine.py"


def judge(way: str, *options: str, **environment: str) -> tuple[int, str]:
    command = f"'{sys.executable}' '{ENGINE}'" + (" {case} {out}" if way == "--engine" else "")
    run = subprocess.run(
        [PARITY_CHECK, FIXTURES, way, command, *options], capture_output=True, text=True,
        env=os.environ | environment)
    return run.returncode, run.stdout


def skipped(text: str) -> list[str]:
    return [line.split()[1] for line in text.splitlines()
            if line.startswith("skipped") and "by the engine" in line]


@pytest.mark.parametrize("way", ["--engine", "--engine-server"])
@pytest.mark.parametrize("kind", ["function", "steps"])
def test_all_recurrent_fixtures_pass(way, kind):
    status, text = judge(way, "--engine-input", "npz", ENGINE_WAY=kind)
    assert status == 0, text
    chains = [name for name in skipped(text) if name.startswith(("sequential-", "keras-"))]
    assert skipped(text) == chains and len(chains) == 30
    assert "by the engine: no chains of modules" in text
    passed = [line.split()[1] for line in text.splitlines() if line.startswith("passed")]
    assert len(passed) >= 80


def case(name: str) -> engine.Case:
    return engine.Case.read(next(FIXTURES.glob(f"{name}*")))


def expected(name: str) -> dict[str, np.ndarray]:
    _, tensors = read(next(FIXTURES.glob(f"{name}*")))
    prefix = "outputs/"
    return {n.removeprefix(prefix): t for n, t in tensors.items() if n.startswith(prefix)}


def test_arguments_are_complete():
    """As PyTorch's constructors name them, whatever the case leaves out."""
    torch = pytest.importorskip("torch")
    for name in ("lstm-inferred", "gru-cell-inferred", "lstm-projection.", "rnn-relu.",
                 "gru-stacked-bidirectional", "rnn-cell-relu", "lstm-borrowed", "lstm-no-bias"):
        own = case(name)
        module = getattr(torch.nn, own.module)(**own.arguments)
        shapes = {n: tuple(t.shape) for n, t in module.state_dict().items()}
        assert shapes == {n: t.shape for n, t in own.state_dict.items()}, name
        assert all(getattr(module, key) == value for key, value in own.arguments.items())
        kinds = {"LSTM": 8, "GRU": 7, "RNN": 8}
        assert len(own.arguments) == (
            3 + (own.kind == "RNN") if own.is_cell else kinds[own.module]), name


def test_arrays_are_in_the_arithmetic_of_the_case():
    torch = pytest.importorskip("torch")
    assert case("lstm-float64").input.dtype == np.float64
    for name, kind in ("lstm-float16", torch.float16), ("lstm-bfloat16", torch.bfloat16):
        own = case(name)
        assert own.arithmetic == str(kind).removeprefix("torch.")
        for array in (own.input, own.h_0, *own.state_dict.values()):
            assert array.dtype == np.float32
            tensor = torch.from_numpy(array)
            assert torch.equal(tensor.to(kind).float(), tensor)
    x = np.random.default_rng(1).standard_normal(1000).astype(np.float32) * 3
    ties = np.array([1 + 2**-8, 1 + 3 * 2**-8, np.inf, -np.inf, np.nan, 1e-40], np.float32)
    x = np.concatenate([x, ties])
    from parity_check.engine.case import rounded
    assert np.array_equal(
        rounded(x, "bfloat16"), torch.from_numpy(x).bfloat16().float().numpy(), equal_nan=True)


def test_a_direction_is_given_dense_sequences():
    """In the order of its steps, in groups of one length, with zeros for what is not there."""
    calls = []

    @engine.layerwise
    def compute(x, weights, h_0, c_0, case):
        calls.append((x, weights, h_0, c_0))
        return direction(x, weights, h_0, c_0, case)

    own = case("lstm-packed.")
    compute(own)
    lengths = [len(x) for x, *_ in calls]
    distinct = sorted(set(own.lengths.tolist()))
    directions = 2 if own.arguments["bidirectional"] else 1
    assert lengths == distinct * directions * own.arguments["num_layers"]
    longest = np.flatnonzero(own.lengths == distinct[-1])
    x = own.input.swapaxes(0, 1) if own.arguments["batch_first"] else own.input
    assert np.array_equal(calls[len(distinct) - 1][0], x[:distinct[-1], longest])
    if directions == 2:
        reverse = calls[2 * len(distinct) - 1][0]
        assert np.array_equal(reverse, x[:distinct[-1], longest][::-1])
    calls.clear()
    compute(case("lstm-one-step"))
    assert len(calls) == 2 and all(min(x.strides) > 0 for x, *_ in calls)
    calls.clear()
    compute(case("lstm-no-bias"))
    assert all(not w["bias_ih"].any() and not w["bias_hh"].any() for _, w, *_ in calls)
    calls.clear()
    compute(case("gru-no-initial-state"))
    assert all(not h.any() and c is None for *_, h, c in calls)
    calls.clear()
    results = compute(case("lstm-zero-batch"))
    assert not calls
    assert {n: a.shape for n, a in results.items()} == {
        n: a.shape for n, a in expected("lstm-zero-batch").items()}


@pytest.mark.parametrize(("wrong", "message"), [
    (lambda y, h, c: (y[:, :1], h, c), r"output of one direction: expected the shape \(4, 3, 6\)"),
    (lambda y, h, c: (y, h[0], c), r"h_n of one direction: expected the shape \(3, 6\), found"),
    (lambda y, h, c: (y, h), "expected output, h_n, c_n of one direction, found 2 results"),
    (lambda y, h, c: y, "expected output, h_n, c_n of one direction, found one result"),
])
def test_results_of_other_shapes_are_refused(wrong, message):
    @engine.layerwise
    def compute(*given):
        return wrong(*direction(*given))

    with pytest.raises(ValueError, match=message):
        compute(case("lstm."))


@pytest.mark.parametrize("name", ["gru.", "gru-stacked-bidirectional", "rnn-relu.", "gru-cell."])
@pytest.mark.parametrize("returned", [
    lambda h: h, lambda h: (h,), lambda h: [h, None]], ids=["array", "tuple", "with-none"])
def test_a_step_without_a_cell_state_returns_h(name, returned):
    @engine.stepwise
    def compute(x, weights, h, c, case):
        assert c is None
        return returned(step(x, weights, h, c, case)[0])

    results = compute(case(name))
    assert results.keys() == expected(name).keys()
    for key, array in expected(name).items():
        assert np.allclose(results[key], array, atol=1e-5)


@pytest.mark.parametrize("returned", [lambda h: h, lambda h: (h,), lambda h: (h, None)])
def test_a_step_of_an_lstm_returns_h_and_c(returned):
    @engine.stepwise
    def compute(x, weights, h, c, case):
        return returned(step(x, weights, h, c, case)[0])

    for name in ("lstm.", "lstm-cell."):
        with pytest.raises(ValueError, match="an LSTM's step returns h and c, found h alone"):
            compute(case(name))


def test_what_cannot_be_computed():
    compute = engine.layerwise(direction)
    with pytest.raises(engine.CannotCompute, match="no Sequential"):
        compute(case("sequential-lstm-tagger"))
    with pytest.raises(engine.CannotCompute, match="no state_dict"):
        case("gru-layout-only")


def program(tmp_path: Path, body: str) -> list[str]:
    path = tmp_path / "program.py"
    path.write_text(f"import sys\nsys.path.insert(0, {str(ROOT / 'tools')!r})\n"
                    f"import numpy as np\nfrom parity_check import engine\n{body}\n")
    return [sys.executable, str(path)]


def test_a_decorated_function_is_a_program(tmp_path):
    """Its results may be any arrays, and None where the module has no such result."""
    command = program(tmp_path, """
@engine.program
def compute(case):
    if case.module != "GRU":
        raise engine.CannotCompute(f"no {case.module}")
    print(case.arguments["hidden_size"])
    return {"h_n": [[1.5]], "c_n": None}
raise AssertionError("not reached")
""")
    gru, lstm, out = FIXTURES / "gru.npz", FIXTURES / "lstm.npz", tmp_path / "out"
    run = subprocess.run([*command, gru, out], capture_output=True, text=True)
    assert (run.returncode, run.stdout, run.stderr) == (0, "6\n", "")
    with np.load(tmp_path / "out.npz") as archive:
        assert archive.files == ["h_n"] and archive["h_n"].tolist() == [[1.5]]
    run = subprocess.run([*command, lstm, out], capture_output=True, text=True)
    assert (run.returncode, run.stderr) == (77, "no LSTM\n")
    asked = ((gru, "a"), (lstm, "b"), (tmp_path / "none.npz", "c"), (gru, "d.npz"))
    lines = [json.dumps({"case": str(path), "out": str(tmp_path / name)}) for path, name in asked]
    run = subprocess.run(command, input="\n".join(lines), capture_output=True, text=True)
    answers = [json.loads(line) for line in run.stdout.splitlines()]
    assert run.returncode == 0
    assert answers[0] == answers[3] == {"status": "done"}
    assert answers[1] == {"status": "unsupported", "reason": "no LSTM"}
    assert answers[2]["status"] == "failed" and "FileNotFoundError" in answers[2]["reason"]
    assert run.stderr.count("6\n") >= 2 and "Traceback" in run.stderr
    assert {path.name for path in tmp_path.glob("*.npz")} == {"out.npz", "a.npz", "d.npz"}
    run = subprocess.run([*command, gru], capture_output=True, text=True)
    assert run.returncode == 2 and "expected CASE and OUT, or nothing" in run.stderr


def test_a_folder_for_the_results_is_made(tmp_path):
    command = program(tmp_path, """
@engine.program
def compute(case):
    return {"h_n": [[1.5]]}
""")
    out = tmp_path / "mine" / "today" / "gru"
    run = subprocess.run([*command, FIXTURES / "gru.npz", out], capture_output=True, text=True)
    assert (run.returncode, run.stderr) == (0, "")
    with np.load(out.with_name("gru.npz")) as archive:
        assert archive["h_n"].tolist() == [[1.5]]


def test_an_error_of_the_function_is_told_by_its_own_frames(tmp_path):
    command = program(tmp_path, """
def gate(c):
    return c * 2

@engine.program
@engine.stepwise
def step(x, weights, h, c, case):
    if case.kind == "LSTM":
        return h
    return gate(c)
""")
    gru = FIXTURES / "gru.npz"
    run = subprocess.run([*command, gru, tmp_path / "out"], capture_output=True, text=True)
    lines = run.stderr.splitlines()
    assert run.returncode == 1 and lines[-1] == "in case gru (GRU)", run.stderr
    assert lines[0].startswith("Traceback") and lines[-2].startswith("TypeError: unsupported")
    frames = [line.split()[-1] for line in lines if line.startswith("  File ")]
    assert frames == ["step", "gate"]
    folder = FIXTURES / "lstm-cell-unbatched"
    question = json.dumps({"case": str(folder), "out": str(tmp_path / "out")})
    run = subprocess.run(command, input=question, capture_output=True, text=True)
    reason = "ValueError: an LSTM's step returns h and c, found h alone"
    assert json.loads(run.stdout) == {"status": "failed", "reason": reason}
    assert run.stderr == f"{reason}\nin case lstm-cell-unbatched (LSTMCell)\n"


def test_an_imported_function_is_no_program():
    @engine.program
    def compute(case):
        return {}

    assert compute(None) == {}


def test_numbers_that_numpy_files_cannot_hold_are_widened():
    ml_dtypes = pytest.importorskip("ml_dtypes")
    from parity_check.engine.program import as_array
    array = as_array(np.ones(3, ml_dtypes.bfloat16))
    assert array.dtype == np.float32 and array.tolist() == [1, 1, 1]


def test_chains_are_handed_over_where_they_are_asked_for(tmp_path):
    command = program(tmp_path, """
def compute(case):
    raise engine.CannotCompute(case.manifest["modules"][0]["module"])
engine.run(compute, chains=True)
""")
    path = FIXTURES / "sequential-lstm-tagger.npz"
    run = subprocess.run([*command, path, tmp_path / "out"], capture_output=True, text=True)
    assert (run.returncode, run.stderr) == (77, "Embedding\n")


def test_needs_numpy_alone(tmp_path):
    command = program(tmp_path, "print(sorted({n.split('.')[0] for n in sys.modules}))")
    site = str(Path(np.__file__).parent.parent)
    run = subprocess.run(
        [command[0], "-S", command[1]], capture_output=True, text=True, check=True,
        env={"PYTHONPATH": site})
    assert "numpy" in run.stdout and "torch" not in run.stdout and "h5py" not in run.stdout


def test_a_case_is_what_the_file_says(tmp_path):
    manifest, tensors = read(FIXTURES / "lstm-packed-total-length.h5")
    path = write(tmp_path / "case", manifest, tensors)
    own = engine.Case.read(path)
    assert own.total_length == manifest["packed"]["total_length"]
    assert np.array_equal(own.lengths, tensors["inputs/lengths"]) and own.lengths.dtype == np.int64
    assert own.manifest == manifest
