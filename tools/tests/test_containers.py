"""Checkpoints of every format that can be written anywhere, and safetensors among them."""

import json
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest
import safetensors
import safetensors.torch
import torch

from checkpoint_cases import (
    MANIFEST, PARITY_CHECK, all_types, lstm_case, plain, run, saved_plainly, write_case)

# How each format's own library writes tensors by their names.
WRITERS = {
    "model.safetensors": lambda tensors, path: safetensors.torch.save_file(tensors, path),
    "model.pt": torch.save,
    "model.ckpt": torch.save,
    "stream.pth": lambda tensors, path: torch.save(
        tensors, path, _use_new_zipfile_serialization=False),
}


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


@pytest.mark.parametrize("size", [16, 4096])
def test_lzf_that_states_another_size_of_chunks_is_refused(size, tmp_path):
    array = np.zeros((8, 16), np.float32)
    with h5py.File(tmp_path / "m.h5", "w") as file:
        dataset = file.create_dataset("a", data=array, chunks=array.shape, compression="lzf")
        assert dataset.id.get_chunk_info(0).filter_mask == 0
    data = (tmp_path / "m.h5").read_bytes()
    stated = b"lzf" + bytes(5) + data[data.index(b"lzf") + 8:][:8] + array.nbytes.to_bytes(4, "little")
    assert data.count(stated) == 1
    (tmp_path / "m.h5").write_bytes(data.replace(stated, stated[:-4] + size.to_bytes(4, "little")))
    status, text = run("compare", tmp_path / "m.h5", tmp_path / "m.h5")
    assert status == 2 and f"size of a chunk for lzf: expected 512, found {size}" in text, text
