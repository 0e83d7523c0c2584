"""Dropout that was left on is recognised, on PyTorch's own modules."""

import subprocess
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


@torch.no_grad()
def case(folder: Path, kind: str, seed: int, **arguments) -> tuple[torch.nn.Module, dict]:
    """A case in `folder`, and its module and inputs."""
    torch.manual_seed(seed)
    module = getattr(torch.nn, kind)(5, 6, batch_first=True, **arguments).eval()
    inputs = {"input": torch.randn(3, 7, 5)}
    outputs = run_recurrent(module, inputs, None)
    export_fixtures.fixture(
        "case", "npz-stored", module, inputs, outputs, description="dropout", seed=seed,
    ).write(folder)
    return module, inputs


def judged(folder: Path, outputs: dict) -> str:
    actual = folder / "actual"
    actual.mkdir()
    np.savez(actual / "case.npz", **{name: t.numpy() for name, t in outputs.items()})
    run = subprocess.run(
        [PARITY_CHECK, folder / "case.npz", "--actual", actual, "--color", "never"],
        capture_output=True, text=True, check=False)
    assert run.returncode == 1, run.stdout + run.stderr
    return run.stdout


@pytest.mark.parametrize("kind", ["LSTM", "GRU", "RNN"])
@pytest.mark.parametrize("p", [0.1, 0.5])
@torch.no_grad()
def test_in_output(tmp_path, kind, p):
    module, inputs = case(tmp_path, kind, 3, bidirectional=True)
    outputs = run_recurrent(module, inputs, None)
    outputs["output"] = torch.nn.functional.dropout(outputs["output"], p, training=True)
    said = judged(tmp_path, outputs)
    assert "[dropout-left-on]" in said
    assert f"dropout with p = {p} is on. Call eval()" in said


@torch.no_grad()
def test_between_layers(tmp_path):
    module, inputs = case(tmp_path, "LSTM", 4, num_layers=3, dropout=0.4)
    outputs = run_recurrent(module.train(), inputs, None)
    said = judged(tmp_path, outputs)
    assert "layer 0 is right in every sequence and no layer above it: is dropout" in said


@torch.no_grad()
def test_zeros_alone_are_none(tmp_path):
    """Some elements 0, and the others right: nothing is scaled."""
    module, inputs = case(tmp_path, "GRU", 5)
    outputs = run_recurrent(module, inputs, None)
    outputs["output"] = outputs["output"] * (torch.rand(outputs["output"].shape) < 0.7)
    assert "dropout" not in judged(tmp_path, outputs).replace("description: dropout", "")


@torch.no_grad()
def test_a_factor_and_one_zero_are_none(tmp_path):
    """Twice what it should be, and one element lost: dropout would lose half of them."""
    module, inputs = case(tmp_path, "GRU", 6)
    outputs = run_recurrent(module, inputs, None)
    outputs["output"] = 2 * outputs["output"]
    outputs["output"][1, 2, 3] = 0
    assert "dropout" not in judged(tmp_path, outputs).replace("description: dropout", "")
