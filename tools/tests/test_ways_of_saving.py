"""One module saved in all the ways that people save one: each file is read to the numbers that its
own library reads, and its recurrent module is found."""

import json
from pathlib import Path

import gguf
import h5py
import numpy as np
import onnx
import pytest
import safetensors.numpy
import safetensors.torch
import torch

from checkpoint_cases import run

pytestmark = pytest.mark.filterwarnings("ignore")

#: What a way of saving gives: the module's name in the file, and what its own library reads from it.
Saved = tuple[str, dict[str, np.ndarray]]
WAYS = {}


class Model(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.encoder = torch.nn.LSTM(5, 6, num_layers=2, bidirectional=True, batch_first=True)
        self.head = torch.nn.Linear(12, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.encoder(x)[0])


def way(file: str):
    """Registers a function that saves a model as this file."""
    def register(save):
        WAYS[save.__name__.replace("_", "-")] = (file, save)
        return save
    return register


def arrays(tensors: dict[str, torch.Tensor]) -> dict[str, np.ndarray]:
    return {name: tensor.detach().float().numpy() for name, tensor in tensors.items()}


def flat(value, prefix: str = "") -> dict[str, torch.Tensor]:
    """The tensors in nested dictionaries, by their keys with dots between them."""
    if isinstance(value, torch.Tensor):
        return {prefix[:-1]: value}
    items = value.items() if isinstance(value, dict) else []
    return {name: tensor for key, inner in items
            for name, tensor in flat(inner, f"{prefix}{key}.").items()}


def saved(value, path: Path, name: str, **options) -> Saved:
    torch.save(value, path, **options)
    return name, arrays({n: t for n, t in flat(torch.load(path)).items() if n.startswith(name)})


# MARK: torch.save


@way("m.pt")
def state_dict(model, path) -> Saved:
    return saved(model.state_dict(), path, "encoder")


@way("m.pth")
def whole_module(model, path) -> Saved:
    torch.save(model, path)
    return "encoder", arrays(torch.load(path, weights_only=False).state_dict())


@way("m.ckpt")
def checkpoint_with_optimiser_and_average(model, path) -> Saved:
    optimiser = torch.optim.Adam(model.parameters())
    model(torch.randn(1, 2, 5)).sum().backward()
    optimiser.step()
    average = torch.optim.swa_utils.AveragedModel(model)
    return saved({"epoch": 3, "optimizer": optimiser.state_dict(), "model": model.state_dict(),
                  "ema": average.state_dict()}, path, "model.encoder")


@way("m.ckpt")
def lightning(model, path) -> Saved:
    return saved({
        "epoch": 1, "global_step": 10, "pytorch-lightning_version": "2.4.0", "callbacks": {},
        "hyper_parameters": {"lr": 1e-3}, "optimizer_states": [], "loops": {"fit_loop": {}},
        "state_dict": {f"model.{n}": t for n, t in model.state_dict().items()},
    }, path, "state_dict.model.encoder")


@way("m.pt")
def data_parallel(model, path) -> Saved:
    return saved(torch.nn.DataParallel(model).state_dict(), path, "module.encoder")


@way("m.pt")
def compiled(model, path) -> Saved:
    return saved(torch.compile(model).state_dict(), path, "_orig_mod.encoder")


def normed(norm, model, path) -> Saved:
    for name in ("weight_hh_l0", "weight_ih_l1_reverse"):
        norm(model.encoder, name)
    with torch.no_grad():
        for name, parameter in model.encoder.named_parameters():
            if name.endswith(("_g", "original0")):
                parameter *= 1.25
    torch.save(model.state_dict(), path)
    model(torch.randn(1, 2, 5))
    names = [name.split("encoder.")[1] for name in Model().state_dict() if "encoder" in name]
    return "encoder", arrays({f"encoder.{name}": getattr(model.encoder, name) for name in names})


@way("m.pt")
def weight_norm(model, path) -> Saved:
    return normed(torch.nn.utils.weight_norm, model, path)


@way("m.pt")
def parametrised_weight_norm(model, path) -> Saved:
    return normed(torch.nn.utils.parametrizations.weight_norm, model, path)


@way("m.pt")
def half(model, path) -> Saved:
    return saved(model.half().state_dict(), path, "encoder")


@way("m.pt")
def bfloat16(model, path) -> Saved:
    return saved(model.bfloat16().state_dict(), path, "encoder")


@way("m.pt")
def strided_views(model, path) -> Saved:
    wide = {n: torch.stack([t, t + 1], -1).transpose(0, -1).contiguous().transpose(0, -1)[..., 1]
            for n, t in model.state_dict().items()}
    assert not wide["encoder.weight_hh_l0"].is_contiguous()
    return saved(wide, path, "encoder")


@way("m.pt")
def shared_storage(model, path) -> Saved:
    tensors = model.state_dict()
    together = torch.cat([tensor.flatten() for tensor in tensors.values()])
    views = dict(zip(tensors, together.split([t.numel() for t in tensors.values()])))
    return saved({n: view.view_as(tensors[n]) for n, view in views.items()}, path, "encoder")


@way("m.pt")
def format_before_1_6(model, path) -> Saved:
    return saved(model.state_dict(), path, "encoder", _use_new_zipfile_serialization=False)


# MARK: TorchScript


def script(module, path) -> Saved:
    module.save(path)
    return "encoder", arrays(torch.jit.load(path).state_dict())


@way("m.pt")
def scripted(model, path) -> Saved:
    return script(torch.jit.script(model), path)


@way("m.jit")
def traced(model, path) -> Saved:
    return script(torch.jit.trace(model, torch.randn(2, 4, 5)), path)


@way("m.pt")
def frozen_with_attributes(model, path) -> Saved:
    module = torch.jit.freeze(torch.jit.script(model.eval()), preserved_attrs=["encoder"])
    return script(module, path)


# MARK: safetensors


@way("m.safetensors")
def safetensors_of_torch(model, path) -> Saved:
    safetensors.torch.save_file(model.state_dict(), path)
    return "encoder", arrays(safetensors.torch.load_file(path))


@way("m.safetensors")
def safetensors_of_numpy(model, path) -> Saved:
    safetensors.numpy.save_file(arrays(model.state_dict()), path, metadata={"format": "np"})
    return "encoder", safetensors.numpy.load_file(path)


@way("m.safetensors")
def safetensors_by_hand(model, path) -> Saved:
    """With the header in another order than the data, as other writers leave it."""
    header, data = {}, b""
    for name, array in arrays(model.state_dict()).items():
        header[name] = {"dtype": "F32", "shape": list(array.shape),
                        "data_offsets": [len(data), len(data) + array.nbytes]}
        data += array.tobytes()
    text = json.dumps(dict(reversed(header.items()))).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(len(text).to_bytes(8, "little") + text + data)
    return "encoder", safetensors.numpy.load_file(path)


# MARK: h5py


def h5(model, path, **options) -> Saved:
    with h5py.File(path, "w") as file:
        for name, array in arrays(model.state_dict()).items():
            file.create_dataset(name.replace(".", "/"), data=array, **options)
        return "encoder", {f"encoder/{name}": file["encoder"][name][()] for name in file["encoder"]}


@way("m.h5")
def h5_plain(model, path) -> Saved:
    return h5(model, path)


@way("m.h5")
def h5_gzip(model, path) -> Saved:
    return h5(model, path, compression="gzip")


@way("m.hdf5")
def h5_lzf(model, path) -> Saved:
    with torch.no_grad():  # What does not get smaller is stored as it is.
        for parameter in model.parameters():
            parameter.copy_(parameter.mul(2).round())
    saved = h5(model, path, compression="lzf")
    with h5py.File(path) as file:
        chunk = file["encoder/weight_hh_l0"].id.get_chunk_info(0)
    assert chunk.filter_mask == 0 and chunk.size < 24 * 6 * 4
    return saved


@way("m.h5")
def h5_shuffle_and_checksum(model, path) -> Saved:
    return h5(model, path, compression="gzip", shuffle=True, fletcher32=True)


@way("m.h5")
def h5_big_endian(model, path) -> Saved:
    return h5(model, path, dtype=">f4")


# MARK: NumPy


def npz(save, model, path, change=lambda array: array) -> Saved:
    save(path, **{name: change(array) for name, array in arrays(model.state_dict()).items()})
    return "encoder", dict(np.load(path))


@way("m.npz")
def npz_stored(model, path) -> Saved:
    return npz(np.savez, model, path)


@way("m.npz")
def npz_deflated(model, path) -> Saved:
    return npz(np.savez_compressed, model, path)


@way("m.npz")
def npz_big_endian(model, path) -> Saved:
    return npz(np.savez, model, path, lambda array: array.astype(">f4"))


@way("m.npz")
def npz_fortran(model, path) -> Saved:
    return npz(np.savez, model, path, np.asfortranarray)


# MARK: Other containers


@way("m.onnx")
def onnx_by_torchscript(model, path) -> Saved:
    module = torch.nn.LSTM(5, 6, bidirectional=True).eval()
    torch.onnx.export(module, (torch.randn(4, 2, 5),), path, dynamo=False)
    return named_by_node(module, path)


@way("m.onnx")
def onnx_by_dynamo(model, path) -> Saved:
    module = torch.nn.LSTM(5, 6, bidirectional=True).eval()
    torch.onnx.export(module, (torch.randn(4, 2, 5),), path, dynamo=True, external_data=False)
    return named_by_node(module, path)


def named_by_node(module, path) -> Saved:
    (node,) = [node for node in onnx.load(path).graph.node if node.op_type == "LSTM"]
    name = node.name or "LSTM_0"
    return name, {f"{name}.{n}": a for n, a in arrays(module.state_dict()).items()}


@way("m.gguf")
def gguf_by_its_package(model, path) -> Saved:
    writer = gguf.GGUFWriter(path, "lstm")
    for name, array in arrays(model.state_dict()).items():
        writer.add_tensor(name, array)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    read = gguf.GGUFReader(path).tensors
    return "encoder", {t.name: np.array(t.data).reshape(t.shape[::-1]) for t in read}


@pytest.mark.parametrize("name", WAYS)
def test_every_way_of_saving(name, tmp_path):
    file, save = WAYS[name]
    torch.manual_seed(11)
    module, expected = save(Model(), tmp_path / file)
    assert any(key.startswith(module) for key in expected)
    np.savez(tmp_path / "expected.npz", **{k: v.astype("=f4") for k, v in expected.items()})
    files = [tmp_path / "expected.npz", tmp_path / file]
    options = ["--tolerance", "exact", "--ignore-extra", "--ignore-type"]
    if "norm" in name:
        # The weight is put together as the module's parameter, by a formula that rounds.
        files, options = [f"{path}:{module}" for path in files], []
    status, text = run("compare", *files, *options)
    assert status == 0, text
    status, text = run("inspect", tmp_path / file)
    assert status == 0 and f"  {module}: LSTM(5, 6" in text, text


def test_there_are_as_many_ways_as_promised():
    assert len(WAYS) >= 24
