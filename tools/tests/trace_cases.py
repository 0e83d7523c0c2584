"""A small tagger that PyTorch runs, right and with mistakes, and `parity-check trace` of it."""

import copy
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import torch
from torch import nn

import parity_check
from parity_check.recording import Recording

ROOT = Path(__file__).resolve().parent.parent.parent
PARITY_CHECK = ROOT / ".build" / "release" / "parity-check"

Arrays = dict[str, np.ndarray]


class Tagger(nn.Module):
    """Its own code exchanges axes, and makes the probabilities."""

    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Embedding(20, 8)
        self.conv = nn.Conv1d(8, 10, 3, padding=1)
        self.lstm = nn.LSTM(10, 6, batch_first=True, bidirectional=True)
        self.norm = nn.LayerNorm(12)
        self.out = nn.Linear(12, 5)

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        x = self.conv(self.embed(ids).transpose(1, 2)).relu().transpose(1, 2)
        return self.out(self.norm(self.lstm(x)[0])).softmax(-1)


def tagger() -> Tagger:
    torch.manual_seed(1)
    return Tagger().eval()


def ids(batch: int = 2) -> torch.Tensor:
    return torch.randint(0, 20, (batch, 9), generator=torch.Generator().manual_seed(2))


def gates_exchanged(model: Tagger) -> None:
    """The order i, f, o, g in the forward direction."""
    for name in ("weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0"):
        weight = getattr(model.lstm, name)
        i, f, g, o = weight.clone().chunk(4)
        weight.copy_(torch.cat([i, f, o, g]))


def wrong(model: nn.Module, change: Callable[[nn.Module], object]) -> nn.Module:
    """A copy with a mistake."""
    model = copy.deepcopy(model)
    with torch.no_grad():
        change(model)
    return model


def recorded(model: nn.Module, *inputs: object, noise: int = 0, **options: object) -> Recording:
    with parity_check.record(model, noise=noise, **options) as recording:
        model(*inputs)
    return recording


def arrays(recording: Recording) -> Arrays:
    """What an implementation would write: the values, and the gradients where there are some."""
    named = dict(recording.values)
    named |= {f"grad/{name}": tensor for name, tensor in recording.gradients.items()}
    return {name: tensor.numpy() for name, tensor in named.items()}


def ran(model: nn.Module, *inputs: object, **options: object) -> Arrays:
    """The values of a run on another path than oneDNN's."""
    with torch.backends.mkldnn.flags(enabled=False):
        return arrays(recorded(model, *inputs, **options))


def save(path: Path, named: Mapping[str, np.ndarray]) -> Path:
    np.savez(path, **named)
    return path


def trace(*arguments: object) -> tuple[int, str]:
    """The exit status, and what was printed, to both outputs."""
    command = [PARITY_CHECK, "trace", *map(str, arguments), "--color", "never"]
    run = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    return run.returncode, run.stdout + run.stderr


STATUSES = ("agrees", "starts here too", "starts here", "follows", "lost", "missing", "differs",
            "unreadable")


def statuses(text: str) -> dict[str, str]:
    """The status of each stage in a table."""
    found = {}
    for line in text.splitlines():
        for status in STATUSES:
            if line.startswith(status + "  "):
                found[line[15:].split("  ")[1].strip()] = status
                break
    return found
