"""Holds the rounding-noise rule against real PyTorch: that nothing right fails
it, and how much of what is wrong it sees.

Draws random configurations (`random_modules.py`). Each runs in PyTorch and is judged;
then again with one error planted in PyTorch's own module, the fixture keeping the
weights that it should have had.
"""

import argparse
import copy
import re
import subprocess
import tempfile
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch

from catalogue import contract
from catalogue import export_fixtures
from measure.noise_witness import CONFIRMED, witness
from measure.random_modules import Configuration, draw, draw_large, forward, make, make_inputs
from parity_check.modules import Named

ROOT = Path(__file__).resolve().parent.parent.parent
PARITY_CHECK = ROOT / ".build" / "release" / "parity-check"


def one_weight(factor: float) -> Callable:
    """The largest weight_hh times this."""
    def plant(c: Configuration, module: torch.nn.Module, inputs: Named) -> Named | None:
        weight = dict(module.named_parameters())["weight_hh" + ("" if "Cell" in c.kind else "_l0")]
        flat = weight.data.view(-1)
        flat[flat.abs().argmax()] *= factor
        return forward(c, module, inputs)
    return plant


def swapped_gates(c: Configuration, module: torch.nn.Module, inputs: Named) -> Named | None:
    if c.kind.startswith("RNN"):
        return None
    for parameter in module.parameters():
        if parameter.shape[0] >= 3 * c.hidden_size:
            first, second, *rest = parameter.data.split(c.hidden_size)
            parameter.data = torch.cat([second, first, *rest])
    return forward(c, module, inputs)


def dropped_bias(c: Configuration, module: torch.nn.Module, inputs: Named) -> Named | None:
    if not c.arguments["bias"]:
        return None
    for name, parameter in module.named_parameters():
        if "bias_hh" in name:
            parameter.data.zero_()
    return forward(c, module, inputs)


def tf32_operands(c: Configuration, module: torch.nn.Module, inputs: Named) -> Named | None:
    if c.dtype != torch.float32:
        return None

    def rounded(tensor: torch.Tensor) -> torch.Tensor:
        bits = tensor.contiguous().view(torch.int32)
        return ((bits + 0xFFF + (bits >> 13 & 1)) & ~0x1FFF).view(torch.float32)

    for name, parameter in module.named_parameters():
        if "weight" in name:
            parameter.data = rounded(parameter.data)
    return forward(c, module, inputs | {"input": rounded(inputs["input"])})


def missing_step(c: Configuration, module: torch.nn.Module, inputs: Named) -> Named | None:
    """The first step read twice, the last never."""
    if c.steps < 2:
        return None
    x, axis = inputs["input"], c.step_axis
    first, others = x.narrow(axis, 0, 1), x.narrow(axis, 0, c.steps - 1)
    return forward(c, module, inputs | {"input": torch.cat([first, others], axis)})


def first_b_hn(c: Configuration, module: torch.nn.Module, inputs: Named) -> Named | None:
    """GRU's b_hn left out at the first step, where h may be zero and the bias is not."""
    if "GRU" not in c.kind or not c.arguments["bias"] or c.arguments.get("bidirectional") or c.lengths:
        return None
    without = copy.deepcopy(module)
    for name, parameter in without.named_parameters():
        if "bias_hh" in name:
            parameter.data[2 * c.hidden_size:] = 0
    if c.kind == "GRUCell":
        return forward(c, without, inputs)
    x, axis = inputs["input"], c.step_axis
    first = forward(c, without, inputs | {"input": x.narrow(axis, 0, 1)})
    if c.steps == 1:
        return first
    rest = forward(c, module, {"input": x.narrow(axis, 1, c.steps - 1), "h_0": first["h_n"]})
    output = torch.cat([first["output"], rest["output"]], axis)
    return {"output": output, "h_n": rest["h_n"]}


def plain(c: Configuration, module: torch.nn.Module, inputs: Named) -> Named | None:
    return forward(c, module, inputs)


PLANTED: dict[str, Callable] = {
    "nothing": plain, "a weight by 0.1%": one_weight(1.001), "a weight by 1%": one_weight(1.01),
    "a weight by 10%": one_weight(1.1), "two gates swapped": swapped_gates,
    "a bias dropped": dropped_bias, "TF32 operands": tf32_operands, "a step missing": missing_step,
    "b_hn dropped at the first step": first_b_hn,
}

RULES = {
    "noise": ["--tolerance", "noise"], "torch.testing": ["--tolerance", "torch"],
    "1e-6": ["--rtol", "1e-6", "--atol", "1e-6"],
}


def judge(folder: Path, options: list[str]) -> dict[str, tuple[str, float, float]]:
    """Status, largest z and largest rms z of every case, by name."""
    command = [
        PARITY_CHECK, folder, "--verbose", "--color", "never", "--diagnose", "off", *options
    ]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.returncode in (0, 1), run.stdout[-1000:] + run.stderr
    results: dict[str, tuple[str, float, float]] = {}
    name = ""
    for line in run.stdout.splitlines()[:-1]:
        if not line.startswith(" "):
            status, name = line.split()[:2]
            results[name] = (status, 0.0, 0.0)
        elif match := re.search(r"against reference .*largest z (\S+), rms z ([^\s,]+)", line):
            status, z, rms = results[name]
            results[name] = (status, max(z, float(match[1])), max(rms, float(match[2])))
    return results


def write(c: Configuration, seed: int, plant: Callable, folder: Path) -> bool:
    torch.manual_seed(seed)
    module = make(c)
    inputs = make_inputs(c, module)
    outputs = plant(c, copy.deepcopy(module), inputs)
    if outputs is None or not all(t.isfinite().any() for t in outputs.values()):
        return False
    if plant is not plain:
        honest = plain(c, module, inputs)
        # What changes no bit of PyTorch's own result, nobody can see.
        if all(contract.same(honest[name], outputs[name]) for name in honest):
            return False
    export_fixtures.fixture(
        c.name, "npz-stored", module, inputs, outputs, description=repr(c), seed=seed,
        packed=c.packed,
    ).write(folder)
    return True


@dataclass
class Row:
    """What became of the configurations with one error, by rule."""

    planted: str
    written: int
    #: Those that can be judged, and of them those that fail.
    judged: dict[str, int]
    failed: dict[str, int]

    def share(self, rule: str) -> float:
        return self.failed[rule] / max(1, self.judged[rule])

    def __str__(self) -> str:
        cells = [f"{100 * self.share(rule):.1f}%" for rule in RULES]
        return f"| {self.planted} | {self.written} | " + " | ".join(cells) + " |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=2000, help="configurations judged as they are")
    parser.add_argument("--planted", type=int, default=200, help="configurations for each error")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--large", type=int, default=0,
        help="right results of a million to ten million elements, judged besides")
    parser.add_argument("--plot", type=Path, help="draw it too, as SVG; needs matplotlib")
    options = parser.parse_args()
    export_fixtures.quiet_pytorch()
    warnings.filterwarnings("ignore", message="TF32 acceleration")

    print("Share of the conclusive cases that fail; below the first line, of those that")
    print("the rule passes without the error.\n")
    print("| planted in PyTorch | cases | " + " | ".join(RULES) + " |")
    print("|---|---|" + "---|" * len(RULES))
    notes: list[str] = []
    rows: list[Row] = []
    right: dict[str, set[str]] = {rule: set() for rule in RULES}
    passed: list[tuple[float, float]] = []
    for planted, plant in PLANTED.items():
        count = options.count if planted == "nothing" else options.planted
        with tempfile.TemporaryDirectory() as path:
            folder = Path(path)
            written = sum(
                write(draw(n, options.seed), options.seed + n, plant, folder) for n in range(count)
            )
            if not written:
                continue
            row = Row(planted, written, {}, {})
            for rule, arguments in RULES.items():
                results = judge(folder, arguments)
                if planted == "nothing":
                    notes += summary(rule, results, options.seed)
                    right[rule] = {n for n, (status, _, _) in results.items() if status == "passed"}
                    if rule == "noise":
                        passed = [(z, rms) for s, z, rms in results.values() if s == "passed"]
                judged = [
                    status == "failed" for name, (status, _, _) in results.items()
                    if status != "inconclusive" and (planted == "nothing" or name in right[rule])
                ]
                row.judged[rule], row.failed[rule] = len(judged), sum(judged)
            rows.append(row)
            print(row, flush=True)
    print(*notes, sep="\n")
    if options.large:
        print(large(options.large, options.seed))
    if options.plot:
        plot(rows, passed, options.plot)


def large(count: int, seed: int) -> str:
    """Judges this many large results, one at a time: each fills some hundred megabytes."""
    statuses: dict[str, list[str]] = {}
    zs = [0.0]
    for number in range(count):
        with tempfile.TemporaryDirectory() as path:
            c = draw_large(number, seed)
            if not write(c, seed + number, plain, Path(path)):
                continue
            for status, z, _ in judge(Path(path), RULES["noise"]).values():
                statuses.setdefault(status, []).append(c.name)
                zs.append(z if status == "passed" else 0.0)
    return (
        "of a million elements or more: "
        + ", ".join(f"{len(names)} {status}" for status, names in statuses.items())
        + f"; largest z {max(zs):.2f}"
        + "".join(f"\n  failed: {name}" for name in statuses.get("failed", [])))


def plot(rows: list[Row], passed: list[tuple[float, float]], path: Path) -> None:
    """The same bytes for the same figures."""
    import matplotlib

    matplotlib.use("svg")
    matplotlib.rcParams |= {"svg.hashsalt": "calibrate_noise", "svg.fonttype": "path"}
    from matplotlib import pyplot

    figure, (left, middle) = pyplot.subplots(
        1, 2, figsize=(11, 4.4), layout="constrained", gridspec_kw={"width_ratios": [1, 1.35]}
    )
    for values, label, limit, color in (
        ([z for z, _ in passed], "largest z of a case", 8, "tab:blue"),
        ([rms for _, rms in passed], "largest rms z of a tensor", 2, "tab:green"),
    ):
        ordered = sorted(values)
        left.plot(
            ordered, [1 - k / len(ordered) for k in range(len(ordered))], color=color, label=label
        )
        left.axvline(limit, color=color, linestyle="--", linewidth=1)
    left.set(
        yscale="log", xlim=(0, 9), xlabel="in units of σ (dashed: what fails)",
        ylabel="share of right cases above", title=f"{len(passed):,} right results of PyTorch",
    )
    left.legend(loc="upper center")
    errors = rows[1:]
    for index, (rule, color) in enumerate(
        zip(RULES, ("tab:blue", "tab:orange", "tab:gray"), strict=True)
    ):
        middle.barh(
            [place + (index - 1) * 0.27 for place in range(len(errors))],
            [100 * row.share(rule) for row in errors], height=0.25, color=color, label=rule,
        )
    middle.set(
        yticks=range(len(errors)), yticklabels=[row.planted for row in errors], xlim=(0, 100.5),
        xlabel="% caught, of the cases that the rule passes without the error",
        title="One error planted in PyTorch",
    )
    middle.invert_yaxis()
    middle.legend(loc="upper center", bbox_to_anchor=(0.5, -0.14), ncols=3)
    figure.savefig(path, metadata={"Date": None})


def summary(
    rule: str, results: dict[str, tuple[str, float, float]], seed: int
) -> list[str]:
    failed = sorted(name for name, (status, _, _) in results.items() if status == "failed")
    if rule != "noise":
        return [f"{rule}: {len(failed)} right ones fail"]
    passed = [(z, rms) for status, z, rms in results.values() if status == "passed"]
    inconclusive = [n for n, (status, _, _) in results.items() if status == "inconclusive"]
    numbers = [int(name.split("-")[0]) for name in inconclusive]
    said = {n: witness(draw(n, seed), seed + n) for n in numbers}
    parted = [n for n, said_of in said.items() if said_of.parted > CONFIRMED]
    overflows = [n for n, said_of in said.items() if said_of.confirms and n not in parted]
    return [
        f"noise: {len(failed)} right ones fail, {len(inconclusive)} of {len(results)} inconclusive; "
        f"largest z {max(z for z, _ in passed):.2f}, largest rms z {max(r for _, r in passed):.2f}",
        f"in {len(parted)} of the inconclusive ones PyTorch itself parts from float64, or would "
        f"from inputs changed by a unit roundoff, by more than {CONFIRMED}; in {len(overflows)} "
        "more, states of a ReLU come within a factor of 8 of the largest number",
        *(f"  not confirmed: {n}, {w.parted:.3g}" for n, w in said.items() if not w.confirms),
        *(f"  failed: {name}" for name in failed[:20]),
    ]
