"""`--actual-weights`: outputs that PyTorch computes with weights stored in fewer bits."""

import copy
import json
import subprocess
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch

from catalogue import export_fixtures
from parity_check.modules import run_recurrent

ROOT = Path(__file__).resolve().parent.parent.parent
PARITY_CHECK = ROOT / ".build" / "release" / "parity-check"


@pytest.fixture(autouse=True)
def one_thread():
    export_fixtures.quiet_pytorch()


def integers(weight: torch.Tensor, scale: torch.Tensor) -> torch.Tensor:
    return (weight / scale).round().clamp(-127, 127) * scale


#: By the option's value: what is done to a matrix, and to a bias.
STORED = {
    "float16": (lambda w: w.half().float(), lambda b: b),
    "bfloat16": (lambda w: w.bfloat16().float(), lambda b: b),
    "float16-parameters": (lambda w: w.half().float(), lambda b: b.half().float()),
    "bfloat16-parameters": (lambda w: w.bfloat16().float(), lambda b: b.bfloat16().float()),
    "int8-per-row": (lambda w: integers(w, w.abs().amax(1, keepdim=True) / 127), lambda b: b),
    "int8-per-tensor": (lambda w: integers(w, w.abs().max() / 127), lambda b: b),
    "float8-e4m3": (lambda w: w.to(torch.float8_e4m3fn).float(), lambda b: b),
    "float8-e5m2": (lambda w: w.to(torch.float8_e5m2).float(), lambda b: b),
}


@torch.no_grad()
def write(folder: Path, kind: str, storage: str, spoil: float = 1) -> None:
    torch.manual_seed(11)
    module = getattr(torch.nn, kind)(5, 6, bidirectional=True, num_layers=2).eval()
    inputs = {"input": torch.randn(7, 3, 5)}
    export_fixtures.fixture(
        "case", "npz-stored", module, inputs, run_recurrent(module, inputs, None),
        description="weights in fewer bits", seed=11,
    ).write(folder)
    of_matrix, of_bias = STORED[storage]
    other = copy.deepcopy(module)
    for parameter in other.parameters():
        parameter.copy_((of_matrix if parameter.dim() == 2 else of_bias)(parameter))
    other.weight_hh_l1[0, 0] *= spoil
    outputs = run_recurrent(other, inputs, None)
    (folder / "actual").mkdir()
    np.savez(folder / "actual" / "case.npz", **{n: t.numpy() for n, t in outputs.items()})


def judged(folder: Path, *options: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [PARITY_CHECK, folder / "case.npz", "--actual", folder / "actual", "--color", "never",
         *options], capture_output=True, text=True, check=False)


@pytest.mark.parametrize("kind", ["LSTM", "GRU", "RNN"])
@pytest.mark.parametrize("storage", STORED)
def test_what_is_stored_so_passes_once_it_is_stated(tmp_path, kind, storage):
    write(tmp_path, kind, storage)
    plain = judged(tmp_path)
    assert plain.returncode == 1, plain.stdout
    assert f"--actual-weights {storage} holds the outputs" in plain.stdout, plain.stdout
    stated = judged(tmp_path, "--actual-weights", storage)
    assert stated.returncode == 0, stated.stdout
    assert f"held to what weights stored as {storage} give" in stated.stdout


@pytest.mark.parametrize("storage", STORED)
def test_a_wrong_weight_fails_then_too(tmp_path, storage):
    write(tmp_path, "LSTM", storage, spoil=1.01)
    assert judged(tmp_path, "--actual-weights", storage).returncode == 1


def test_another_storage_fails(tmp_path):
    write(tmp_path, "GRU", "int8-per-row")
    assert judged(tmp_path, "--actual-weights", "int8-per-tensor").returncode == 1


def test_it_belongs_to_outputs(tmp_path):
    write(tmp_path, "GRU", "float16")
    run = subprocess.run(
        [PARITY_CHECK, tmp_path / "case.npz", "--actual-weights", "float16"],
        capture_output=True, text=True, check=False)
    assert run.returncode == 64 and "belongs to --actual, --engine or --engine-server" in run.stderr


def test_a_case_that_is_wrong_itself_is_said_so(tmp_path):
    write(tmp_path, "GRU", "float16")
    with np.load(tmp_path / "case.npz", allow_pickle=False) as archive:
        tensors = dict(archive)
    wrong = {name: array for name, array in tensors.items() if name != "manifest.json"}
    wrong["outputs/output"] = wrong["outputs/output"] * np.float32(1.01)
    wrong["outputs/h_n"] = wrong["outputs/h_n"] * np.float32(1.01)
    manifest = json.loads(zipfile.ZipFile(tmp_path / "case.npz").read("manifest.json"))
    manifest.pop("digest", None)
    np.savez(tmp_path / "case.npz", **wrong)
    with zipfile.ZipFile(tmp_path / "case.npz", "a") as archive:
        archive.writestr("manifest.json", json.dumps(manifest))
    said = judged(tmp_path, "--actual-weights", "float16")
    assert said.returncode == 1
    assert "this is the case itself; the outputs were not judged" in said.stdout
    assert "held to what weights stored" not in said.stdout
