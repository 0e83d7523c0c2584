"""What is said to be right where no mistake is named, on PyTorch's own modules."""

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
def report(folder: Path, scale: float, steps: int) -> str:
    """Of an RNN whose output is disturbed at the first two steps of the first sequence."""
    torch.manual_seed(8)
    module = torch.nn.RNN(5, 24).eval()
    module.weight_hh_l0 *= scale
    inputs = {"input": torch.randn(steps, 2, 5)}
    outputs = run_recurrent(module, inputs, None)
    export_fixtures.fixture(
        "case", "npz-stored", module, inputs, outputs, description="-", seed=8,
    ).write(folder)
    outputs["output"][:2, 0] += 0.01 * torch.randn(2, 24)
    (folder / "actual").mkdir()
    np.savez(folder / "actual" / "case.npz", **{n: t.numpy() for n, t in outputs.items()})
    run = subprocess.run(
        [PARITY_CHECK, folder / "case.npz", "--actual", folder / "actual", "--color", "never"],
        capture_output=True, text=True, check=False)
    assert run.returncode == 1, run.stdout
    return run.stdout


def test_what_is_right_is_told(tmp_path):
    assert "what is right: sequence 1; steps 2 to 29 of output; h_n" in report(tmp_path, 1, 30)


def test_what_could_not_be_judged_is_not_called_right(tmp_path):
    said = report(tmp_path, 12, 120)
    assert "no known mistake" in said and "it starts at sequence 0, step 0" in said
    assert "what is right" not in said
