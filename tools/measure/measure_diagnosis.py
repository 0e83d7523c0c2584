"""Measures how often `parity-check --actual --diagnose` names what is wrong.

`write` makes cases with real PyTorch, results that are wrong in known ways, and
`truth.json`; `check` runs parity-check on them and counts. The kind `frameworks` needs
onnx, onnxruntime and keras beside what the other tools need.
"""

import argparse
import json
import subprocess
import time
from pathlib import Path

from measure import diagnosis_score
from catalogue import export_fixtures
from measure import wrong_cases
from measure import wrong_unlisted


def write(options: argparse.Namespace) -> None:
    export_fixtures.quiet_pytorch()
    given = options.folder, options.count, options.seed
    if options.kind == "unlisted":
        truth = wrong_unlisted.write_unlisted(*given)
    elif options.kind == "frameworks":
        # Only here: not everybody has Keras.
        from measure import wrong_frameworks

        truth = wrong_frameworks.write_frameworks(*given)
    else:
        truth = wrong_cases.write_ways(*given, pairs=options.kind == "pairs")
    (options.folder / "truth.json").write_text(json.dumps(truth, indent=1) + "\n")
    print(f"{len(truth)} cases in {options.folder}")


def check(options: argparse.Namespace) -> None:
    truth = json.loads((options.folder / "truth.json").read_text())
    command = [
        options.tool, options.folder / "cases", "--actual", options.folder / "actual",
        "--diagnose", options.diagnose, "--jobs", str(options.jobs),
    ]
    if options.text:
        text = options.text.read_text()
    else:
        text = diagnosis_score.run(command, options.folder / "report.txt")
    print("\n".join(diagnosis_score.summary(truth, diagnosis_score.parse(text))))


def times(options: argparse.Namespace) -> None:
    """How long a case takes with a diagnosis, less what it takes without."""
    names = sorted(json.loads((options.folder / "truth.json").read_text()))[: options.count]

    def seconds(name: str, effort: str) -> float:
        start = time.perf_counter()
        subprocess.run(
            [options.tool, options.folder / "cases", "--actual", options.folder / "actual",
             "--diagnose", effort, "--filter", f"^{name}$"], stdout=subprocess.DEVNULL)
        return time.perf_counter() - start

    for effort in ["fast", "full"]:
        taken = sorted(seconds(name, effort) - seconds(name, "off") for name in names)
        print(f"{effort}: median {taken[len(taken) // 2]:.3f} s, worst {taken[-1]:.2f} s, "
              f"{len(taken)} cases")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(required=True)

    writing = commands.add_parser("write", help="write cases, wrong results and the truth")
    writing.add_argument("folder", type=Path, metavar="DIR", help="new or empty")
    writing.add_argument("--count", type=int, default=500)
    writing.add_argument("--seed", type=int, default=1)
    writing.add_argument("--kind", required=True,
                         choices=["singles", "pairs", "unlisted", "frameworks"])
    writing.set_defaults(run=write)

    checking = commands.add_parser("check", help="run parity-check on them and count")
    checking.add_argument("folder", type=Path, metavar="DIR")
    source = checking.add_mutually_exclusive_group(required=True)
    source.add_argument("--tool", type=Path, help="parity-check")
    source.add_argument("--text", type=Path, help="what it printed before")
    checking.add_argument("--diagnose", default="full")
    checking.add_argument("--jobs", type=int, default=2)
    checking.set_defaults(run=check)

    timing = commands.add_parser("time", help="how long a diagnosis takes")
    timing.add_argument("folder", type=Path, metavar="DIR")
    timing.add_argument("--tool", type=Path, required=True, help="parity-check")
    timing.add_argument("--count", type=int, default=100)
    timing.set_defaults(run=times)

    options = parser.parse_args()
    if options.run is write and options.folder.exists() and any(options.folder.iterdir()):
        parser.error(f"{options.folder} is not empty")
    options.run(options)
