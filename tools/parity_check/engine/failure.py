"""An error of the function that computes a case, told without the frames of this package."""

import traceback
from pathlib import Path
from typing import TextIO

#: The folder of this package's files.
PACKAGE = Path(__file__).resolve().parent.parent


class Failure(Exception):
    """The function has raised an error. As text it is the error's type and message."""

    def __init__(self, error: Exception, place: str) -> None:
        """place: which case it was, `case gru (GRU)`."""
        super().__init__(f"{type(error).__name__}: {error}")
        self.error, self.place = error, place

    def write(self, file: TextIO) -> None:
        """Writes the error with the frames outside of this package, and a last line that names the
        case. Without such frames it is the package that refuses what the function returned, and
        the message alone says what is wrong."""
        told = traceback.TracebackException.from_exception(self.error)
        own = [frame for frame in told.stack if PACKAGE not in Path(frame.filename).parents]
        told.stack = traceback.StackSummary.from_list(own)
        lines = told.format() if own else told.format_exception_only()
        print("".join(lines) + f"in {self.place}", file=file)
