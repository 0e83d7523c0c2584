"""A recording holds what each module was given and gave, and nothing else changes."""

import subprocess
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.utils import parametrizations, weight_norm
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

import parity_check
from parity_check.containers import read

ROOT = Path(__file__).resolve().parent.parent.parent
PARITY_CHECK = ROOT / ".build" / "release" / "parity-check"
ENDINGS = [".npz", ".h5", ".safetensors", ".pt", ""]

pytestmark = pytest.mark.filterwarnings("ignore::parity_check.RecordingWarning")


class Encoder(nn.Module):
    """A convolution, a norm, two recurrent layers both ways, packed where there are lengths."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv1d(5, 8, 3, padding=1)
        self.relu = nn.ReLU(inplace=True)
        self.norm = nn.LayerNorm(8)
        self.lstm = nn.LSTM(8, 6, 2, batch_first=True, bidirectional=True)
        self.out = nn.Linear(12, 3)

    def forward(self, x: torch.Tensor, lengths: torch.Tensor | None = None) -> torch.Tensor:
        y = self.norm(self.relu(self.conv(x)).transpose(1, 2))
        if lengths is not None:
            y = pack_padded_sequence(y, lengths, batch_first=True, enforce_sorted=False)
        y, _ = self.lstm(y)
        if lengths is not None:
            y, _ = pad_packed_sequence(y, batch_first=True)
        return self.out(y)


@pytest.fixture
def encoder() -> Encoder:
    torch.manual_seed(3)
    return Encoder().eval()


@pytest.fixture
def x() -> torch.Tensor:
    return torch.randn(3, 5, 9, generator=torch.Generator().manual_seed(4))


def judge(path: Path) -> str:
    run = subprocess.run([PARITY_CHECK, path], capture_output=True, text=True, check=False)
    return run.stdout.splitlines()[0] if run.stdout else run.stderr


def test_values_go_from_stage_to_stage(encoder, x):
    with parity_check.record(encoder) as recording:
        encoder(x)
    entries = recording.manifest()["stages"]
    assert [(e["name"], e["module"], e["inputs"]) for e in entries] == [
        ("conv", "Conv1d", ["input"]), ("relu", "ReLU", ["conv"]), ("norm", "LayerNorm", ["relu"]),
        ("lstm", "LSTM", ["norm"]), ("out", "Linear", ["lstm/output"])]
    assert entries[3]["outputs"] == ["lstm/output", "lstm/h_n", "lstm/c_n"]
    assert entries[3]["arguments"] == {
        "input_size": 8, "hidden_size": 6, "num_layers": 2, "bias": True, "batch_first": True,
        "dropout": 0.0, "bidirectional": True, "proj_size": 0}


def test_what_is_changed_in_place_later_stays_as_it_was(encoder, x):
    """`relu` writes over what `conv` gave."""
    with parity_check.record(encoder) as recording:
        encoder(x)
    conv = encoder.conv(x)
    assert torch.equal(recording.values["conv"], conv) and (conv < 0).any()
    assert torch.equal(recording.values["relu"], conv.relu())


def test_a_value_that_the_model_changed_is_no_stage_s_output():
    class Shifted(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.a, self.b = nn.Linear(3, 3), nn.Linear(3, 3)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.b(self.a(x).add_(1))

    model = Shifted().eval()
    with parity_check.record(model) as recording:
        model(torch.randn(2, 3))
    assert recording.stages[1].inputs == ["b/input.0"]
    assert torch.equal(recording.values["b/input.0"], recording.values["a"] + 1)


def test_results_are_the_same_bits_and_no_hook_is_left(encoder, x):
    expected = encoder(x)
    before = {name: tensor.clone() for name, tensor in encoder.state_dict().items()}
    with parity_check.record(encoder, noise=2, loss=lambda y: y.sum()) as recording:
        actual = encoder(x)
    assert torch.equal(actual, expected) and recording.sigma and recording.gradients
    assert all(not module._forward_hooks and not module._forward_pre_hooks
               for module in encoder.modules())
    for name, tensor in encoder.state_dict().items():
        assert tensor.dtype == torch.float32 and torch.equal(tensor, before[name])
    assert all(parameter.grad is None for parameter in encoder.parameters())
    assert torch.get_default_dtype() == torch.float32


@pytest.mark.parametrize("fails_in", ["model", "block"])
def test_an_error_leaves_no_hook(encoder, x, fails_in):
    def hook(*_: object) -> None:
        raise RuntimeError("a hook of the user's own")

    if fails_in == "model":
        handle = encoder.norm.register_forward_hook(hook)
    with pytest.raises(RuntimeError), parity_check.record(encoder):
        encoder(x)
        raise RuntimeError
    if fails_in == "model":
        handle.remove()
    assert all(not module._forward_hooks for module in encoder.modules())


@pytest.mark.parametrize("ending", ENDINGS)
def test_every_container_holds_the_same(encoder, x, tmp_path, ending):
    with parity_check.record(encoder, noise=2) as recording:
        encoder(x)
    path = recording.save(tmp_path / f"recording{ending}")
    manifest, arrays = read(path)
    assert manifest == recording.manifest()
    for name, array in recording.arrays().items():
        assert arrays[name].dtype == array.dtype and np.array_equal(arrays[name], array), name
    assert np.array_equal(arrays["values/out"], encoder(x).detach().numpy())
    assert "state_dict/lstm.weight_hh_l1_reverse" in arrays and "sigma/out" in arrays


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("packed", [False, True])
def test_one_module_is_a_case(encoder, x, tmp_path, ending, packed):
    lengths = torch.tensor([4, 9, 7]) if packed else None
    with parity_check.record(encoder) as recording:
        encoder(x, lengths)
    assert recording.stages[3].inputs == ["norm"]
    path = recording.case("lstm").save(tmp_path / f"lstm{ending}")
    assert judge(path).startswith("passed        lstm ")
    # And the reference is in it: a swapped state fails.
    manifest, arrays = read(path)
    arrays["outputs/h_n"] = arrays["outputs/h_n"][[1, 0, 2, 3]]
    manifest.pop("digest")
    assert not judge(parity_check.Case(manifest, arrays).save(path)).startswith("passed")


OPTIONS = [
    {}, {"batch_first": True, "bidirectional": True}, {"num_layers": 2, "bias": False},
    {"dtype": torch.float64}, {"dtype": torch.bfloat16}, {"dtype": torch.float16}]


@pytest.mark.parametrize(("kind", "options"), [
    *((kind, options) for kind in (nn.LSTM, nn.GRU, nn.RNN) for options in OPTIONS),
    (nn.LSTM, {"proj_size": 2}), (nn.RNN, {"nonlinearity": "relu"})])
@pytest.mark.parametrize("batched", [True, False])
def test_a_recurrent_module_itself_is_saved_as_a_fixture(kind, options, batched, tmp_path):
    torch.manual_seed(5)
    module = kind(3, 4, **options).eval()
    dtype = options.get("dtype", torch.float32)
    given = torch.randn(*([2, 6] if batched else [6]), 3, dtype=dtype)
    rows = module.num_layers * (2 if module.bidirectional else 1)
    batch = given.shape[0 if module.batch_first else 1]
    h_0 = torch.randn(*([rows, batch] if batched else [rows]),
                      options.get("proj_size", 4), dtype=dtype)
    c_0 = torch.randn(*h_0.shape[:-1], 4, dtype=dtype)
    with parity_check.record(module) as recording:
        module(given, hx=(h_0, c_0) if kind is nn.LSTM else h_0)
    path = recording.save(tmp_path / "module.npz")
    assert judge(path).startswith("passed        module ")
    assert "inputs/h_0" in read(path)[1]


@pytest.mark.parametrize("kind", [nn.LSTMCell, nn.GRUCell, nn.RNNCell])
def test_a_cell_called_in_a_loop(kind, tmp_path):
    class Loop(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.cell = kind(3, 4)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            state = None
            for step in x:
                state = self.cell(step, state)
            return state

    model = Loop().eval()
    with parity_check.record(model) as recording:
        model(torch.randn(3, 2, 3))
    assert [stage.name for stage in recording.stages] == ["cell", "cell#2", "cell#3"]
    assert recording.stages[1].inputs[0] == "input" and recording.stages[1].inputs[1] == (
        "cell/h_n")
    path = recording.case("cell", call=3).save(tmp_path / "cell.npz")
    assert judge(path).startswith("passed        cell ")
    with pytest.raises(KeyError, match="cell was called 3 times; there is no call 4"):
        recording.case("cell", call=4)
    with pytest.raises(KeyError, match="no module lstm was called; recurrent ones: cell'"):
        recording.case("lstm")


def test_recordings_and_cases_are_shown_without_their_tensors():
    model = nn.Sequential(nn.Linear(3, 4), nn.LSTM(4, 5)).eval()
    x = torch.randn(6, 2, 3)
    with parity_check.record(model) as recording:
        model(x)
    assert repr(recording) == "<Recording of 2 stages, 5 values>"
    assert repr(recording.stages) == "[<Stage 0 (Linear)>, <Stage 1 (LSTM)>]"
    assert repr(recording.case("1")) == "<Case of LSTM, 8 tensors>"
    with pytest.raises(KeyError, match="1 was called once; there is no call 2"):
        recording.case("1", call=2)
    with pytest.raises(KeyError, match="no module lstm was called; recurrent ones: 1'"):
        recording.case("lstm")
    with parity_check.record(model, noise=3) as recording:
        model(x)
    assert repr(recording) == "<Recording of 2 stages, 5 values, σ by 3 replicas>"


@pytest.mark.parametrize("norm", [weight_norm, parametrizations.weight_norm])
def test_the_weight_that_is_computed_with_is_recorded(norm, tmp_path):
    module = norm(nn.GRU(3, 4), "weight_hh_l0").eval()
    with torch.no_grad():
        for name, parameter in module.named_parameters():
            if name.endswith(("_g", "original0")):
                parameter.mul_(1.7)
    with parity_check.record(module) as recording:
        module(torch.randn(5, 2, 3))
    path = recording.save(tmp_path / "normed.npz")
    assert judge(path).startswith("passed        normed ")
    assert sorted(name for name in read(path)[1] if name.startswith("state_dict/")) == [
        "state_dict/bias_hh_l0", "state_dict/bias_ih_l0", "state_dict/weight_hh_l0",
        "state_dict/weight_ih_l0"]


def test_modules_are_chosen_by_name_or_predicate(encoder, x):
    with parity_check.record(encoder, modules="lstm") as recording:
        encoder(x)
    assert [stage.name for stage in recording.stages] == ["lstm"]
    with parity_check.record(
            encoder, modules=lambda name, module: isinstance(module, nn.Linear)) as recording:
        encoder(x)
    assert [stage.name for stage in recording.stages] == ["out"]


def test_a_transformer_is_recorded_module_by_module():
    """PyTorch's fused encoder would skip them."""
    model = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True).eval()
    with parity_check.record(model) as recording, torch.no_grad():
        model(torch.randn(2, 5, 8))
    assert [stage.kind for stage in recording.stages] == [
        "MultiheadAttention", "Dropout", "LayerNorm", "Linear", "Dropout", "Linear", "Dropout",
        "LayerNorm"]


def test_gradients_are_pytorch_s(encoder, x):
    with parity_check.record(encoder, loss=lambda y: y.square().sum()) as recording:
        encoder(x)
    encoder(x).square().sum().backward()
    for name, parameter in encoder.named_parameters():
        assert torch.equal(recording.gradients[name], parameter.grad), name
    assert torch.equal(recording.gradients["out"], 2 * recording.values["out"])
    encoder.zero_grad()


def test_an_interrupted_save_leaves_what_was_there(encoder, x, tmp_path, monkeypatch):
    with parity_check.record(encoder) as recording:
        encoder(x)
    path = tmp_path / "recording.safetensors"
    path.write_bytes(b"before")
    written = []

    def interrupted(path: Path, *_: object) -> None:
        path.write_bytes(b"half")
        written.append(path)
        raise KeyboardInterrupt

    monkeypatch.setitem(parity_check.containers.WRITERS, ".safetensors", interrupted)
    with pytest.raises(KeyboardInterrupt):
        recording.save(path)
    assert written and path.read_bytes() == b"before" and list(tmp_path.iterdir()) == [path]
