"""`tools/record.py`, the single file, records what the package does."""

import subprocess
import sys
from pathlib import Path

import pytest
import torch
from test_record import Encoder, judge
from torch import nn

import parity_check
import record
from catalogue.bundle_record import bundle
from parity_check.containers import read

TOOLS = Path(__file__).resolve().parent.parent

pytestmark = pytest.mark.filterwarnings("ignore::parity_check.RecordingWarning")


class Loop(nn.Module):
    """A cell called step by step, an embedding, and an attention with a keyword argument."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(9, 4, padding_idx=0)
        self.cell = nn.LSTMCell(4, 4)
        self.attention = nn.MultiheadAttention(4, 2)
        self.out = nn.utils.parametrizations.weight_norm(nn.Linear(4, 3, bias=False))

    def forward(self, tokens: torch.Tensor) -> dict[str, torch.Tensor]:
        x, state, steps = self.embedding(tokens), None, []
        for step in x:
            state = self.cell(step, state)
            steps.append(state[0])
        y, weights = self.attention(*[torch.stack(steps)] * 3, need_weights=True)
        return {"scores": self.out(y), "weights": weights}


@pytest.mark.parametrize(("model", "given"), [
    (Encoder, (torch.randn(3, 5, 9),)),
    (Encoder, (torch.randn(3, 5, 9), torch.tensor([4, 9, 7]))),
    (lambda: nn.Sequential(nn.Conv1d(5, 8, 3), nn.ReLU(inplace=True), nn.BatchNorm1d(8)),
     (torch.randn(2, 5, 9),)),
    (Loop, (torch.randint(0, 9, (4, 2)),)),
    (lambda: nn.TransformerEncoderLayer(8, 2, 16), (torch.randn(3, 2, 8),)),
    (lambda: nn.GRU(5, 3, bidirectional=True), (torch.randn(4, 2, 5), torch.randn(2, 2, 3))),
])
def test_the_file_and_the_package_write_the_same(model, given, tmp_path):
    torch.manual_seed(2)
    model = model().eval()
    with parity_check.record(model) as expected:
        model(*given)
    with record.record(model) as recording:
        model(*given)
    assert recording.manifest()["stages"] == expected.manifest()["stages"]
    saved, arrays = read(recording.save(tmp_path / "recording.pt"))
    own, expected_arrays = read(expected.save(tmp_path / "expected.pt"))
    own.pop("digest")
    assert saved == own and arrays.keys() == expected_arrays.keys()
    for name, array in expected_arrays.items():
        assert (arrays[name] == array).all(), name


def test_it_needs_pytorch_alone():
    code = ("import sys; sys.path.insert(0, sys.argv[1]); import torch; before = set(sys.modules);"
            "import record; print({n.split('.')[0] for n in set(sys.modules) - before})")
    run = subprocess.run([sys.executable, "-c", code, TOOLS], capture_output=True, text=True)
    assert run.stdout.strip() == "{'record'}", run.stderr


def test_it_is_what_the_package_makes_of_itself():
    """After a change of the package: tools/bundle_record.py."""
    assert Path(record.__file__).read_text(encoding="utf-8") == bundle()


def test_it_refuses_what_the_package_refuses(tmp_path):
    with pytest.raises(record.RecordingError, match="training mode"):
        with record.record(nn.Linear(2, 2)):
            pytest.fail("the block must not run")
    model = nn.Sequential(nn.Linear(2, 2), nn.ReLU()).eval()
    with pytest.raises(record.RecordingError, match="no module 'fc'"):
        with record.record(model, modules="fc"):
            pytest.fail("the block must not run")
    with pytest.raises(record.RecordingError, match="1 was not called"):
        with record.record(model, modules=["0", "1"]):
            model[0](torch.ones(1, 2))
    with record.record(model) as recording:
        model(torch.ones(1, 2))
    with pytest.raises(ValueError, match="this file writes .pt alone"):
        recording.save(tmp_path / "recording.npz")
    assert not list(tmp_path.iterdir())


def test_a_case_of_it_is_judged(tmp_path):
    model = Encoder().eval()
    with record.record(model) as recording:
        model(torch.randn(3, 5, 9))
    assert judge(recording.case("lstm").save(tmp_path / "lstm.pt")).startswith("passed  ")
