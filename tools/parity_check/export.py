"""The command `parity-export`: a recording, or one module of it as a fixture, from the command
line.

    parity-export from-module my_package.models:make_model --input x.npy --out encoder.npz \\
        --module encoder.lstm
"""

import argparse
import importlib
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np

from parity_check.selection import RecordingError


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="parity-export", description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    command = commands.add_parser(
        "from-module", help="call a model once and write what it computed")
    command.add_argument("model", help="PACKAGE.MODULE:NAME of a model, or of a function without "
                         "arguments that gives one")
    command.add_argument("--input", action="append", required=True, type=Path, metavar="X.npy",
                         help="what the model is called with; once for each argument")
    command.add_argument("--checkpoint", type=Path, metavar="FILE.pt",
                         help="a state_dict to load before")
    command.add_argument("--module", metavar="NAME",
                         help="write this recurrent module alone, as a fixture")
    command.add_argument("--noise", type=int, default=0, metavar="N",
                         help="measure σ by so many replicas (16)")
    command.add_argument("--out", type=Path, required=True,
                         help=".npz, .h5, .safetensors, .pt, or a folder")
    options = parser.parse_args(arguments)
    try:
        path = from_module(options)
    except (RecordingError, OSError, ValueError, KeyError, ImportError, AttributeError) as error:
        print(f"parity-export: {error}", file=sys.stderr)
        return 1
    print(path)
    return 0


def from_module(options: argparse.Namespace) -> Path:
    import torch

    from parity_check.record_block import record

    model = load(options.model)
    if options.checkpoint:
        model.load_state_dict(torch.load(options.checkpoint, weights_only=True))
    given = [torch.from_numpy(np.load(path)) for path in options.input]
    with warnings.catch_warnings():
        warnings.showwarning = lambda message, *_, **__: print(
            f"parity-export: {message}", file=sys.stderr)
        with record(model, options.module, noise=options.noise) as recording, torch.no_grad():
            model(*given)
    if options.module:
        return recording.case(options.module).save(options.out)
    return recording.save(options.out)


def load(name: str) -> Any:
    """What a name such as `package.module:make` leads to, called where it is no model."""
    import torch

    module, _, attribute = name.partition(":")
    if not attribute:
        raise ValueError(f"{name}: give a module and a name in it, as in my_package.models:make")
    sys.path.insert(0, "")
    found: Any = importlib.import_module(module)
    for part in attribute.split("."):
        found = getattr(found, part)
    return found if isinstance(found, torch.nn.Module) else found()


if __name__ == "__main__":
    sys.exit(main())
