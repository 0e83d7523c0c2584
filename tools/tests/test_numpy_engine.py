"""The engine in NumPy, against every reference in Fixtures/."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import numpy_engine
import numpy_modules
from catalogue.committed import committed
from catalogue.containers import CONTAINERS
from parity_check.containers import read
from parity_check.format import Tensors
from catalogue.fixture import FIXTURES

CASES = list(committed().values())
ENGINE = Path(numpy_engine.__file__)

#: rtol and atol, by arithmetic. The references of 16 bits are rounded at every gate; the
#: engine rounds what it starts from.
TOLERANCES = {
    "float64": (1e-13, 1e-14), "float32": (1e-4, 1e-5), "float16": (1e-2, 2e-3),
    "bfloat16": (5e-2, 2e-2),
}


def expected(tensors: Tensors) -> dict[str, np.ndarray]:
    """A case's outputs; of a pipeline the last module's."""
    prefix = "outputs/"
    outputs = {n.removeprefix(prefix): t for n, t in tensors.items() if n.startswith(prefix)}
    return {name: tensor for name, tensor in outputs.items() if "." not in name}


def has_parameters(tensors: Tensors) -> bool:
    return any(name.startswith("state_dict/") for name in tensors)


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_agrees_with_every_reference(path):
    manifest, tensors = read(path)
    if not has_parameters(tensors):
        with pytest.raises(numpy_modules.CannotCompute, match="state_dict"):
            numpy_engine.compute(manifest, tensors)
        return
    results = numpy_engine.compute(manifest, tensors)
    references = expected(tensors)
    assert results.keys() == references.keys()
    stored = next(iter(references.values())).dtype.name
    arithmetic = manifest.get("arithmetic", stored)
    rtol, atol = TOLERANCES[arithmetic]
    tolerance = manifest.get("tolerance", {})
    rtol, atol = tolerance.get("rtol", rtol), tolerance.get("atol", atol)
    agree = []
    for name, reference in references.items():
        own = results[name]
        assert own.shape == reference.shape, name
        assert own.dtype == (np.float64 if arithmetic == "float64" else np.float32), name
        agree.append(np.allclose(own, reference, rtol, atol, equal_nan=True))
    assert all(agree) == ("expected_failure" not in manifest)


def test_every_kind_of_case_is_among_them():
    manifests = [read(path)[0] for path in CASES]
    assert {manifest["module"] for manifest in manifests} == set(numpy_modules.MODULES)
    assert {manifest.get("arithmetic") for manifest in manifests} >= {None, "bfloat16"}


def test_small_numbers_keep_their_digits():
    """Subnormal ones too: nothing is flushed."""
    for name in "lstm-small-values", "rnn-subnormals":
        manifest, tensors = read(FIXTURES / f"{name}.npz")
        results = numpy_engine.compute(manifest, tensors)
        for output, reference in expected(tensors).items():
            largest = np.abs(reference).max()
            assert 0 < largest < 1e-3
            assert np.abs(results[output] - reference).max() <= 1e-6 * largest, (name, output)


@pytest.mark.parametrize("out", ["out.npz", "out"])
@pytest.mark.parametrize("container", ["npz-deflated", "folder"])
def test_as_a_command(container, out, tmp_path):
    manifest, tensors = read(FIXTURES / "lstm-bidirectional.h5")
    case = CONTAINERS[container](tmp_path / "case", manifest, tensors)
    subprocess.run([sys.executable, ENGINE, case, tmp_path / out], check=True)
    if out == "out.npz":
        with np.load(tmp_path / out) as archive:
            written = dict(archive)
    else:
        written = {file.stem: np.load(file) for file in (tmp_path / out).iterdir()}
    own = numpy_engine.compute(manifest, tensors)
    assert written.keys() == own.keys() == {"output", "h_n", "c_n"}
    assert all(np.array_equal(written[name], own[name]) for name in own)


def test_a_case_without_parameters_is_refused(tmp_path, capsys):
    case = FIXTURES / "gru-layout-only.npz"
    assert numpy_engine.main([str(case), str(tmp_path / "out.npz")]) == 3
    assert "no state_dict" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_what_is_not_there_is_refused():
    manifest, tensors = read(FIXTURES / "gru.npz")
    chain = {"module": "Sequential", "modules": [{"name": "a", "module": "Conv1d"}]}
    for change in {"module": "Transformer"}, {"arithmetic": "tf32"}, chain:
        with pytest.raises(numpy_modules.CannotCompute):
            numpy_engine.compute(manifest | change, tensors)


@pytest.mark.parametrize("name", ["gru.npz", "gru-cell.h5", "keras-gru-concat.npz",
                                  "sequential-gru-classifier"])
def test_the_bug_is_visible(name):
    manifest, tensors = read(FIXTURES / name)
    wrong = numpy_engine.compute(manifest, tensors, bug="b-hn-misplaced")
    for output, reference in expected(tensors).items():
        assert not np.allclose(wrong[output], reference, 1e-4, 1e-5)


@pytest.mark.parametrize("name", ["gru-no-bias.npz", "lstm.npz", "rnn-relu.h5"])
def test_the_bug_is_one_of_grus_with_biases(name):
    case = read(FIXTURES / name)
    right, wrong = numpy_engine.compute(*case), numpy_engine.compute(*case, bug="b-hn-misplaced")
    assert all(np.array_equal(right[output], wrong[output]) for output in right)


def test_sigmoid_is_stable_and_stays_in_its_type():
    x = np.array([-np.inf, -200, -1, 0, 1, 200, np.inf, np.nan], np.float32)
    with np.errstate(all="raise", under="ignore"):
        y = numpy_modules.sigmoid(x)
    assert y.dtype == np.float32
    assert y[0] == 0 and y[1] == 0 and y[3] == 0.5 and y[5] == y[6] == 1 and np.isnan(y[7])
    assert np.allclose(y[1:6] + y[1:6][::-1], 1)


def test_rounding_to_bfloat16_is_pytorchs():
    torch = pytest.importorskip("torch")
    x = np.random.default_rng(1).standard_normal(1000).astype(np.float32) * 3
    ties = np.array([1 + 2**-8, 1 + 3 * 2**-8, np.inf, -np.inf, np.nan, 1e-40, 3.4e38], np.float32)
    x = np.concatenate([x, ties])
    expected = torch.from_numpy(x).bfloat16().float().numpy()
    assert np.array_equal(numpy_engine.rounded(x, "bfloat16"), expected, equal_nan=True)


def test_needs_numpy_alone():
    """An example to be copied: no other library, and nothing of how fixtures are made."""
    code = "import json, sys; sys.path.insert(0, sys.argv[1]); import numpy_engine; " \
        "print(json.dumps(sorted({name.split('.')[0] for name in sys.modules})))"
    command = [sys.executable, "-S", "-c", code, str(ENGINE.parent)]
    site = str(Path(np.__file__).parent.parent)
    loaded = json.loads(subprocess.run(
        command, check=True, capture_output=True, text=True, env={"PYTHONPATH": site}).stdout)
    others = {"torch", "h5py", "parity_check"}
    assert "numpy" in loaded and not others & set(loaded)
