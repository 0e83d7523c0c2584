"""Holds the rounding-noise rule against other implementations, right ones and slightly wrong ones.

The right ones are ONNX Runtime, Keras and JAX; the wrong ones are written out in PyTorch's
operators with one part replaced. Each computes LSTMs and GRUs of one layer whose weights are
like trained ones, and the results are judged against PyTorch's.

    .venv/bin/python -m pip install -r tools/requirements-frameworks.txt
    .venv/bin/python tools/calibrate_others.py
"""

import argparse
import random
import re
import subprocess
import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from catalogue import export_fixtures
from measure import stepwise
from measure import trained_modules
from measure.calibrate_noise import PARITY_CHECK
from measure.other_frameworks import FRAMEWORKS
from parity_check.modules import states

#: What makes right results in a coarser arithmetic, and how that is declared.
COARSE = {
    "TF32 operands": (10, "tf32"),
    "bfloat16 operands": (7, "bfloat16"),
}


def draw(number: int, seed: int) -> tuple[torch.nn.Module, torch.Tensor]:
    """A module with weights like trained ones, every fifth of them trained, and its input."""
    r = random.Random(f"{seed}/{number}/others")
    torch.manual_seed(r.randrange(2**31))
    steps, batch = r.choice([1, 5, 20, 50, 100]), r.choice([1, 2, 5])
    trained = [trained_modules.trained(k) for k in range(trained_modules.COUNT)]
    usable = [m for m in trained if not type(m) is torch.nn.RNN and m.num_layers == 1]
    if r.random() < 0.2:
        module = r.choice(usable)
        return module, torch.randn(steps, batch, module.input_size)
    kind = r.choice(["LSTM", "GRU"])
    module = getattr(torch.nn, kind)(
        r.choice([1, 3, 8, 16, 40]), r.choice([4, 8, 16, 32, 64, 128]),
        bidirectional=r.random() < 0.5).eval()
    scale, gate = r.choice([1, 1, 2, 3]), r.choice([0, 0, 3, 6])
    with torch.no_grad():
        for name, parameter in module.named_parameters():
            parameter *= scale
            if "bias_ih" in name:
                for block in parameter.split(module.hidden_size):
                    block += gate * torch.randint(-1, 2, block.shape)
    return module, torch.randn(steps, batch, module.input_size) * r.choice([1, 1, 3, 0.1])


class Corpus:
    """The modules, their references on disk, and how results of others are judged."""

    def __init__(self, count: int, seed: int, folder: Path) -> None:
        self.modules = [draw(number, seed) for number in range(count)]
        self.folder, self.references = folder, folder / "references"
        self.references.mkdir()
        for number, (module, x) in enumerate(self.modules):
            with torch.no_grad():
                output, final = module(x)
            export_fixtures.fixture(
                f"{number:05}", "npz-stored", module, {"input": x},
                {"output": output} | states(final), description="", seed=seed,
            ).write(self.references)

    def results(self, compute: Callable, name: str) -> Path:
        folder = self.folder / re.sub(r"\W+", "-", name)
        folder.mkdir()
        for number, (module, x) in enumerate(self.modules):
            tensors = compute(module, x)
            np.savez(folder / f"{number:05}.npz", **{k: np.asarray(v) for k, v in tensors.items()})
        return folder

    def judge(self, actual: Path, *options: str) -> list[tuple[str, str]]:
        """The status of each case, and its whole report."""
        command = [PARITY_CHECK, self.references, "--actual", actual, *options]
        printed = subprocess.run(command, capture_output=True, text=True, check=False).stdout
        reports = re.split(r"\n(?=\S)", printed)[:-1]
        assert len(reports) == len(self.modules), printed[-500:]
        return [(report.split()[0], report) for report in reports]


def share(results: list[tuple[str, str]], status: str = "failed") -> str:
    conclusive = [own for own, _ in results if own != "inconclusive"]
    return f"{100 * Counter(conclusive)[status] / max(1, len(conclusive)):.1f}%"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=300, help="modules that all are right on")
    parser.add_argument("--wrong", type=int, default=100, help="modules for each mistake")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    export_fixtures.quiet_pytorch()
    for count, judge in ((options.count, right), (options.wrong, wrong)):
        with tempfile.TemporaryDirectory() as path:
            judge(Corpus(count, options.seed, Path(path)))


def right(corpus: Corpus) -> None:
    print("| right results of | declared as | fail | inconclusive | largest z | torch.testing fails |")
    print("|---|---|---|---|---|---|")
    ways: list[tuple[str, Callable, list[str]]] = [
        (name, compute, stated) for name, (compute, stated) in FRAMEWORKS.items()]
    for name, (bits, arithmetic) in COARSE.items():
        style = stepwise.Style(operand=stepwise.keeping_bits(bits))
        ways.append((name, lambda m, x, s=style: stepwise.run(m, x, s),
                     ["--actual-arithmetic", arithmetic]))
    for name, compute, stated in ways:
        actual = corpus.results(compute, name)
        results = corpus.judge(actual, "--diagnose", "off", *stated)
        z = [float(v) for _, report in results for v in re.findall(r"([\d.]+)σ of rounding", report)]
        torch_testing = corpus.judge(actual, "--diagnose", "off", "--tolerance", "torch")
        inconclusive = sum(status == "inconclusive" for status, _ in results)
        print(f"| {name} | {' '.join(stated) or 'as it is'} | {share(results)} | {inconclusive} | "
              f"{max(z, default=0):.1f} | {share(torch_testing)} |", flush=True)
        for number, (status, _) in enumerate(results):
            if status == "failed":
                print(f"  failed: {number:05}")


def wrong(corpus: Corpus) -> None:
    print("\n| slightly wrong in one part | caught | torch.testing | pass as the report proposes |")
    print("|---|---|---|---|")
    for name, style in (stepwise.SLIGHTLY_WRONG | stepwise.COARSELY_WRONG).items():
        actual = corpus.results(lambda m, x, s=style: stepwise.run(m, x, s), name)
        results = corpus.judge(actual)
        torch_testing = corpus.judge(actual, "--diagnose", "off", "--tolerance", "torch")
        proposed = Counter(
            match for _, report in results
            for match in set(re.findall(r"--actual-(?:arithmetic|activations) \w+", report)))
        passing = 0
        for flags in proposed:
            again = corpus.judge(actual, "--diagnose", "off", *flags.split())
            passing += sum(
                flags in report and status == "passed"
                for (_, report), (status, _) in zip(results, again, strict=True))
        print(f"| {name} | {share(results)} | {share(torch_testing)} | {passing} |", flush=True)
