"""`inspect`, `run` and `export`: what is found in a file, computed from it, and handed on."""

import json
import subprocess
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from catalogue import export_fixtures
from parity_check.modules import run_recurrent

ROOT = Path(__file__).resolve().parent.parent.parent
PARITY_CHECK = ROOT / ".build" / "release" / "parity-check"


@pytest.fixture(autouse=True)
def one_thread():
    export_fixtures.quiet_pytorch()


class Model(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.embedding = torch.nn.Embedding(40, 5)
        self.encoder = torch.nn.ModuleDict({
            "lstm": torch.nn.LSTM(5, 6, num_layers=2, bidirectional=True, batch_first=True),
            "projected": torch.nn.LSTM(5, 6, proj_size=4),
        })
        self.decoder = torch.nn.GRU(12, 7, bias=False)
        self.plain = torch.nn.RNN(5, 6, nonlinearity="relu")
        self.cell = torch.nn.LSTMCell(7, 6)
        self.head = torch.nn.Linear(12, 3)


def tool(*arguments) -> subprocess.CompletedProcess:
    return subprocess.run(
        [PARITY_CHECK, *map(str, arguments)], capture_output=True, text=True, check=False)


@pytest.fixture
def model(tmp_path: Path) -> Model:
    torch.manual_seed(5)
    model = Model().eval()
    np.savez(tmp_path / "model.npz", **{n: t.numpy() for n, t in model.state_dict().items()})
    return model


def keep(path: Path, tensors: dict[str, torch.Tensor]) -> Path:
    np.savez(path, **{name: tensor.numpy() for name, tensor in tensors.items()})
    return path


def save(path: Path, tensor: torch.Tensor) -> Path:
    np.save(path, tensor.numpy())
    return path


def test_inspect_finds_each_recurrent_module_and_nothing_else(tmp_path, model):
    said = tool("inspect", tmp_path / "model.npz")
    assert said.returncode == 0, said.stderr
    for line in [
        "  cell: LSTMCell(7, 6)", "  decoder: GRU(12, 7, bias=False)",
        "  encoder.lstm: LSTM(5, 6, num_layers=2, bidirectional=True)",
        "  encoder.projected: LSTM(5, 6, proj_size=4)", "  plain: RNN(5, 6)",
    ]:
        assert line in said.stdout.splitlines()
    assert "5 recurrent modules" in said.stdout
    assert "[2] layer 1, forward  == output[-1, :, :6]" in said.stdout
    assert "[3] layer 1, reverse  == output[0, :, 6:]" in said.stdout
    weight = model.head.weight.detach().numpy()
    assert f"float32 (3, 12)  {weight.min():.2e} to {weight.max():.2e}" in said.stdout


def test_inspect_counts_what_is_not_finite(tmp_path):
    path = keep(tmp_path / "bad.npz", {"a": torch.tensor([1.0, float("nan"), float("inf"), -2.0])})
    assert "-2.00e+00 to 1.00e+00  2 not finite" in tool("inspect", path).stdout
    assert tool("inspect", tmp_path / "none.npz").returncode == 2


CASES = {
    "encoder.lstm": ({"input": (3, 7, 5), "h_0": (4, 3, 6), "c_0": (4, 3, 6)}, ["--batch-first"]),
    "encoder.projected": ({"input": (7, 3, 5)}, []),
    "decoder": ({"input": (7, 3, 12), "h_0": (1, 3, 7)}, []),
    "plain": ({"input": (7, 5)}, ["--relu"]),
}


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@torch.no_grad()
def test_run_gives_what_pytorch_does(tmp_path, model, name, dtype):
    shapes, options = CASES[name]
    model.to(dtype)
    checkpoint = keep(tmp_path / "wide.npz", model.state_dict())
    inputs = {key: torch.randn(shape, dtype=dtype) for key, shape in shapes.items()}
    for key, tensor in inputs.items():
        options = [*options, "--" + key.replace("_", ""), save(tmp_path / f"{key}.npy", tensor)]
    right = run_recurrent(model.get_submodule(name), inputs, None)
    own = keep(tmp_path / "own.npz", right)
    out = tmp_path / "out.npz"
    said = tool("run", f"{checkpoint}:{name}", *options, "--actual", own, "--out", out)
    assert said.returncode == 0, said.stdout + said.stderr
    computed = np.load(out)
    assert set(computed) == set(right)
    for key, tensor in right.items():
        limit = 1e-6 if dtype == torch.float32 else 1e-14
        np.testing.assert_allclose(computed[key], tensor.numpy(), rtol=0, atol=limit)
        assert computed[key].dtype == tensor.numpy().dtype


@torch.no_grad()
def test_run_packed_and_wrong(tmp_path, model):
    inputs = {"input": torch.randn(7, 3, 12), "lengths": torch.tensor([4, 7, 2])}
    right = run_recurrent(model.decoder, inputs, {"enforce_sorted": False})
    options = ["--input", save(tmp_path / "x.npy", inputs["input"]),
               "--lengths", save(tmp_path / "l.npy", inputs["lengths"])]
    place = f"{tmp_path}/model.npz:decoder"
    own = keep(tmp_path / "own.npz", right)
    assert tool("run", place, *options, "--actual", own).returncode == 0
    without = keep(tmp_path / "without.npz", {"output": right["output"]})
    assert tool("run", place, *options, "--actual", without, "--only", "output").returncode == 0
    right["h_n"] = right["output"][-1:]
    wrong = tool("run", place, *options, "--actual", keep(tmp_path / "wrong.npz", right))
    assert wrong.returncode == 1 and "[state-at-padded-step]" in wrong.stdout, wrong.stdout


def test_run_says_which_modules_there_are(tmp_path, model):
    x = save(tmp_path / "x.npy", torch.randn(7, 3, 5))
    path = tmp_path / "model.npz"
    several = tool("run", path, "--input", x)
    assert several.returncode == 2
    assert "found cell, decoder, encoder.lstm, encoder.projected, plain" in several.stderr
    assert f"name one: {path}:cell" in several.stderr
    assert tool("run", f"{path}:encoder", "--input", x).returncode == 2
    none = tool("run", keep(tmp_path / "head.npz", {"weight": torch.ones(2, 2)}), "--input", x)
    assert none.returncode == 2 and "parity-check inspect" in none.stderr
    wrong = tool("run", f"{path}:decoder", "--input", x)
    assert wrong.returncode == 2 and "the last of size 12" in wrong.stderr


@torch.no_grad()
def test_half_precision_weights_with_a_float32_input(tmp_path, model):
    half = keep(tmp_path / "half.npz", {n: t.half() for n, t in model.state_dict().items()})
    model.half().float()
    x = torch.randn(7, 3, 12)
    own = keep(tmp_path / "own.npz", run_recurrent(model.decoder, {"input": x}, None))
    said = tool("run", f"{half}:decoder", "--input", save(tmp_path / "x.npy", x), "--actual", own)
    assert said.returncode == 0, said.stdout + said.stderr


@pytest.mark.parametrize("normed", [
    torch.nn.utils.weight_norm, torch.nn.utils.parametrizations.weight_norm,
])
@pytest.mark.filterwarnings("ignore:.*weight_norm.* is deprecated")
@torch.no_grad()
def test_weight_norm_is_put_together(tmp_path, model, normed):
    for name in ("weight_ih_l0", "weight_hh_l0"):
        normed(model.decoder, name, dim=0 if name == "weight_hh_l0" else 1)
    for name, parameter in model.decoder.named_parameters():
        if name.endswith(("_g", "original0")):
            parameter *= 1.25
    path = keep(tmp_path / "normed.npz", model.state_dict())
    said = tool("inspect", path).stdout
    assert "decoder: GRU(12, 7, bias=False)" in said
    assert "2 weights put together from weight norm's g and v" in said
    x = torch.randn(7, 3, 12)
    own = keep(tmp_path / "own.npz", run_recurrent(model.decoder, {"input": x}, None))
    ran = tool("run", f"{path}:decoder", "--input", save(tmp_path / "x.npy", x), "--actual", own)
    assert ran.returncode == 0, ran.stdout + ran.stderr


@torch.no_grad()
def test_short_names_are_pytorchs_parameters(tmp_path, model):
    named = {name.replace("decoder.", "dec_").replace("weight", "w").removesuffix("_l0"): tensor
             for name, tensor in model.state_dict().items() if name.startswith("decoder.")}
    assert set(named) == {"dec_w_ih", "dec_w_hh"}
    path = keep(tmp_path / "short.npz", named | {"fc_w": torch.ones(2, 3), "w_ih": torch.ones(2)})
    said = tool("inspect", path).stdout
    assert "dec: GRU(12, 7, bias=False)" in said and "1 recurrent module" in said, said
    assert "2 parameters under short names" in said
    x = torch.randn(7, 3, 12)
    own = keep(tmp_path / "own.npz", run_recurrent(model.decoder, {"input": x}, None))
    ran = tool("run", path, "--input", save(tmp_path / "x.npy", x), "--actual", own)
    assert ran.returncode == 0, ran.stdout + ran.stderr


#: Ways of saving a model, and what the decoder is called in the file.
SAVED = {
    "state.pt": ("decoder", lambda model, path: torch.save(model.state_dict(), path)),
    "whole.pth": ("decoder", lambda model, path: torch.save(model, path)),
    "training.ckpt": ("model.module.decoder", lambda model, path: torch.save({
        "epoch": 3, "optimizer": torch.optim.Adam(model.parameters()).state_dict(),
        "model": torch.nn.DataParallel(model).state_dict()}, path)),
    "former.pt": ("decoder", lambda model, path: torch.save(
        model.state_dict(), path, _use_new_zipfile_serialization=False)),
    "model.safetensors": ("decoder", lambda model, path: save_file(model.state_dict(), path)),
    "model.npz": ("decoder", lambda model, path: keep(path, model.state_dict())),
}


@pytest.mark.parametrize("file", SAVED)
@torch.no_grad()
def test_every_way_of_saving(tmp_path, model, file):
    name, save_model = SAVED[file]
    path = tmp_path / file
    save_model(model, path)
    said = tool("inspect", path)
    assert f"  {name}: GRU(12, 7, bias=False)" in said.stdout.splitlines(), said.stdout
    x = torch.randn(7, 3, 12)
    own = keep(tmp_path / "own.npz", run_recurrent(model.decoder, {"input": x}, None))
    ran = tool("run", f"{path}:{name}", "--input", save(tmp_path / "x.npy", x), "--actual", own)
    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_a_checkpoint_given_as_a_case_is_told_what_to_type(tmp_path, model):
    path = tmp_path / "model.pt"
    torch.save(model.state_dict(), path)
    said = tool(path)
    assert said.returncode == 2
    assert f"a checkpoint? parity-check inspect {path} shows its recurrent modules" in said.stdout


def test_inspect_as_json(tmp_path, model):
    said = tool("inspect", tmp_path / "model.npz", "--json")
    assert said.returncode == 0
    (file,) = json.loads(said.stdout)
    tensors = {tensor["name"]: tensor for tensor in file["tensors"]}
    for name, parameter in model.state_dict().items():
        assert tensors[name]["shape"] == list(parameter.shape)
        assert tensors[name]["largest"] == parameter.max().item()
        assert tensors[name]["non_finite"] == 0
    modules = {module["name"]: module for module in file["modules"]}
    assert modules["encoder.lstm"]["module"] == "LSTM"
    assert modules["encoder.lstm"]["arguments"]["num_layers"] == 2
    assert set(modules) == {"cell", "decoder", "encoder.lstm", "encoder.projected", "plain"}


@pytest.mark.parametrize("form", ["folder", "npz", "h5", "safetensors"])
def test_export_gives_what_an_engine_is_given(tmp_path, form):
    fixtures = ROOT / "Fixtures"
    said = tool("export", fixtures, tmp_path / "cases", "--as", form, "--filter", "^(gru|lstm-packed)$")
    assert said.returncode == 0, said.stderr
    assert said.stdout == f"wrote 2 cases to {tmp_path}/cases\n"
    ending = "" if form == "folder" else f".{form}"
    listed = tool("inspect", tmp_path / "cases" / f"gru{ending}", "--json")
    names = [tensor["name"] for tensor in json.loads(listed.stdout)[0]["tensors"]]
    assert "state_dict/weight_ih_l0" in names and "inputs/input" in names
    assert not any(name.startswith("outputs/") for name in names)
    assert tool("export", fixtures, tmp_path / "none", "--filter", "nothing").returncode == 2


def test_export_of_two_cases_of_one_name(tmp_path):
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "gru.npz").write_bytes((ROOT / "Fixtures" / "gru.npz").read_bytes())
    said = tool("export", tmp_path, tmp_path / "out", "--as", "npz")
    assert said.returncode == 2 and "export them to folders of their own" in said.stderr
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["gru.npz"]


def test_run_refuses_a_tensor_that_is_there_twice(tmp_path, model):
    x = save(tmp_path / "x.npy", torch.randn(7, 3, 12))
    place = f"{tmp_path}/model.npz:decoder"
    h = torch.zeros(1, 3, 7)
    twice = keep(tmp_path / "twice.npz", {
        "output": torch.zeros(7, 3, 7), "h_n": h, "outputs/h_n": h})
    said = tool("run", place, "--input", x, "--actual", twice)
    assert said.returncode == 2 and "another in outputs/h_n" in said.stderr
