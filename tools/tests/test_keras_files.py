"""Files that Keras has written, and what Keras computed with them, judged by `parity-check`."""

import importlib.util
import json
import os
import zipfile
from pathlib import Path

import h5py
import numpy as np
import pytest

from parity_check.format import FORMAT
from checkpoint_cases import run

pytestmark = pytest.mark.filterwarnings("ignore")

KINDS = ["LSTM", "GRU", "SimpleRNN"]
FILES = ["m.keras", "m.weights.h5", "m.h5"]
UNITS, FEATURES, STEPS, BATCH = 4, 3, 6, 2


@pytest.fixture(scope="module")
def keras():
    if importlib.util.find_spec("keras") is None:
        pytest.skip("without Keras; see export_keras.py")
    os.environ.setdefault("KERAS_BACKEND", "jax")
    import keras

    return keras


def model_of(keras, kind: str, bidirectional: bool, **arguments):
    """A model of one recurrent layer that gives its states too, with random biases."""
    layer = getattr(keras.layers, kind)(
        UNITS, return_sequences=True, return_state=True, **arguments)
    if bidirectional:
        layer = keras.layers.Bidirectional(layer, name="encoder")
    else:
        layer.name = "encoder"
    inputs = keras.Input((STEPS, FEATURES))
    model = keras.Model(inputs, layer(inputs))
    random = np.random.default_rng(len(kind) + bidirectional)
    model.set_weights([random.normal(0, 0.5, w.shape) for w in model.get_weights()])
    return model


def save(model, path: Path) -> Path:
    if path.name.endswith(".weights.h5"):
        model.save_weights(path)
    else:
        model.save(path)
    return path


def place(kind: str, bidirectional: bool, file: str) -> str:
    """What the layer is called: Keras 3 names weights by classes, and its older format by names."""
    if file == "m.h5":
        return "encoder"
    return "bidirectional" if bidirectional else {"SimpleRNN": "simple_rnn"}.get(kind, kind.lower())


def results(model, kind: str, x: np.ndarray) -> dict[str, np.ndarray]:
    """What Keras computes, by PyTorch's names and axes, with the batch first."""
    output, *states = (np.asarray(value) for value in model(x))
    rows = 2 if kind == "LSTM" else 1
    named = {"output": output, "h_n": np.stack(states[::rows])}
    return named | ({"c_n": np.stack(states[1::rows])} if kind == "LSTM" else {})


@pytest.fixture
def data(tmp_path) -> np.ndarray:
    x = np.random.default_rng(7).normal(size=(BATCH, STEPS, FEATURES)).astype(np.float32)
    np.save(tmp_path / "x.npy", x)
    return x


def judged(tmp_path: Path, checkpoint: object, *options: str) -> tuple[int, str]:
    return run("run", checkpoint, "--input", tmp_path / "x.npy", "--batch-first",
               "--actual", tmp_path / "keras.npz", *options)


@pytest.mark.parametrize("file", FILES)
@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_what_keras_computes_passes(keras, tmp_path, data, kind, bidirectional, file):
    model = model_of(keras, kind, bidirectional)
    path = save(model, tmp_path / file)
    np.savez(tmp_path / "keras.npz", **results(model, kind, data))
    status, text = judged(tmp_path, f"{path}:{place(kind, bidirectional, file)}")
    assert status == 0, text
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted([file, "keras.npz", "x.npy"])
    status, text = run("inspect", path)
    module = {"SimpleRNN": "RNN"}.get(kind, kind)
    own = f"{module}({FEATURES}, {UNITS}{', bidirectional=True' if bidirectional else ''})"
    assert f"  {place(kind, bidirectional, file)}: {own}" in text.splitlines()
    count = 8 if bidirectional else 4
    assert f"1 recurrent module; {count} parameters made of Keras' weights" in text
    # Weights alone do not say which activations they were trained with.
    assert ("taken to be as they are by default" in text) == (file == "m.weights.h5")


def in_pytorchs_order(kind: str, weights: list[np.ndarray]) -> list[np.ndarray]:
    """weight_ih, weight_hh, bias_ih and bias_hh of one layer's `get_weights()`."""
    def gates(matrix):
        blocks = np.split(matrix, {"LSTM": 4, "GRU": 3}.get(kind, 1))
        return np.concatenate([blocks[1], blocks[0], blocks[2]] if kind == "GRU" else blocks)

    kernel, recurrent, bias = weights
    biases = bias if kind == "GRU" else [bias, np.zeros_like(bias)]
    return [gates(kernel.T), gates(recurrent.T), *map(gates, biases)]


@pytest.mark.parametrize("file", FILES)
@pytest.mark.parametrize("kind", KINDS)
def test_the_numbers_are_keras_own(keras, tmp_path, data, kind, file):
    """And a case that borrows them needs no prefix, since the file holds one module."""
    model = model_of(keras, kind, True)
    save(model, tmp_path / file)
    case = tmp_path / "cases" / "case"
    tensors = {"inputs/input": data}
    tensors |= {f"outputs/{name}": value for name, value in results(model, kind, data).items()}
    for name, value in tensors.items():
        (case / name).parent.mkdir(parents=True, exist_ok=True)
        np.save(case / f"{name}.npy", value)
    (case / "manifest.json").write_text(json.dumps({
        "format": FORMAT, "module": {"SimpleRNN": "RNN"}.get(kind, kind),
        "arguments": {"batch_first": True},
        "tensors": {"state_dict": {"file": f"../../{file}"}}}))
    options = ["--allow-root", tmp_path]
    status, text = run(tmp_path / "cases", *options)
    assert status == 0, text
    status, text = run("export", tmp_path / "cases", tmp_path / "out", "--as", "npz", *options)
    assert status == 0, text
    status, text = run("compare", f"{tmp_path}/out/case.npz:state_dict", tmp_path / file)
    assert status == 0, text
    own = np.load(tmp_path / "out" / "case.npz")
    weights = model.get_weights()
    for ending, part in [("_l0", weights[:3]), ("_l0_reverse", weights[3:])]:
        names = ["weight_ih", "weight_hh", "bias_ih", "bias_hh"]
        for name, expected in zip(names, in_pytorchs_order(kind, part), strict=True):
            np.testing.assert_array_equal(own[f"state_dict/{name}{ending}"], expected)


@pytest.mark.parametrize(("kind", "sentence"), [
    ("LSTM", "with the gates in the order"), ("GRU", "with the gates in the order"),
])
def test_gates_in_another_order_fail(keras, tmp_path, data, kind, sentence):
    model = model_of(keras, kind, False)
    path = save(model, tmp_path / "m.weights.h5")
    np.savez(tmp_path / "keras.npz", **results(model, kind, data))
    with h5py.File(path, "r+") as file:
        variables = file[f"layers/{kind.lower()}/cell/vars"]
        for name in "012":
            own = variables[name][()]
            blocks = np.split(own, own.shape[-1] // UNITS, axis=-1)
            blocks[0], blocks[1] = blocks[1], blocks[0]
            variables[name][()] = np.concatenate(blocks, axis=-1)
    status, text = judged(tmp_path, path)
    assert status == 1
    assert sentence in text, text


#: What PyTorch does not compute, and what is said of it.
REFUSED = {
    "hard": ("LSTM", {"recurrent_activation": "hard_sigmoid"},
             "recurrent_activation: expected sigmoid, as PyTorch computes, found hard_sigmoid"),
    "relu": ("GRU", {"activation": "relu"},
             "activation: expected tanh, as PyTorch computes, found relu"),
    "before": ("GRU", {"reset_after": False},
               "reset_after: expected True, as PyTorch's GRU computes, found False"),
    "before without a bias": (
        "GRU", {"reset_after": False, "use_bias": False}, "reset_after: expected True"),
    "backwards": ("SimpleRNN", {"go_backwards": True}, "go_backwards: expected False, found True"),
}


@pytest.mark.parametrize("file", ["m.keras", "m.h5"])
@pytest.mark.parametrize("name", REFUSED)
def test_what_pytorch_has_not_is_said(keras, tmp_path, data, name, file):
    kind, arguments, sentence = REFUSED[name]
    path = save(model_of(keras, kind, False, **arguments), tmp_path / file)
    own = f"{path}:{place(kind, False, file)}"
    for checkpoint in (own, path):
        status, text = run("run", checkpoint, "--input", tmp_path / "x.npy", "--batch-first")
        assert status == 2
        assert f"{place(kind, False, file)}: {sentence}" in text, text
    status, text = run("inspect", path)
    assert status == 2
    assert sentence in text


def test_the_bias_tells_where_the_reset_gate_stands(keras, tmp_path):
    path = save(model_of(keras, "GRU", False, reset_after=False), tmp_path / "m.weights.h5")
    assert "gru: reset_after: expected True" in run("inspect", path)[1]


def test_relu_is_said_and_passes(keras, tmp_path, data):
    model = model_of(keras, "SimpleRNN", False, activation="relu")
    path = save(model, tmp_path / "m.keras")
    np.savez(tmp_path / "keras.npz", **results(model, "SimpleRNN", data))
    assert "simple_rnn: activation is relu: give --relu" in run("inspect", path)[1]
    assert judged(tmp_path, path, "--relu")[0] == 0
    assert judged(tmp_path, path)[0] == 1


def test_a_layer_that_the_description_does_not_know(keras, tmp_path, data):
    """Of a model that is a class of its own, Keras describes no layers."""
    class Own(keras.Model):
        def __init__(self) -> None:
            super().__init__()
            self.lstm = keras.layers.LSTM(UNITS, activation="relu")

        def call(self, x):
            return self.lstm(x)

        def get_config(self) -> dict:
            return {}

    model = Own()
    model(data)
    model.save(tmp_path / "m.keras")
    status, text = run("inspect", tmp_path / "m.keras")
    assert status == 0 and "lstm: the description of the Keras model does not tell of it" in text, text


def test_a_layer_without_biases(keras, tmp_path, data):
    model = model_of(keras, "GRU", True, use_bias=False)
    path = save(model, tmp_path / "m.keras")
    np.savez(tmp_path / "keras.npz", **results(model, "GRU", data))
    assert "GRU(3, 4, bias=False, bidirectional=True)" in run("inspect", path)[1]
    assert judged(tmp_path, path)[0] == 0


@pytest.mark.parametrize("file", FILES)
def test_layers_in_a_larger_model(keras, tmp_path, data, file):
    """Models in models, cells, and the other weights around them."""
    layers = keras.layers
    inner = keras.Sequential([
        keras.Input((STEPS, 8)), layers.GRU(5, return_sequences=True), layers.Dense(4)],
        name="inner")
    model = keras.Sequential([
        keras.Input((STEPS, FEATURES)), layers.Dense(7),
        layers.Bidirectional(layers.LSTM(4, return_sequences=True), merge_mode="sum", name="first"),
        layers.Dense(8), inner, layers.RNN(layers.LSTMCell(3), name="last")])
    model.compile("adam", "mse")
    model.fit(data, np.zeros((BATCH, 3)), verbose=0)
    status, text = run("inspect", save(model, tmp_path / file))
    assert status == 0, text
    names = {"m.h5": ("first", "inner.gru", "last")}.get(
        file, ("bidirectional", "sequential.gru", "rnn"))
    shapes = ("LSTM(7, 4, bidirectional=True)", "GRU(8, 5)", "LSTM(4, 3)")
    found = [line.strip() for line in text.splitlines() if line.startswith("  ") and ": " in line]
    for name, shape in zip(names, shapes, strict=True):
        assert any(line.startswith(name) and line.endswith(shape) for line in found), text
    assert "3 recurrent modules" in text
    assert ("merge_mode is sum" in text) == (file != "m.weights.h5")


def test_keras_2s_names(tmp_path):
    random = np.random.default_rng(0)
    with h5py.File(tmp_path / "m.h5", "w") as file:
        for prefix in ("lstm_1/lstm_1/lstm_cell", "b/b/forward_lstm/lstm_cell_1",
                       "b/b/backward_lstm/lstm_cell_2"):
            file[f"{prefix}/kernel:0"] = random.normal(size=(3, 16)).astype("f4")
            file[f"{prefix}/recurrent_kernel:0"] = random.normal(size=(4, 16)).astype("f4")
            file[f"{prefix}/bias:0"] = random.normal(size=16).astype("f4")
    lines = run("inspect", tmp_path / "m.h5")[1].splitlines()
    assert "  lstm_1: LSTM(3, 4)" in lines
    assert "  b: LSTM(3, 4, bidirectional=True)" in lines


def test_damaged_files_are_named(keras, tmp_path):
    path = save(model_of(keras, "LSTM", False), tmp_path / "m.keras")
    whole = path.read_bytes()
    with zipfile.ZipFile(path) as file:
        members = {name: file.read(name) for name in file.namelist()}
    assert len(members) == 3

    def said(*arguments) -> str:
        status, text = run("inspect", path)
        assert status == 2, text
        return text

    place = whole.index(members["model.weights.h5"]) + 3000
    path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1:])
    assert "model.weights.h5: " in said()
    path.write_bytes(whole[:-30])
    assert "m.keras: " in said()
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("config.json", members["config.json"])
    assert "expected a model of Keras 3, a ZIP file with model.weights.h5" in said()
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, value in members.items():
            file.writestr(name, value)
    assert "deflated; unpack the file" in said()
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("model.weights.h5", members["model.weights.h5"][:1000])
    assert "HDF5 file: expected a whole one" in said()


def test_a_model_given_as_a_case_is_told_what_to_type(keras, tmp_path):
    path = save(model_of(keras, "LSTM", False), tmp_path / "m.keras")
    status, text = run(path)
    assert status == 2
    assert f"a checkpoint? parity-check inspect {path} shows its recurrent modules" in text
    assert '{"file": "../m.keras"}}' in text
