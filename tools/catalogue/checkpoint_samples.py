"""Checkpoints for `export_samples.py`, as the libraries write them that made their formats."""

from pathlib import Path

import gguf
import numpy as np
import onnx
import safetensors.torch
import torch

EIGHTHS = torch.arange(24).reshape(2, 3, 4) / 8
INTEGERS = torch.arange(24) - 5


def named(manifest: str | None = None) -> dict:
    """What most samples hold."""
    tensors = {"a": EIGHTHS, "folder": {"b": EIGHTHS.double()}, "n": INTEGERS}
    return tensors if manifest is None else {"manifest": manifest} | tensors


def views() -> dict:
    """Every type, and tensors that are views of others."""
    shared = torch.arange(24.0) / 8
    typed = {
        name: (INTEGERS.abs() % 2 if name == "bool" else INTEGERS.abs()).to(getattr(torch, name))
        for name in (
            "float16", "bfloat16", "float32", "float64", "int8", "uint8", "int16", "int32", "int64",
            "bool")
    }
    return {
        "types": typed, "scalar": torch.tensor(2.5), "empty": torch.zeros(0, 3),
        "whole": shared, "part": shared[5:9], "matrix": shared.reshape(4, 6),
        "transposed": shared.reshape(4, 6).t(), "steps": shared[1::3],
        "permuted": shared.reshape(2, 3, 4).permute(2, 0, 1),
        "expanded": torch.tensor([[1.0], [2.0]]).expand(2, 3),
        "parameter": torch.nn.Parameter(shared[:3]),
        "list": [torch.tensor(1), (torch.tensor(2), "text")], 7: torch.tensor(3),
        "others": [None, True, 1.5, 2**80, -1, b"bytes", "größe", {1, 2}, torch.Size([1])],
    }


def model() -> torch.nn.Module:
    """A module with all that a module can hold."""
    model = torch.nn.Module()
    model.lstm = torch.nn.LSTM(2, 3, bidirectional=True)
    model.layers = torch.nn.ModuleList([torch.nn.Linear(3, 1), torch.nn.Linear(1, 1, bias=False)])
    model.scale = torch.nn.Parameter(torch.tensor([2.0]))
    model.register_buffer("mean", torch.tensor([0.5]))
    model.register_buffer("unsaved", torch.tensor([0.25]), persistent=False)
    model.not_a_parameter = torch.tensor([9.0])
    model.owner = [model]
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(torch.arange(parameter.numel()).reshape(parameter.shape) / 8)
    return model


def write_checkpoints(folder: Path, manifest: str) -> None:
    flat = {"a": EIGHTHS, "folder/b": EIGHTHS.double(), "n": INTEGERS}
    safetensors.torch.save_file(flat, folder / "all.safetensors", {"manifest": manifest})
    torch.save(named(manifest), folder / "zip.pt")
    torch.serialization.set_crc32_options(False)
    torch.save(named(manifest), folder / "no-checksums.pt")
    torch.serialization.set_crc32_options(True)
    torch.save(named(manifest), folder / "stream.pt", _use_new_zipfile_serialization=False)
    torch.save(views(), folder / "views.pt")
    torch.save(views(), folder / "stream-views.pt", _use_new_zipfile_serialization=False)
    torch.save(EIGHTHS, folder / "nameless.pt")
    torch.save(model(), folder / "module.pt")
    torch.save(model().state_dict(), folder / "state-dict.pt")
    others = {
        "a": EIGHTHS, "sparse": EIGHTHS.to_sparse(), "complex": torch.zeros(2, dtype=torch.complex64)}
    torch.save(others, folder / "other-kinds.pt")
    write_gguf(folder / "all.gguf")
    write_onnx(folder / "all.onnx")


def write_gguf(path: Path) -> None:
    kinds = gguf.GGMLQuantizationType
    eighths = EIGHTHS.numpy()
    writer = gguf.GGUFWriter(path, "lstm")
    writer.add_string("general.description", "größe")
    writer.add_array("tokens", ["a", "bc"])
    writer.add_tensor("a", eighths)
    writer.add_tensor("b", eighths.astype(np.float64))
    writer.add_tensor("float16", eighths.astype(np.float16))
    upper_halves = (eighths.view(np.uint32) >> 16).astype(np.uint16)
    writer.add_tensor("bfloat16", upper_halves.view(np.uint8), raw_dtype=kinds.BF16)
    writer.add_tensor("n", INTEGERS.numpy())
    rows = np.arange(64, dtype=np.float32).reshape(2, 32) - 9
    writer.add_tensor("q8", gguf.quants.quantize(rows, kinds.Q8_0), raw_dtype=kinds.Q8_0)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def write_onnx(path: Path) -> None:
    eighths, integers = EIGHTHS.numpy(), INTEGERS.numpy()
    arrays = {
        "raw": eighths, "double": eighths.astype("f8"), "half": eighths.astype("f2"),
        "int64": integers, "int32": integers.astype("i4"), "int16": integers.astype("i2"),
        "int8": integers.astype("i1"), "bool": np.array([True, False, True]),
        "scalar": np.float32(2.5), "empty": np.zeros((0, 3), "f4"),
    }
    tensors = [onnx.numpy_helper.from_array(np.asarray(array), name) for name, array in arrays.items()]
    types = onnx.TensorProto
    typed = {
        "typed": types.FLOAT, "typed-double": types.DOUBLE, "typed-half": types.FLOAT16,
        "typed-bfloat16": types.BFLOAT16, "typed-int64": types.INT64, "typed-int32": types.INT32,
        "typed-int8": types.INT8,
    }
    for name, type in typed.items():
        array = integers if "int" in name else eighths
        tensors.append(onnx.helper.make_tensor(name, type, array.shape, array.ravel().tolist()))
    graph = onnx.helper.make_graph([], "samples", [], [], initializer=tensors)
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 17)])
    onnx.save_model(model, path)
