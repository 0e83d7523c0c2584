"""Holds σ of recordings against real PyTorch: that nothing right fails by it, and how much of what
is wrong it sees, beside torch.testing.

A random model is recorded with σ. What computes it right is PyTorch on other paths: without oneDNN,
with two threads, one sequence at a time. What computes it wrong is the model with one weight off;
with `--gradients` also one without a bias, and one whose backward pass is wrong in a module.
"""

import argparse
import copy
import random
import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace

import torch

import parity_check
from measure.random_models import RandomModel, draw
from parity_check.noise.deviation import LARGEST_Z, deviation


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
        for kind, model in [*planted(drawn, index), *planted_in_gradients(drawn, index)]:
            count_planted(kind, gradients_of(replace(drawn, model=model)), reference, sigma, tally)
        return
    last = recording.stages[-1].outputs[0]
    if last not in sigma:
        return
    for kind, model in planted(drawn, index):
        with torch.no_grad():
            actual = {last: outputs(model, drawn.x)[last]}
        count_planted(kind, actual, reference, sigma, tally)


def count_planted(
    kind: str, actual: dict[str, torch.Tensor], reference: dict[str, torch.Tensor],
    sigma: dict[str, torch.Tensor], tally: Tally,
) -> None:
    """Counts a wrong model, and whether any of its tensors is seen to be wrong; one that gives
    the same bits is not counted."""
    compared = {name: tensor for name, tensor in actual.items() if name in sigma}
    if all(torch.equal(tensor, reference[name]) for name, tensor in compared.items()):
        return
    tally.planted[kind] += 1
    verdicts = [deviation(tensor, reference[name], sigma[name])
                for name, tensor in compared.items()]
    tally.seen[kind] += not all(z <= LARGEST_Z and rms <= limit for z, rms, limit in verdicts)
    tally.seen_by_testing[kind] += not all(
        agrees(tensor, reference[name]) for name, tensor in compared.items())


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


def planted_in_gradients(
    drawn: RandomModel, index: int
) -> Iterator[tuple[str, torch.nn.Module]]:
    """The model without one bias, and with a wrong backward pass in one module."""
    r = random.Random(index)
    biases = [name for name, p in drawn.model.named_parameters()
              if "bias" in name and p.abs().max() > 0]
    if biases:
        model = copy.deepcopy(drawn.model)
        with torch.no_grad():
            model.get_parameter(r.choice(biases)).zero_()
        yield "a bias dropped", model
    names = [name for name, module in drawn.model.named_modules()
             if isinstance(module, torch.nn.Linear | torch.nn.Conv1d | torch.nn.LayerNorm
                           | torch.nn.ReLU | torch.nn.Tanh | torch.nn.GELU)]
    if not names:
        return
    name = r.choice(names)
    for kind, change in (("gradient rounded to TF32", tf32),
                         ("gradient of the last step dropped", without_last),
                         ("gradient times 1 + 1e-5", lambda gradient: gradient * (1 + 1e-5))):
        model = copy.deepcopy(drawn.model)
        model.get_submodule(name).register_forward_hook(hooked(change))
        yield f"{kind}, in one module", model


def hooked(change: Callable[[torch.Tensor], torch.Tensor]) -> Callable[..., None]:
    """A forward hook by which a module is given another gradient of its output."""
    def hook(module: torch.nn.Module, args: tuple[torch.Tensor, ...], out: torch.Tensor) -> None:
        if out.requires_grad:
            out.register_hook(change)

    return hook


def tf32(gradient: torch.Tensor) -> torch.Tensor:
    """Rounded to 11 bits, as the operands of products are on GPUs."""
    mantissa, exponent = torch.frexp(gradient)
    return torch.ldexp((mantissa * 2**11).round() / 2**11, exponent)


def without_last(gradient: torch.Tensor) -> torch.Tensor:
    gradient = gradient.clone()
    gradient[..., -1, :] = 0
    return gradient
