"""`compare` of two recurrent modules: whether an export's weights are right, and what was done to
them if they are not."""

from pathlib import Path

import numpy as np
import onnx
import pytest
import torch

from checkpoint_cases import run


@pytest.fixture
def model(tmp_path) -> torch.nn.Module:
    """A model with an LSTM and a GRU in it, and its checkpoint `model.pt`."""
    torch.manual_seed(7)
    model = torch.nn.Module()
    model.encoder = torch.nn.Module()
    model.encoder.lstm = torch.nn.LSTM(5, 6, bidirectional=True)
    model.gru = torch.nn.GRU(5, 6)
    torch.save(model.state_dict(), tmp_path / "model.pt")
    return model


def save(path: Path, tensors: dict[str, torch.Tensor]) -> Path:
    np.savez(path, **{name: tensor.numpy() for name, tensor in tensors.items()})
    return path


def compare(tmp_path: Path, module: str, tensors: dict, *options: str) -> tuple[int, str]:
    own = save(tmp_path / "own.npz", {f"mine.{name}": value for name, value in tensors.items()})
    return run("compare", f"{tmp_path}/model.pt:{module}", f"{own}:mine", *options)


@pytest.mark.filterwarnings("ignore")
def test_an_export_to_onnx_is_right(tmp_path, model):
    lstm = model.encoder.lstm.eval()
    torch.onnx.export(lstm, (torch.randn(4, 2, 5),), tmp_path / "m.onnx", dynamo=False)
    (node,) = [n for n in onnx.load(tmp_path / "m.onnx").graph.node if n.op_type == "LSTM"]
    for actual in (f"m.onnx:{node.name}", "m.onnx"):
        status, text = run("compare", f"{tmp_path}/model.pt:encoder.lstm", tmp_path / actual)
        assert status == 0, text
        assert "8 tensors: 8 agree" in text
    # Without a name only where each holds a single module, and nothing else.
    status, text = run("compare", tmp_path / "model.pt", tmp_path / "m.onnx")
    assert status == 2 and "nothing to compare" in text
    torch.save(lstm.state_dict() | {"head": torch.ones(2)}, tmp_path / "more.pt")
    status, text = run("compare", tmp_path / "more.pt", tmp_path / "m.onnx")
    assert status == 2 and "nothing to compare" in text
    torch.save(lstm.state_dict(), tmp_path / "lstm.pt")
    status, text = run("compare", tmp_path / "lstm.pt", tmp_path / "m.onnx")
    assert status == 0 and "8 tensors: 8 agree" in text


def blocks(tensors: dict, order: list[int]) -> dict:
    return {name: torch.cat([value.chunk(len(order))[k] for k in order])
            for name, value in tensors.items()}


WRONG = {
    # As ONNX stores them: i, o, f, g. Read in PyTorch's order, the blocks are i, g, o, f.
    "gates-igof": ("encoder.lstm", lambda t: blocks(t, [0, 3, 1, 2])),
    "gates-zrn": ("gru", lambda t: blocks(t, [1, 0, 2])),
    "direction-parameters-swapped": ("encoder.lstm", lambda t: {
        name.replace("_reverse", "") if "reverse" in name else name + "_reverse": value
        for name, value in t.items()}),
    "bias-hh-dropped": ("encoder.lstm", lambda t: {
        name: torch.zeros_like(value) if name.startswith("bias_hh") else value
        for name, value in t.items()}),
    # bias_ih and bias_hh may be shared out otherwise, but for b_hn of a GRU.
    "b-hn-outside-reset": ("gru", lambda t: t | {
        "bias_ih_l0": t["bias_ih_l0"] + t["bias_hh_l0"],
        "bias_hh_l0": torch.zeros_like(t["bias_hh_l0"])}),
}


@pytest.mark.parametrize("mistake", WRONG)
def test_what_was_done_to_the_weights_is_named(mistake, tmp_path, model):
    module, change = WRONG[mistake]
    status, text = compare(tmp_path, module, change(model.get_submodule(module).state_dict()))
    assert status == 1, text
    assert "with the weights found in the place of those expected:" in text
    assert f"[{mistake}" in text, text


@pytest.mark.parametrize("module", ["encoder.lstm", "gru"])
def test_biases_of_the_same_sum_are_no_difference(module, tmp_path, model):
    tensors = dict(model.get_submodule(module).state_dict())
    kept = 12 if module == "gru" else 24
    for name in [name for name in tensors if name.startswith("bias_ih")]:
        other = name.replace("_ih_", "_hh_")
        tensors[name], tensors[other] = tensors[name].clone(), tensors[other].clone()
        tensors[name][:kept] += tensors[other][:kept]
        tensors[other][:kept] = 0
    status, text = compare(tmp_path, module, tensors)
    assert status == 0, text
    assert "differ, " in text and "the modules compute the same: bias_ih and bias_hh" in text
    status, text = compare(tmp_path, module, tensors, "--tolerance", "exact")
    assert status == 1 and "on random numbers both compute the same" in text
    tensors["bias_ih_l0"][3] += 0.01
    assert compare(tmp_path, module, tensors)[0] == 1


def test_a_tolerance_holds_of_each_parameter(tmp_path, model):
    tensors = dict(model.gru.state_dict())
    tensors["weight_ih_l0"] = tensors["weight_ih_l0"] + 1e-7
    assert compare(tmp_path, "gru", tensors)[0] == 0
    for options in (["--rtol", "0", "--atol", "0"], ["--tensor", "weight_ih_l0=0,0"]):
        status, text = compare(tmp_path, "gru", tensors, *options)
        assert status == 1 and "the parameters differ all the same" in text, text
    half = {name: tensor.half() for name, tensor in model.gru.state_dict().items()}
    assert compare(tmp_path, "gru", half)[0] == 1
    model.gru.half()
    torch.save(model.state_dict(), tmp_path / "model.pt")
    status, text = compare(tmp_path, "gru", {n: t.float() for n, t in half.items()})
    assert status == 1 and "element type: expected float16, found float32" in text
    status, text = compare(tmp_path, "gru", {n: t.float() for n, t in half.items()}, "--ignore-type")
    assert status == 0, text


def test_modules_that_are_not_alike_differ(tmp_path, model):
    status, text = compare(tmp_path, "gru", torch.nn.GRU(5, 7).state_dict())
    assert status == 1
    assert "the modules are not alike: expected GRU(5, 6), found GRU(5, 7)" in text
    status, text = compare(tmp_path, "gru", torch.nn.LSTM(5, 6).state_dict())
    assert status == 1
    assert "the modules are not alike: expected GRU(5, 6), found LSTM(5, 6)" in text
    status, text = compare(tmp_path, "gru", torch.nn.GRU(5, 6, bias=False).state_dict())
    assert status == 1 and "missing     bias_hh_l0" in text


def test_a_name_that_is_none_is_one_error(tmp_path, model):
    status, text = run("compare", f"{tmp_path}/model.pt:decoder", f"{tmp_path}/model.pt:gru")
    assert status == 2 and "decoder" in text
    status, text = run("compare", f"{tmp_path}/model.pt:gru", tmp_path / "model.pt")
    assert status == 2
    assert "expected one recurrent module, found encoder.lstm, gru" in text, text
