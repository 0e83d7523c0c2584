"""A function as a program that parity-check runs for each case, or that answers case after case
(README, "Testing a port")."""

import argparse
import json
import os
import sys
import traceback
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TextIO

import numpy as np

from parity_check.containers import npz_members, write_zip
from parity_check.engine.case import CannotCompute, Case
from parity_check.engine.failure import Failure

#: From a case to its results, by name: `output`, `h_n`, `c_n`.
Compute = Callable[[Case], Mapping[str, Any]]

#: The exit status by which parity-check skips a case.
SKIP_STATUS = 77


def program(compute: Compute) -> Compute:
    """A decorator that runs the file's program where the file is run as one. It is to be the
    last thing in the file: what stands behind it is not reached."""
    if compute.__module__ == "__main__":
        run(compute)
    return compute


def run(compute: Compute, chains: bool = False) -> None:
    """Runs the program and ends this process.

    With the arguments CASE and OUT it computes one case; without arguments it answers the
    lines of its standard input, each a JSON object with `case` and `out`, until that ends. What
    `compute` prints goes to the standard error.

    chains: whether `compute` is given cases of a `Sequential` too; without, they are skipped.
    """
    parser = argparse.ArgumentParser(
        description="Computes a case for parity-check --engine, or without arguments case after "
                    "case for --engine-server.")
    parser.add_argument("paths", nargs="*", type=Path, metavar="CASE OUT")
    paths = parser.parse_args().paths
    if len(paths) not in (0, 2):
        parser.error("expected CASE and OUT, or nothing")
    if not paths:
        sys.exit(serve(compute, chains))
    try:
        answer(compute, chains, *paths)
    except CannotCompute as reason:
        print(reason, file=sys.stderr)
        sys.exit(SKIP_STATUS)
    except Failure as failure:
        failure.write(sys.stderr)
        sys.exit(1)
    sys.exit(0)


def serve(compute: Compute, chains: bool) -> int:
    questions, answers = own_streams()
    for line in questions:
        question = json.loads(line)
        try:
            answer(compute, chains, Path(question["case"]), Path(question["out"]))
            reply = {"status": "done"}
        except CannotCompute as reason:
            reply = {"status": "unsupported", "reason": str(reason)}
        except Failure as failure:
            failure.write(sys.stderr)
            reply = {"status": "failed", "reason": str(failure)}
        except Exception as error:
            traceback.print_exc()
            reply = {"status": "failed", "reason": f"{type(error).__name__}: {error}"}
        sys.stdout.flush()
        sys.stderr.flush()
        print(json.dumps(reply), file=answers, flush=True)
    return 0


def own_streams() -> tuple[TextIO, TextIO]:
    """The standard input and output, for questions and answers alone: whatever else reads finds
    nothing from now on, and whatever else prints does so to the standard error."""
    questions = os.fdopen(os.dup(0), encoding="utf-8")
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    return questions, answers


def answer(compute: Compute, chains: bool, path: Path, out: Path) -> None:
    """Computes a case and writes the results to an .npz at OUT, which may lack the ending. A
    folder that is not there is made. Raises Failure for an error of `compute`."""
    case = Case.read(path)
    if case.module == "Sequential" and not chains:
        raise CannotCompute("no chains of modules")
    try:
        computed = compute(case)
    except CannotCompute:
        raise
    except Exception as error:
        name = path.name if path.is_dir() else path.stem
        raise Failure(error, f"case {name} ({case.module})") from error
    results = {name: as_array(result) for name, result in computed.items() if result is not None}
    if out.suffix != ".npz":
        out = out.with_name(out.name + ".npz")
    out.parent.mkdir(parents=True, exist_ok=True)
    write_zip(out, npz_members(results), zipfile.ZIP_STORED)


def as_array(result: Any) -> np.ndarray:
    """As NumPy's array, of a type that a file can hold: bfloat16 becomes float32."""
    array = np.asarray(result)
    return array.astype(np.float32) if array.dtype.name == "bfloat16" else array
