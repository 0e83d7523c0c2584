"""A recording of a small model, and what two implementations of it gave, as files for tests."""

import warnings
from pathlib import Path

import numpy as np
import torch
from torch import nn

import parity_check
from parity_check.recording import Recording

STEPS, BATCH, FEATURES, UNITS = 7, 2, 3, 4


class Tagger(nn.Module):
    """Features, a bidirectional LSTM, and a score for each of five tags."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv1d(FEATURES, 6, 3, padding=1)
        self.lstm = nn.LSTM(6, UNITS, batch_first=True, bidirectional=True)
        self.head = nn.Linear(2 * UNITS, 5)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.lstm(self.conv(x).relu().transpose(1, 2))[0])


def tagger() -> tuple[Tagger, torch.Tensor]:
    torch.manual_seed(7)
    return Tagger().eval(), torch.randn(BATCH, FEATURES, STEPS)


def with_gates_exchanged(model: Tagger) -> Tagger:
    """The forward direction's rows as a framework has them whose order is i, f, o, g."""
    with torch.no_grad():
        for name in ("weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0"):
            tensor = getattr(model.lstm, name)
            i, f, g, o = tensor.clone().chunk(4)
            tensor.copy_(torch.cat([i, f, o, g]))
    return model


def recorded(model: nn.Module, x: torch.Tensor, noise: int = 0) -> Recording:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with parity_check.record(model, noise=noise) as recording:
            model(x)
    return recording


def write(folder: Path) -> None:
    model, x = tagger()
    recorded(model, x, noise=16).save(folder / "recording.safetensors")
    with torch.backends.mkldnn.flags(enabled=False):
        right = recorded(model, x).values
    wrong = recorded(with_gates_exchanged(model), x).values
    for name, values in (("right", right), ("gates", wrong)):
        np.savez(folder / f"recording-{name}.npz",
                 **{key.replace("/", "."): value.numpy() for key, value in values.items()})
