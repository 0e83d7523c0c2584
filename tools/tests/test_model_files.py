"""GGUF and ONNX files that their own libraries have written, as `parity-check` reads them."""

from pathlib import Path

import gguf
import numpy as np
import onnx
import pytest
import torch

from parity_check.format import FORMAT
from checkpoint_cases import agree, all_types, run, saved_plainly, write_case

# MARK: GGUF


def write_gguf(tensors: dict[str, torch.Tensor], path: Path) -> None:
    writer = gguf.GGUFWriter(path, "lstm")
    for name, value in tensors.items():
        writer.add_tensor(name, value.detach().contiguous().numpy())
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def test_ggufs_types_are_read_as_they_were_written(tmp_path):
    tensors = {
        name: value for name, value in all_types().items()
        if value.dim() > 0 and value.numel() > 0 and value.dtype not in (torch.bool, torch.uint8)}
    assert len(tensors) == 8
    write_gguf(tensors, tmp_path / "m.gguf")
    agree(saved_plainly(tensors, tmp_path / "plain.npz"), tmp_path / "m.gguf")


def test_ggufs_blocks_are_dequantised_as_its_library_does(tmp_path):
    kind = gguf.GGMLQuantizationType.Q8_0
    rows = gguf.quants.quantize(torch.randn(40, 96).numpy() * 100, kind)
    writer = gguf.GGUFWriter(tmp_path / "m.gguf", "lstm")
    writer.add_tensor("a", rows, raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    np.savez(tmp_path / "plain.npz", a=gguf.quants.dequantize(rows, kind))
    agree(tmp_path / "plain.npz", tmp_path / "m.gguf")


# MARK: ONNX

ONNX_CASES = {
    "LSTM": (torch.nn.LSTM, {}),
    "LSTM-bidirectional": (torch.nn.LSTM, {"bidirectional": True}),
    "LSTM-no-bias": (torch.nn.LSTM, {"bias": False}),
    "GRU-bidirectional": (torch.nn.GRU, {"bidirectional": True}),
    "RNN": (torch.nn.RNN, {}),
    "RNN-relu": (torch.nn.RNN, {"nonlinearity": "relu"}),
}


def as_constants_in_a_branch(model: onnx.ModelProto) -> onnx.ModelProto:
    """The same inside of an If, with Constant nodes in the place of initialisers."""
    helper, graph = onnx.helper, model.graph
    constants = [helper.make_node("Constant", [], [tensor.name], value=tensor)
                 for tensor in graph.initializer]
    branch = helper.make_graph([*constants, *graph.node], "branch", [], graph.output)
    empty = helper.make_graph([], "none", [], [])
    condition = helper.make_tensor("c", onnx.TensorProto.BOOL, [], [True])
    nodes = [helper.make_node("If", ["c"], [o.name for o in graph.output], "if",
                              then_branch=branch, else_branch=empty)]
    return helper.make_model(
        helper.make_graph(nodes, "graph", graph.input, graph.output, [condition]))


def exported(module: torch.nn.Module, x: torch.Tensor, form: str, path: Path) -> str:
    """Writes the module as an ONNX model; the name of its recurrent node."""
    torch.onnx.export(module, (x,), path, dynamo=False, do_constant_folding=form == "folded")
    model = onnx.load(path)
    operations = [node.op_type for node in model.graph.node]
    assert ("Slice" in operations) == (form != "folded" and module.mode[0] != "R")
    (node,) = [node for node in model.graph.node if node.op_type == module.mode.split("_")[0]]
    if form == "branch":
        onnx.save_model(as_constants_in_a_branch(model), path)
    return node.name


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("form", ["folded", "unfolded", "branch"])
@pytest.mark.parametrize("name", ONNX_CASES)
def test_the_weights_that_pytorch_exports_to_onnx_come_back(name, form, tmp_path):
    kind, arguments = ONNX_CASES[name]
    torch.manual_seed(3)
    module = kind(5, 6, **arguments).eval()
    x = torch.randn(4, 3, 5)
    node = exported(module, x, form, tmp_path / "m.onnx")
    with torch.no_grad():
        output, states = module(x)
    states = states if isinstance(states, tuple) else (states,)
    tensors = {"inputs/input": x, "outputs/output": output}
    tensors |= dict(zip(("outputs/h_n", "outputs/c_n"), states))
    borrowed = {"state_dict": {"file": "../m.onnx", "prefix": f"{node}."}}
    manifest = {"format": FORMAT, "module": kind.__name__, "tensors": borrowed}
    nonlinearity = {key: value for key, value in arguments.items() if key == "nonlinearity"}
    write_case(tmp_path / "case", tensors, manifest | {"arguments": nonlinearity})
    status, text = run(tmp_path)
    assert status == 0, text
    assert text.splitlines()[-1].startswith("1 case: 1 passed")
    expected = {f"{node}.{key}": value for key, value in module.state_dict().items()}
    agree_within = run(
        "compare", saved_plainly(expected, tmp_path / "plain.npz"), tmp_path / "m.onnx",
        "--tolerance", "exact", "--ignore-extra")
    assert agree_within[0] == 0, agree_within[1]


def test_an_onnx_gru_that_pytorch_does_not_compute_is_said(tmp_path):
    random = np.random.default_rng(0)
    weights = [
        onnx.numpy_helper.from_array(random.random(shape, np.float32), name)
        for name, shape in [("W", (1, 9, 2)), ("R", (1, 9, 3))]]
    node = onnx.helper.make_node("GRU", ["X", "W", "R"], ["Y"], "gru", hidden_size=3)
    graph = onnx.helper.make_graph([node], "graph", [], [], initializer=weights)
    onnx.save_model(onnx.helper.make_model(graph), tmp_path / "m.onnx")
    status, text = run("compare", tmp_path / "m.onnx", tmp_path / "m.onnx")
    assert status == 2
    assert "gru: linear_before_reset: expected 1, as PyTorch's GRU computes, found 0" in text
    assert "agrees" in text  # W and R themselves
    np.save(tmp_path / "x.npy", np.zeros((4, 2), np.float32))
    status, text = run("run", f"{tmp_path}/m.onnx:gru", "--input", tmp_path / "x.npy")
    assert status == 2
    assert "gru: linear_before_reset: expected 1" in text


@pytest.mark.parametrize("file", ["m.gguf", "m.onnx"])
def test_what_can_hold_no_manifest_is_told_what_to_do(file, tmp_path):
    if file == "m.gguf":
        write_gguf({"a": torch.ones(2)}, tmp_path / file)
    else:
        graph = onnx.helper.make_graph([], "graph", [], [])
        onnx.save_model(onnx.helper.make_model(graph), tmp_path / file)
    status, text = run(tmp_path / file)
    assert status == 2
    assert "manifest: expected " in text
    assert f'say "tensors": {{"state_dict": {{"file": "../{file}"}}}} in manifest.json' in text
