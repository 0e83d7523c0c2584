"""Checkpoints that the libraries themselves have written, as `parity-check` reads them."""

import json
import subprocess
import sys
import zipfile
from pathlib import Path

import gguf
import numpy as np
import onnx
import pytest
import safetensors
import safetensors.torch
import torch

import parity_format

ROOT = Path(__file__).resolve().parent.parent.parent
PARITY_CHECK = ROOT / ".build" / "release" / "parity-check"

# How each format's own library writes tensors by their names.
WRITERS = {
    "model.safetensors": lambda tensors, path: safetensors.torch.save_file(tensors, path),
    "model.pt": torch.save,
    "model.ckpt": torch.save,
    "stream.pth": lambda tensors, path: torch.save(
        tensors, path, _use_new_zipfile_serialization=False),
}


def run(*arguments: object) -> tuple[int, str]:
    command = [PARITY_CHECK, *map(str, arguments), "--color", "never"]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    return ended.returncode, ended.stdout + ended.stderr


def plain(tensor: torch.Tensor) -> np.ndarray:
    """The tensor as NumPy holds it: narrow integers as int32."""
    if tensor.dtype in (torch.bool, torch.uint8, torch.int8, torch.int16):
        tensor = tensor.to(torch.int32)
    return tensor.detach().contiguous().numpy()


def all_types() -> dict[str, torch.Tensor]:
    torch.manual_seed(0)
    floats = {
        name: torch.randn(3, 5).to(getattr(torch, name)) for name in ("float16", "float32", "float64")
    }
    integers = {
        name: torch.randint(0 if name == "uint8" else -128, 127, (4, 7)).to(getattr(torch, name))
        for name in ("int8", "int16", "int32", "int64", "uint8")
    }
    others = {
        "bool": torch.tensor([True, False, True]), "scalar": torch.tensor(2.5),
        "empty": torch.zeros(0, 3), "large": torch.randn(300, 70),
    }
    return floats | integers | others


def lstm_case() -> tuple[dict[str, torch.Tensor], torch.nn.LSTM]:
    """The tensors of a case of a bidirectional LSTM, by their names in a fixture."""
    torch.manual_seed(1)
    lstm = torch.nn.LSTM(5, 6, batch_first=True, bidirectional=True).eval()
    x = torch.randn(3, 4, 5)
    with torch.no_grad():
        output, (h_n, c_n) = lstm(x)
    tensors = {"inputs/input": x, "outputs/output": output, "outputs/h_n": h_n, "outputs/c_n": c_n}
    tensors |= {f"state_dict/{name}": value for name, value in lstm.state_dict().items()}
    return {name: value.contiguous() for name, value in tensors.items()}, lstm


MANIFEST = {
    "format": parity_format.FORMAT, "module": "LSTM", "arguments": {"batch_first": True}}


def write_case(folder: Path, tensors: dict[str, torch.Tensor], manifest: dict) -> None:
    for name, tensor in tensors.items():
        path = folder / f"{name}.npy"
        path.parent.mkdir(parents=True, exist_ok=True)
        np.save(path, tensor.detach().numpy())
    (folder / "manifest.json").write_text(json.dumps(manifest))


@pytest.mark.parametrize("file", WRITERS)
def test_every_type_is_read_as_it_was_written(file, tmp_path):
    tensors = all_types()
    WRITERS[file](tensors, tmp_path / file)
    np.savez(tmp_path / "plain.npz", **{name: plain(value) for name, value in tensors.items()})
    status, text = run("compare", tmp_path / "plain.npz", tmp_path / file, "--tolerance", "exact")
    assert status == 0, text
    assert f"{len(tensors)} tensors: {len(tensors)} agree" in text


@pytest.mark.parametrize("file", WRITERS)
def test_bfloat16_is_read_without_loss(file, tmp_path):
    tensor = torch.randn(9, 4).to(torch.bfloat16)
    WRITERS[file]({"a": tensor}, tmp_path / file)
    np.savez(tmp_path / "plain.npz", a=tensor.float().numpy())
    status, text = run(
        "compare", tmp_path / "plain.npz", tmp_path / file, "--tolerance", "exact", "--ignore-type")
    assert status == 0, text


@pytest.mark.parametrize("file", WRITERS)
def test_one_changed_element_differs(file, tmp_path):
    tensors = {"a": torch.randn(300, 70), "b": torch.arange(6)}
    np.savez(tmp_path / "plain.npz", **{name: plain(value) for name, value in tensors.items()})
    tensors["a"][299, 3] += 1
    WRITERS[file](tensors, tmp_path / file)
    status, text = run("compare", tmp_path / "plain.npz", tmp_path / file)
    assert status == 1
    assert "1 of 21000 elements differ" in text and "at (299, 3)" in text


@pytest.mark.parametrize("file", WRITERS)
def test_a_case_borrows_its_parameters_from_a_checkpoint(file, tmp_path):
    tensors, lstm = lstm_case()
    checkpoint = {f"encoder.lstm.{name}": value for name, value in lstm.state_dict().items()}
    WRITERS[file](checkpoint | {"decoder.weight": torch.randn(2, 2)}, tmp_path / file)
    own = {name: value for name, value in tensors.items() if not name.startswith("state_dict")}
    borrowed = {"state_dict": {"file": f"../{file}", "prefix": "encoder.lstm."}}
    write_case(tmp_path / "case", own, MANIFEST | {"tensors": borrowed})
    status, text = run(tmp_path)
    assert status == 0, text
    assert text.splitlines()[-1].startswith("1 case: 1 passed")


@pytest.mark.parametrize("file", WRITERS)
def test_a_checkpoint_without_a_manifest_is_told_what_to_do(file, tmp_path):
    _, lstm = lstm_case()
    WRITERS[file](lstm.state_dict(), tmp_path / file)
    status, text = run(tmp_path / file)
    assert status == 2
    assert "manifest: expected " in text and ", found none; " in text
    assert f'say "tensors": {{"state_dict": {{"file": "../{file}"}}}} in manifest.json' in text


@pytest.mark.parametrize("file", WRITERS)
def test_outputs_in_a_checkpoint_are_judged(file, tmp_path):
    tensors, _ = lstm_case()
    write_case(tmp_path / "cases" / "lstm", tensors, MANIFEST)
    outputs = {
        name.removeprefix("outputs/"): value
        for name, value in tensors.items() if name.startswith("outputs/")
    }
    (tmp_path / "mine").mkdir()
    path = tmp_path / "mine" / f"lstm{Path(file).suffix}"
    WRITERS[file](outputs, path)
    status, text = run(tmp_path / "cases", "--actual", tmp_path / "mine")
    assert status == 0, text
    outputs["c_n"] = outputs["c_n"] * 1.001
    WRITERS[file](outputs, path)
    status, text = run(tmp_path / "cases", "--actual", tmp_path / "mine")
    assert status == 1 and "c_n" in text


# MARK: safetensors


def test_a_fixture_in_safetensors_passes(tmp_path):
    tensors, _ = lstm_case()
    path = tmp_path / "lstm.safetensors"
    safetensors.torch.save_file(tensors, path, {"manifest": json.dumps(MANIFEST)})
    status, text = run(path)
    assert status == 0, text
    assert text.startswith("passed        lstm ")
    tensors["outputs/h_n"][0, 0, 0] += 1e-3
    safetensors.torch.save_file(tensors, path, {"manifest": json.dumps(MANIFEST)})
    assert run(path)[0] == 2  # The layout contract is broken.


def test_what_is_written_is_safetensors(tmp_path):
    tensors, _ = lstm_case()
    write_case(tmp_path / "lstm", tensors, MANIFEST)
    keep = tmp_path / "kept.safetensors"
    engine = f"'{sys.executable}' -c 'import shutil, sys; shutil.copy(*sys.argv[1:3])' {{case}} '{keep}'"
    run(tmp_path / "lstm", "--engine", engine + " {out}", "--engine-input", "safetensors")
    written = safetensors.torch.load_file(keep)
    assert written.keys() == {name for name in tensors if not name.startswith("outputs/")}
    for name, value in written.items():
        assert torch.equal(value, tensors[name])
    with safetensors.safe_open(keep, "pt") as file:
        assert json.loads(file.metadata()["manifest"])["module"] == "LSTM"


# MARK: PyTorch


def agree(expected: Path, actual: Path) -> None:
    status, text = run("compare", expected, actual, "--tolerance", "exact")
    assert status == 0, text


def saved_plainly(tensors: dict[str, torch.Tensor], path: Path) -> Path:
    np.savez(path, **{name: plain(value) for name, value in tensors.items()})
    return path


@pytest.mark.parametrize("is_zip", [True, False])
def test_a_fixture_of_torch_save_passes(is_zip, tmp_path):
    tensors, _ = lstm_case()
    content: dict = {"manifest": json.dumps(MANIFEST), "state_dict": {}, "inputs": {}, "outputs": {}}
    for name, value in tensors.items():
        group, own = name.split("/")
        content[group][own] = value
    path = tmp_path / "lstm.pt"
    torch.save(content, path, _use_new_zipfile_serialization=is_zip)
    status, text = run(path)
    assert status == 0, text
    assert text.startswith("passed        lstm ")
    content["outputs"]["output"][0, 1, 2] += 1e-2
    torch.save(content, path, _use_new_zipfile_serialization=is_zip)
    assert run(path)[0] == 1


def model() -> torch.nn.Module:
    torch.manual_seed(2)
    model = torch.nn.Sequential(
        torch.nn.Embedding(7, 5), torch.nn.LSTM(5, 4, num_layers=2, bidirectional=True, proj_size=3),
        torch.nn.BatchNorm1d(3), torch.nn.Linear(6, 2))
    return model.eval()


@pytest.mark.parametrize("is_zip", [True, False])
def test_a_whole_module_has_its_state_dicts_names(is_zip, tmp_path):
    torch.save(model(), tmp_path / "m.pt", _use_new_zipfile_serialization=is_zip)
    agree(saved_plainly(model().state_dict(), tmp_path / "plain.npz"), tmp_path / "m.pt")


@pytest.mark.filterwarnings("ignore:`torch.jit.script`")
def test_a_scripted_module_has_its_state_dicts_names(tmp_path):
    torch.jit.script(model()[1]).save(tmp_path / "m.pt")
    agree(saved_plainly(model()[1].state_dict(), tmp_path / "plain.npz"), tmp_path / "m.pt")


def test_a_training_checkpoint_is_named_by_its_keys(tmp_path):
    net = torch.nn.GRU(3, 4)
    optimizer = torch.optim.Adam(net.parameters())
    net(torch.randn(5, 2, 3))[0].sum().backward()
    optimizer.step()
    state = {"model": net.state_dict(), "optimizer": optimizer.state_dict(), "epoch": 3}
    torch.save(state, tmp_path / "last.ckpt")
    expected = {f"model.{name}": value for name, value in net.state_dict().items()}
    for index, values in optimizer.state_dict()["state"].items():
        expected |= {f"optimizer.state.{index}.{name}": value for name, value in values.items()}
    assert "optimizer.state.0.exp_avg" in expected
    agree(saved_plainly(expected, tmp_path / "plain.npz"), tmp_path / "last.ckpt")


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_every_protocol_is_read(protocol, tmp_path):
    tensors = {"a": torch.randn(3, 4), "b.c": torch.arange(5)}
    torch.save(tensors, tmp_path / "m.pt", pickle_protocol=protocol)
    agree(saved_plainly(tensors, tmp_path / "plain.npz"), tmp_path / "m.pt")


def test_without_checksums(tmp_path):
    tensors = {"a": torch.randn(3, 4)}
    torch.serialization.set_crc32_options(False)
    try:
        torch.save(tensors, tmp_path / "m.pt")
    finally:
        torch.serialization.set_crc32_options(True)
    agree(saved_plainly(tensors, tmp_path / "plain.npz"), tmp_path / "m.pt")


def test_a_big_endian_machines_file(tmp_path):
    tensors = all_types() | {"transposed": torch.randn(3, 4).t()}
    torch.save(tensors, tmp_path / "little.pt")
    order = [value.dtype for value in tensors.values()]
    with zipfile.ZipFile(tmp_path / "little.pt") as old:
        with zipfile.ZipFile(tmp_path / "m.pt", "w") as new:
            for member in old.namelist():
                data = old.read(member)
                if member.endswith("/byteorder"):
                    data = b"big"
                elif "/data/" in member:
                    # Storages are numbered in the order of the tensors.
                    width = order[int(member.split("/")[-1])].itemsize
                    data = np.frombuffer(data, f"<u{width}").astype(f">u{width}").tobytes()
                new.writestr(member, data)
    assert torch.equal(torch.load(tmp_path / "m.pt")["float32"], tensors["float32"])
    agree(saved_plainly(tensors, tmp_path / "plain.npz"), tmp_path / "m.pt")


@pytest.mark.parametrize("file", WRITERS)
def test_memory_stays_below_the_file(file, tmp_path):
    tensor = torch.randn(1 << 13, 1 << 12)
    WRITERS[file]({"a": tensor}, tmp_path / file)
    script = (
        "import resource, subprocess, sys; subprocess.run(sys.argv[1:], check=True); "
        "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)")
    saved_plainly({"a": tensor}, tmp_path / "plain.npz")
    command = [
        "python3", "-c", script, PARITY_CHECK, "compare", tmp_path / "plain.npz", tmp_path / file]
    ended = subprocess.run(command, capture_output=True, text=True, check=True)
    assert int(ended.stdout.splitlines()[-1]) * 1024 < tensor.nbytes / 2


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


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", ONNX_CASES)
def test_the_weights_that_pytorch_exports_to_onnx_come_back(name, tmp_path):
    kind, arguments = ONNX_CASES[name]
    torch.manual_seed(3)
    module = kind(5, 6, **arguments).eval()
    x = torch.randn(4, 3, 5)
    torch.onnx.export(module, (x,), tmp_path / "m.onnx", dynamo=False)
    graph = onnx.load(tmp_path / "m.onnx").graph
    (node,) = [node for node in graph.node if node.op_type == module.mode.split("_")[0]]
    with torch.no_grad():
        output, states = module(x)
    states = states if isinstance(states, tuple) else (states,)
    tensors = {"inputs/input": x, "outputs/output": output}
    tensors |= dict(zip(("outputs/h_n", "outputs/c_n"), states))
    borrowed = {"state_dict": {"file": "../m.onnx", "prefix": f"{node.name}."}}
    manifest = {"format": parity_format.FORMAT, "module": kind.__name__, "tensors": borrowed}
    nonlinearity = {key: value for key, value in arguments.items() if key == "nonlinearity"}
    write_case(tmp_path / "case", tensors, manifest | {"arguments": nonlinearity})
    status, text = run(tmp_path)
    assert status == 0, text
    assert text.splitlines()[-1].startswith("1 case: 1 passed")
    expected = {f"{node.name}.{key}": value for key, value in module.state_dict().items()}
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
