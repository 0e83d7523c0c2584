"""Files of `torch.save` and `torch.jit.save`, as `parity-check` reads them."""

import json
import zipfile

import numpy as np
import pytest
import torch

from checkpoint_cases import MANIFEST, agree, all_types, lstm_case, run, saved_plainly

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
