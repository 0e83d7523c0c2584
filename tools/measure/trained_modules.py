"""Recurrent modules that were trained on a small task until their gates open and shut."""

import functools
import random

import torch

STEPS, BATCH = 20, 32

#: How many different ones there are.
COUNT = 24


class Tagger(torch.nn.Module):
    """Reads a sequence and says at each step what it has to remember."""

    def __init__(self, kind: str, inputs: int, hidden: int, **arguments) -> None:
        super().__init__()
        self.recurrent = getattr(torch.nn, kind)(inputs, hidden, **arguments)
        self.head = torch.nn.Linear(hidden * (2 if self.recurrent.bidirectional else 1), 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.recurrent(x)[0])


def targets(task: str, x: torch.Tensor) -> torch.Tensor:
    """(T, B, 2) for inputs of (T, B, I)."""
    first = x[:, :, 0]
    if task == "delay":
        return torch.stack([first.roll(3, 0), first.roll(7, 0)], -1)
    if task == "sum":
        total = first.cumsum(0)
        return torch.stack([total.sign(), total.clamp(-2, 2)], -1)
    changes = (first > 0).float().cumsum(0) % 2
    return torch.stack([changes, 1 - changes], -1)


@functools.cache
def trained(number: int) -> torch.nn.RNNBase:
    """The module of this number, in float32, the same in every run."""
    r = random.Random(f"trained/{number}")
    with torch.random.fork_rng(), torch.enable_grad():
        torch.manual_seed(number)
        inputs = r.choice([1, 3, 8])
        model = Tagger(
            r.choice(["LSTM", "LSTM", "GRU", "GRU", "RNN"]), inputs, r.choice([8, 16, 32, 64]),
            num_layers=r.choice([1, 1, 2]), bidirectional=r.random() < 0.4)
        task = r.choice(["delay", "sum", "parity"])
        optimizer = torch.optim.Adam(model.parameters(), lr=r.choice([0.01, 0.03]))
        for _ in range(300):
            x = torch.randn(STEPS, BATCH, inputs)
            loss = (model(x) - targets(task, x)).square().mean()
            optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1)
            optimizer.step()
    return model.recurrent.eval()
