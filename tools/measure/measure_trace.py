"""Measures how often `parity-check trace` names the stage that is wrong, beside what people use.

A random model of 4 to 12 stages is recorded by PyTorch with σ. It runs again with one mistake, or
two, in stages drawn at random, and right on other paths (without oneDNN, with two threads, one
sequence at a time, by ONNX Runtime where PyTorch can export the model). For comparison, the first stage is taken at which the cosine similarity falls
to 0.999, torch.testing fails, or the relative root mean square error passes 1e-3.

Mistakes that change what their stage gives by no more than rounding does are counted apart: nobody
could name them.
"""

import argparse
import copy
import random
import subprocess
import tempfile
import warnings
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch

import parity_check
from measure import onnx_runs
from measure.planted_stages import planted
from measure.random_models import RandomModel, draw
from parity_check.containers import write
from parity_check.recording import Recording

PARITY_CHECK = Path(__file__).resolve().parent.parent.parent / ".build/release/parity-check"
STAGES = range(4, 13)
Values = dict[str, torch.Tensor]


@dataclass
class Tally:
    right: int = 0
    accused: Counter[str] = field(default_factory=Counter)
    by_onnx: int = 0
    accused_onnx: Counter[str] = field(default_factory=Counter)
    single: int = 0
    invisible: int = 0
    named: Counter[str] = field(default_factory=Counter)
    #: Of these, how often trace called another stage wrong too.
    others: int = 0
    missed: list[str] = field(default_factory=list)
    double: int = 0
    both: int = 0
    both_replayed: int = 0
    falsely_replayed: int = 0
    by_kind: Counter[str] = field(default_factory=Counter)

    def __str__(self) -> str:
        def share(count: int, all_of: int) -> str:
            return f"{count} of {all_of} ({count / max(all_of, 1):.1%})"

        ways = ["trace", "trace --no-replay", *OTHERS]
        lines = ["right runs of which a stage is accused: " + "; ".join(
            f"{way} {share(self.accused[way], self.right)}" for way in ways)]
        lines.append("the same of ONNX Runtime's: " + "; ".join(
            f"{way} {share(self.accused_onnx[way], self.by_onnx)}" for way in ways))
        lines.append("one mistake, its stage named first: " + "; ".join(
            f"{way} {share(self.named[way], self.single)}" for way in ways))
        lines.append(f"another stage named beside it: {share(self.others, self.single)}")
        lines.append(f"two mistakes, both stages named: trace {share(self.both, self.double)}; "
                     f"parity_check.replay {share(self.both_replayed, self.double)}, and "
                     f"{self.falsely_replayed} others")
        lines.append(f"not counted, since no larger than rounding: {self.invisible}")
        return "\n".join([*lines, *self.missed])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=200, help="models")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(1)
    warnings.filterwarnings("ignore")
    tally, index, found = Tally(), 0, 0
    while found < options.count:
        seed, index = options.seed * 1_000_000 + index, index + 1
        drawn = draw(seed)
        with parity_check.record(drawn.model, noise=16) as recording, torch.no_grad():
            drawn.model(drawn.x)
        if len(recording.stages) in STAGES:
            found += 1
            with tempfile.TemporaryDirectory() as folder:
                one(drawn, recording, random.Random(seed), Path(folder), tally, seed)
    print(tally)
    return 0


def one(
    drawn: RandomModel, recording: Recording, r: random.Random, folder: Path, tally: Tally,
    seed: int,
) -> None:
    reference = recording.save(folder / "reference.safetensors")
    for way, values in right_ways(drawn):
        tally.right += 1
        tally.accused.update(accusers(recording, reference, values, folder, f"{seed}, {way}"))
    if values := onnx_runs.run(copy.deepcopy(drawn.model), drawn.x):
        # Its sigmoid and tanh are accurate beside 1 alone.
        with parity_check.record(drawn.model, noise=16, activations="absolute") as own:
            with torch.no_grad():
                drawn.model(drawn.x)
        path = own.save(folder / "absolute.safetensors")
        tally.by_onnx += 1
        tally.accused_onnx.update(accusers(own, path, values, folder, f"{seed}, ONNX Runtime"))
    names = [stage.module_name for stage in recording.stages]
    stage = r.choice(names)
    if mistake := planted(drawn.model, stage, r):
        kind, model = mistake
        values = run(model, drawn.x)
        if not is_visible(recording, stage, values):
            tally.invisible += 1
        else:
            tally.single += 1
            firsts = {way: found[0] if found else None
                      for way, found in blamed(recording, reference, values, folder).items()}
            tally.named.update(way for way, first in firsts.items() if first == stage)
            tally.others += len(traced(reference, values, folder)) > 1
            if firsts["trace"] != stage:
                tally.missed.append(f"{seed}: {kind} in {stage}, named {firsts['trace']} "
                                    f"({drawn.description})")
    two = r.sample(names, 2)
    first = planted(drawn.model, two[0], r)
    second = planted(first[1], two[1], r) if first else None
    if second and is_visible(recording, two[0], run(first[1], drawn.x)):
        tally.double += 1
        values = run(second[1], drawn.x)
        found = traced(reference, values, folder)
        tally.both += set(two) <= set(found)
        replayed = {stage.stage for stage in parity_check.replay(drawn.model, recording, values)
                    if stage.is_right is False}
        tally.both_replayed += set(two) <= replayed
        tally.falsely_replayed += len(replayed - set(two))
        if replayed - set(two):
            print(f"falsely replayed: {seed}: {replayed - set(two)} beside {second[0]}, {two}")
        if not set(two) <= set(found):
            tally.missed.append(f"{seed}: {first[0]} in {two[0]}, {second[0]} in {two[1]}, named "
                                f"{found} ({drawn.description})")


def run(model: torch.nn.Module, x: torch.Tensor) -> Values:
    with parity_check.record(model, deterministic=False) as recording, torch.no_grad():
        model(x)
    return recording.values


def right_ways(drawn: RandomModel):
    with torch.backends.mkldnn.flags(enabled=False):
        yield "native", run(drawn.model, drawn.x)
    torch.set_num_threads(2)
    try:
        yield "two threads", run(drawn.model, drawn.x)
    finally:
        torch.set_num_threads(1)
    parts = [run(drawn.model, x[None]) for x in drawn.x]
    yield "alone", {name: torch.cat([part[name] for part in parts]) for name in parts[0]
                    if parts[0][name].dim() == 3 and not name.endswith(("h_n", "c_n"))}


def is_visible(recording: Recording, stage: str, values: Values) -> bool:
    """Whether the first stage that is wrong gives something else, beyond rounding."""
    for name in next(s for s in recording.stages if s.name == stage).outputs:
        if name not in recording.sigma:
            return False
        difference = (values[name].double() - recording.values[name].double()).abs()
        if (difference > 12 * 2**0.5 * recording.sigma[name].double()).any():
            return True
    return False


def accusers(
    recording: Recording, reference: Path, values: Values, folder: Path, what: str
) -> list[str]:
    found = {way for way, stages in blamed(recording, reference, values, folder).items() if stages}
    if "trace" in found:
        print(f"falsely accused: {what}: {traced(reference, values, folder)}", flush=True)
    return sorted(found)


def blamed(
    recording: Recording, reference: Path, values: Values, folder: Path
) -> dict[str, list[str]]:
    """The stages that each way calls wrong, the first first."""
    found = {"trace": traced(reference, values, folder),
             "trace --no-replay": traced(reference, values, folder, "--no-replay")}
    for way, is_off in OTHERS.items():
        found[way] = [stage.name for stage in recording.stages
                      if any(is_off(values[name].double(), recording.values[name].double())
                             for name in stage.outputs if name in values)]
    return found


def traced(reference: Path, values: Values, folder: Path, *options: str) -> list[str]:
    actual = folder / "actual.safetensors"
    arrays = {name: tensor.numpy() for name, tensor in values.items()
              if tensor.is_floating_point()}
    write(actual, {}, {f"values/{name}": np.ascontiguousarray(a) for name, a in arrays.items()})
    ended = subprocess.run(
        [PARITY_CHECK, "trace", reference, actual, "--verbose", *options], capture_output=True,
        text=True, timeout=600)
    if ended.returncode not in (0, 1):
        raise RuntimeError(ended.stderr)
    rows = [line.split() for line in ended.stdout.splitlines() if line.startswith("starts here")]
    return [row[3] if row[2] == "too" else row[2] for row in rows]


def cosine_is_off(actual: torch.Tensor, expected: torch.Tensor) -> bool:
    a, e = actual.flatten(), expected.flatten()
    return bool((a @ e) <= 0.999 * a.norm() * e.norm())


def testing_is_off(actual: torch.Tensor, expected: torch.Tensor) -> bool:
    try:
        torch.testing.assert_close(actual.float(), expected.float())
    except AssertionError:
        return True
    return False


def rms_is_off(actual: torch.Tensor, expected: torch.Tensor) -> bool:
    return bool((actual - expected).norm() > 1e-3 * expected.norm())


OTHERS = {"cosine 0.999": cosine_is_off, "torch.testing": testing_is_off,
          "relative RMS 1e-3": rms_is_off}
