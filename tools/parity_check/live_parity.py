"""Live parity: random configurations, computed by real PyTorch and judged at once.

What fails is made as simple as it can be while it still fails, and kept as a case:

    run = live(count=100, seed=7, options=["--engine", "./mine {case} {out}"])
    assert run.exit_status == 0, run
"""

import itertools
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import torch

from parity_check.case import case_of
from parity_check.configurations import Configuration, forward, make, random_inputs
from parity_check.drawing import draw
from parity_check.judging import Judged, Verdict, binary, judge
from parity_check.shrinking import shrink

#: How many cases are judged in one run of parity-check where a time is given.
BATCH = 50
#: Where `--quiet` leaves out the line.
PASSED = Verdict("passed", "", None)


@dataclass(frozen=True)
class Failure:
    """A drawn configuration that failed, and the simplest that fails in the same way."""

    drawn: Configuration
    #: Of the drawn one, with its diagnosis: so small a case as the simplest can have several.
    verdict: Verdict
    simplest: Configuration
    #: The case of the simplest one, and what parity-check says of it alone.
    path: Path
    simplest_verdict: Verdict


@dataclass
class Run:
    """What came of the configurations with one seed."""

    seed: int
    drawn: int = 0
    #: The statuses, as parity-check counts them.
    counts: Counter[str] = field(default_factory=Counter)
    #: Configurations that did not pass and were not skipped, by name.
    failed: dict[str, Verdict] = field(default_factory=dict)
    #: One for each kind of failure.
    failures: list[Failure] = field(default_factory=list)
    #: 0, 1 or 2, as of parity-check on all of them.
    exit_status: int = 0

    def __str__(self) -> str:
        judged = sum(self.counts.values())
        counts = ", ".join(f"{count} {status}" for status, count in self.counts.items())
        return f"seed {self.seed}: {self.drawn} drawn, {judged} judged" + (
            f": {counts}" if counts else "")


def live(
    count: int | None = 200, seed: int = 1, *, seconds: float | None = None,
    options: Sequence[str] = (), keep: Path | str | None = None,
) -> Run:
    """Draws so many configurations, or as many as `seconds` allow, and judges them.

    `options` are parity-check's. Of the failures of each kind the first is made as simple as it
    can be, and written to `keep`, by default a new temporary folder. Configurations that this
    PyTorch cannot compute on a CPU are drawn and not judged. Raises NotJudged where there is no
    parity-check, or where it refuses its options.
    """
    binary()
    run, end = Run(seed), time.monotonic() + (seconds or 0)
    numbers = itertools.count() if count is None else iter(range(count))
    # One run of parity-check for all, unless the time may be up before.
    size = BATCH if seconds is not None else count
    while batch := [draw(number, seed) for number in itertools.islice(numbers, size)]:
        judged = judge_all(batch, ["--diagnose", "off", *options])
        run.drawn += len(batch)
        run.exit_status = max(run.exit_status, judged.exit_status)
        run.counts.update(judged.counts)
        for c in batch:
            verdict = judged.verdicts.get(c.name)
            if verdict is None or verdict.status in ("passed", "skipped"):
                continue
            run.failed[c.name] = verdict
            known = {failure.verdict.kind for failure in run.failures}
            if verdict.is_failure and verdict.kind not in known:
                keep = Path(keep or tempfile.mkdtemp(prefix="live-parity-"))
                run.failures.append(shrunk(c, verdict, options, keep))
        if seconds is not None and time.monotonic() >= end:
            break
    return run


def judge_all(configurations: Iterable[Configuration], options: Sequence[str]) -> Judged:
    with tempfile.TemporaryDirectory(prefix="live-parity-") as name:
        if not write_all(configurations, Path(name)):
            return Judged(0, {}, Counter())
        return judge(Path(name), options)


def write_all(configurations: Iterable[Configuration], folder: Path) -> int:
    """Computes and writes them, and returns how many PyTorch could compute."""
    written = 0
    for c in configurations:
        try:
            write(c, folder / f"{c.name}{c.container}")
        except RuntimeError as error:
            # PyTorch's words where a type has no kernel for the CPU.
            if "not implemented for" not in str(error):
                raise
            continue
        written += 1
    return written


def write(c: Configuration, path: Path) -> None:
    torch.manual_seed(c.seed)
    module = make(c)
    inputs = random_inputs(c, module)
    case_of(
        module, inputs, forward(c, module, inputs), description=c.description, seed=c.seed,
        packed=c.packed if c.lengths else None, chunks=c.chunks).save(path)


def shrunk(c: Configuration, verdict: Verdict, options: Sequence[str], keep: Path) -> Failure:
    def failing(configurations: list[Configuration]) -> list[Configuration]:
        verdicts = judge_all(configurations, ["--diagnose", "off", *options]).verdicts
        return [c for c in configurations
                if c.name in verdicts and verdicts[c.name].kind == verdict.kind]

    simplest = shrink(c, failing)
    simplest = replace(simplest, description=f"the simplest that fails as {c.description}")
    path = keep / f"{c.name}-simplest{simplest.container}"
    write(simplest, path)
    alone = judge(path, options).verdicts
    diagnosed = judge_all([c], options).verdicts.get(c.name, verdict)
    return Failure(c, diagnosed, simplest, path, next(iter(alone.values()), PASSED))
