"""Holds σ of recordings against real PyTorch: that nothing right fails by it, and how much of what
is wrong it sees, beside torch.testing.

A random model is recorded with σ. What computes it right is PyTorch on other paths: without oneDNN,
with two threads, one sequence at a time. What computes it wrong is the model with one weight off.
"""

import argparse
import copy
import random
import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterator

import torch

import parity_check
from measure.random_models import RandomModel, draw

#: An element passes at this z, a tensor of n elements at this root mean square.
LARGEST_Z = 8


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=300, help="models")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--dtype", default="float32", choices=["float32", "float16", "bfloat16",
                                                               "float64"])
    parser.add_argument("--gradients", action="store_true", help="hold those too")
    options = parser.parse_args()
    torch.set_num_threads(1)
    warnings.filterwarnings("ignore")
    tally = Tally()
    for index in range(options.count):
        one(draw(options.seed * 1_000_000 + index, getattr(torch, options.dtype)), index,
            options.gradients, tally)
    print(tally)
    return 0


class Tally:
    """Counts of what failed and what was seen."""

    def __init__(self) -> None:
        self.right, self.alarms, self.testing_alarms = 0, 0, 0
        self.largest_z, self.largest_rms = 0.0, 0.0
        self.planted: Counter[str] = Counter()
        self.seen: Counter[str] = Counter()
        self.seen_by_testing: Counter[str] = Counter()
        self.stages, self.without = 0, 0
        self.seconds = [0.0, 0.0]

    def __str__(self) -> str:
        lines = [
            f"{self.right} right runs: {self.alarms} alarms by σ, {self.testing_alarms} by "
            f"torch.testing; largest z {self.largest_z:.1f}, rms z {self.largest_rms:.2f}",
            f"{self.stages} stages, {self.without} without σ; recording with σ took "
            f"{self.seconds[1] / max(self.seconds[0], 1e-9):.0f} times as long as the model"]
        lines += [f"{kind}: {self.seen[kind] / n:.1%} of {n} seen by σ, "
                  f"{self.seen_by_testing[kind] / n:.1%} by torch.testing"
                  for kind, n in self.planted.items()]
        return "\n".join(lines)


def one(drawn: RandomModel, index: int, gradients: bool, tally: Tally) -> None:
    loss: Callable[[torch.Tensor], torch.Tensor] | None = None
    if gradients:
        loss = lambda y: (y.float() ** 2).sum()  # noqa: E731
    start = time.monotonic()
    with torch.no_grad():
        drawn.model(drawn.x)
    tally.seconds[0] += time.monotonic() - start
    start = time.monotonic()
    with parity_check.record(drawn.model, noise=16, loss=loss) as recording:
        with torch.no_grad():
            drawn.model(drawn.x)
    tally.seconds[1] += time.monotonic() - start
    tally.stages += len(recording.stages)
    tally.without += sum(any(name not in recording.sigma for name in stage.outputs)
                         for stage in recording.stages)
    reference, sigma = ((recording.gradients, recording.gradient_sigma) if gradients
                        else (recording.values, recording.sigma))
    for way, actual in right_ways(drawn, gradients):
        tally.right += 1
        fails = False
        for name, tensor in actual.items():
            if name in sigma:
                z, rms, limit = deviation(tensor, reference[name], sigma[name])
                tally.largest_z, tally.largest_rms = max(tally.largest_z, z), max(
                    tally.largest_rms, rms)
                if not (z <= LARGEST_Z and rms <= limit):
                    print(f"model {index} ({drawn.description}), {way}: {name} z {z:.1f}, "
                          f"rms {rms:.2f}", flush=True)
                    fails = True
        tally.alarms += fails
        tally.testing_alarms += any(
            not agrees(tensor, reference[name]) for name, tensor in actual.items())
    if gradients:
        return
    last = recording.stages[-1].outputs[0]
    if last not in sigma:
        return
    for kind, model in planted(drawn, index):
        with torch.no_grad():
            actual = outputs(model, drawn.x)[last]
        exact = recording.values[last]
        if torch.equal(actual, exact):
            continue
        tally.planted[kind] += 1
        z, rms, limit = deviation(actual, exact, sigma[last])
        tally.seen[kind] += not (z <= LARGEST_Z and rms <= limit)
        tally.seen_by_testing[kind] += not agrees(actual, exact)


def deviation(
    actual: torch.Tensor, expected: torch.Tensor, sigma: torch.Tensor
) -> tuple[float, float, float]:
    """The largest z, its root mean square, and the limit of that; both sides are rounded."""
    difference = (actual.double() - expected.double()).abs()
    z = torch.where(difference == 0, 0, difference / (sigma.double() * 2**0.5))
    return z.max().item(), z.square().mean().sqrt().item(), 2 + 6 / z.numel() ** 0.5


def agrees(actual: torch.Tensor, expected: torch.Tensor) -> bool:
    try:
        torch.testing.assert_close(actual, expected)
    except AssertionError:
        return False
    return True


def right_ways(
    drawn: RandomModel, gradients: bool
) -> Iterator[tuple[str, dict[str, torch.Tensor]]]:
    def run() -> dict[str, torch.Tensor]:
        return gradients_of(drawn) if gradients else outputs(drawn.model, drawn.x)

    with torch.backends.mkldnn.flags(enabled=False):
        yield "native", run()
    torch.set_num_threads(2)
    try:
        yield "two threads", run()
    finally:
        torch.set_num_threads(1)
    if not gradients:
        parts = [outputs(drawn.model, x[None]) for x in drawn.x]
        joined = {name: torch.cat([part[name] for part in parts]) for name in parts[0]
                  if all(part[name].dim() == 3 for part in parts)}
        yield "alone", {name: t for name, t in joined.items() if not name.endswith(("h_n", "c_n"))}


def outputs(model: torch.nn.Module, x: torch.Tensor) -> dict[str, torch.Tensor]:
    with parity_check.record(model, deterministic=False) as recording, torch.no_grad():
        model(x)
    return {name: recording.values[name] for stage in recording.stages for name in stage.outputs}


def gradients_of(drawn: RandomModel) -> dict[str, torch.Tensor]:
    with parity_check.record(drawn.model, deterministic=False,
                             loss=lambda y: (y.float() ** 2).sum()) as recording:
        with torch.no_grad():
            drawn.model(drawn.x)
    return recording.gradients


def planted(drawn: RandomModel, index: int) -> Iterator[tuple[str, torch.nn.Module]]:
    """The model with one weight wrong."""
    r = random.Random(index)
    names = [name for name, p in drawn.model.named_parameters() if p.dim() > 1]
    if not names:
        return
    name = r.choice(names)
    for kind, factor in (("weight off by 1%", 1.01), ("weight off by 10%", 1.1),
                         ("sign of a weight", -1.0)):
        model = copy.deepcopy(drawn.model)
        with torch.no_grad():
            flat = model.get_parameter(name).view(-1)
            flat[r.randrange(len(flat))] *= factor
        yield kind, model
