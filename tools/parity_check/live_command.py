"""Judges random configurations of PyTorch's recurrent modules, and makes what fails simple.

    tools/live_parity.py --seed 7 -- --engine './mine {case} {out}' --engine-input npz

What stands behind `--` are options of parity-check. Without any, its own engine is judged.
"""

import argparse
import random
import sys
from pathlib import Path

from parity_check.configurations import quiet_pytorch
from parity_check.drawing import draw
from parity_check.judging import NotJudged
from parity_check.live_parity import Run, live, write_all


def main(arguments: list[str] | None = None) -> int:
    arguments = sys.argv[1:] if arguments is None else arguments
    own, options = arguments, []
    if "--" in arguments:
        own = arguments[:arguments.index("--")]
        options = arguments[len(own) + 1:]
    parser = argparse.ArgumentParser(
        description=__doc__.splitlines()[0],
        usage="%(prog)s [options] [-- OPTIONS OF parity-check]")
    parser.add_argument("--count", type=int, metavar="N",
                        help="how many configurations to draw (default: 200)")
    parser.add_argument("--seed", type=int, metavar="N", help="of the drawing (default: any)")
    parser.add_argument("--seconds", type=float, metavar="S",
                        help="draw for so long; with --count, that many at most")
    parser.add_argument("--keep", type=Path, metavar="DIR",
                        help="where to write what fails (default: a new temporary folder)")
    parser.add_argument("--write", type=Path, metavar="DIR",
                        help="write the configurations as cases, and judge none")
    given = parser.parse_args(own)
    if "--actual" in options:
        parser.error("--actual needs cases that are there: --write them, and judge that folder")
    if given.write and (options or given.seconds or given.keep):
        parser.error("--write judges nothing; it goes with --count and --seed alone")
    if given.count is not None and given.count < 1:
        parser.error("--count must be 1 or more")

    seed = random.randrange(10**6) if given.seed is None else given.seed
    count = 200 if given.count is None and given.seconds is None else given.count
    quiet_pytorch()
    if given.write:
        given.write.mkdir(parents=True, exist_ok=True)
        written = write_all((draw(number, seed) for number in range(count)), given.write)
        print(f"seed {seed}: {count} drawn, {written} written to {given.write}")
        return 0
    print(f"seed {seed}", flush=True)
    try:
        run = live(count, seed, seconds=given.seconds, options=options, keep=given.keep)
    except NotJudged as error:
        print(f"live_parity: {error}", file=sys.stderr)
        return error.exit_status
    report(run)
    return run.exit_status


def report(run: Run) -> None:
    for failure in run.failures:
        alike = [name for name, verdict in run.failed.items()
                 if verdict.kind == failure.verdict.kind]
        others = f", as {len(alike) - 1} more do" if len(alike) > 1 else ""
        print(f"{failure.drawn.name} fails{others}; the simplest case that does: {failure.path}")
        print(f"    {failure.simplest_verdict}")
        if failure.verdict.diagnosis:
            print(f"    {failure.verdict.diagnosis}")
    for name, verdict in run.failed.items():
        if not verdict.is_failure:
            print(f"{name}: {verdict}")
    print(run)
