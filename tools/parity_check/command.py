"""The command `parity-check` of an installation: becomes the program that is packed in it."""

import os
import signal
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
# A wheel's own; in the repository, and where it is installed as editable, the release build.
PROGRAMS = [HERE / "bin" / "parity-check", HERE.parents[1] / ".build" / "release" / "parity-check"]


def main() -> int:
    """Never returns where a program is found: signals and the exit status are then its own.

    Returns 70, the exit status for an error of parity-check itself, where there is none.
    """
    for program in PROGRAMS:
        if os.access(program, os.X_OK) and program.is_file():
            # Python ignores these two, which the program would inherit.
            for name in ("SIGPIPE", "SIGXFSZ"):
                signal.signal(getattr(signal, name), signal.SIG_DFL)
            os.execv(program, [str(program), *sys.argv[1:]])
    print("parity-check: this installation holds the Python package alone; in the repository, "
          "tools/install builds the program, and tools/wheel a package with it", file=sys.stderr)
    return 70
