"""`parity-export from-module` writes what a model of the user's own computes."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from parity_check.containers import read

ROOT = Path(__file__).resolve().parent.parent.parent
PARITY_CHECK = ROOT / ".build" / "release" / "parity-check"

MODELS = '''
import torch

class Tagger(torch.nn.Module):
    def __init__(self):
        super().__init__()
        torch.manual_seed(1)
        self.lstm = torch.nn.LSTM(3, 4, batch_first=True, bidirectional=True)
        self.out = torch.nn.Linear(8, 2)

    def forward(self, x):
        return self.out(self.lstm(x)[0])

def make():
    return Tagger().eval()

def training():
    return Tagger()
'''


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "models.py").write_text(MODELS)
    np.save(tmp_path / "x.npy", np.random.default_rng(2).normal(size=(2, 5, 3)).astype("f4"))
    return tmp_path


def export(folder: Path, model: str, *options: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-m", "parity_check.export", "from-module", model, "--input", "x.npy",
         "--out", "out.npz", *options],
        cwd=folder, env={"PYTHONPATH": str(ROOT / "tools")}, capture_output=True, text=True)


def test_one_module_becomes_a_fixture(folder):
    run = export(folder, "models:make", "--module", "lstm")
    assert (run.returncode, run.stdout) == (0, "out.npz\n"), run.stderr
    assert "parity-export: lstm has parameters that look untrained" in run.stderr
    judged = subprocess.run([PARITY_CHECK, folder / "out.npz"], capture_output=True, text=True)
    assert judged.stdout.startswith("passed        out ")


def test_a_whole_model_becomes_a_recording(folder):
    assert export(folder, "models:make", "--noise", "2").returncode == 0
    manifest, arrays = read(folder / "out.npz")
    assert [stage["name"] for stage in manifest["stages"]] == ["lstm", "out"]
    assert "sigma/out" in arrays


@pytest.mark.parametrize(("model", "options", "told"), [
    ("models:training", [], "parity-export: the model is in training mode"),
    ("models:make", ["--module", "gru"], "has no module 'gru'; it has "),
    ("models:make", ["--module", "out"], "parity-export: out is Linear; a case is of a recurrent"),
    ("models:nothing", [], "has no attribute 'nothing'"),
    ("nowhere:make", [], "No module named 'nowhere'"),
    ("models", [], "give a module and a name in it"),
])
def test_mistakes_cost_a_line(folder, model, options, told):
    run = export(folder, model, *options)
    assert run.returncode == 1 and told in run.stderr and "Traceback" not in run.stderr
    assert not (folder / "out.npz").exists()
