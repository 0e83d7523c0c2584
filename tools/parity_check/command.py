"""The command `parity-check` of an installation: becomes the program that is packed in it."""

import os
import signal
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
# A wheel's own; in the repository, and where it is installed as editable, the release build.
PROGRAMS = [HERE / "bin" / "parity-check", HERE.parents[1] / ".build" / "release" / "parity-check"]


def program() -> Path | None:
    """The program of this installation; None where it holds the package alone."""
    return next((path for path in PROGRAMS if path.is_file() and os.access(path, os.X_OK)), None)


def main() -> int:
    """Never returns where a program is found: signals and the exit status are then its own.

    Returns 70, the exit status for an error of parity-check itself, where there is none.
    """
    if found := program():
        # Python ignores these two, which the program would inherit.
        for name in ("SIGPIPE", "SIGXFSZ"):
            signal.signal(getattr(signal, name), signal.SIG_DFL)
        os.execv(found, [str(found), *sys.argv[1:]])
    print("parity-check: this installation holds the Python package alone; in the repository, "
          "tools/install builds the program, and tools/wheel a package with it", file=sys.stderr)
    return 70
