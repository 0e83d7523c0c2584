"""Running `parity-check` on a folder of cases, and what it says of each."""

import re
import shutil
import subprocess
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from parity_check.command import program

#: The first line of a case, and the last line of a report.
CASE = re.compile(r"(passed|failed|invalid|unreadable|inconclusive|skipped) +(\S+) +(.*)")
SUMMARY = re.compile(r"\d+ cases?: (.*) in [\d.]+ s")


class NotJudged(Exception):
    """There is no parity-check, or it did not judge: what to do, or what it said."""

    def __init__(self, said: str, exit_status: int = 2) -> None:
        super().__init__(said)
        self.exit_status = exit_status


@dataclass(frozen=True)
class Verdict:
    """What parity-check says of one case."""

    status: str
    sentence: str
    #: The known mistake that explains it, where one was looked for and found.
    diagnosis: str | None

    @property
    def is_failure(self) -> bool:
        return self.status in ("failed", "invalid", "unreadable")

    @property
    def kind(self) -> tuple[str, str]:
        """What failures of one cause have in common: the status, and how the sentence begins."""
        return self.status, re.split(r"[;:]", re.sub(r"\d", "", self.sentence))[0]

    def __str__(self) -> str:
        return f"{self.status}: {self.sentence}"


@dataclass(frozen=True)
class Judged:
    """A run of parity-check. Its exit status is 0, 1 or 2."""

    exit_status: int
    #: By the cases' names. With `--quiet` among the options, those alone that did not pass.
    verdicts: dict[str, Verdict]
    #: How many cases have each status, as the last line counts them.
    counts: Counter[str]


def binary() -> Path:
    """The installation's own program, else what is on the PATH. Raises NotJudged."""
    found = program() or shutil.which("parity-check")
    if found is None:
        raise NotJudged("no parity-check in this installation nor on the PATH: run tools/check, "
                        "which builds it")
    return Path(found)


def judge(path: Path, options: Sequence[str] = ()) -> Judged:
    """Judges a case or a folder of cases, with further options of parity-check.

    Raises NotJudged as `report` does.
    """
    run = report(path, options)
    lines = run.stdout.splitlines()
    summary = SUMMARY.fullmatch(lines[-1])
    counts = Counter({status: int(count) for count, status in
                      (part.split(" ", 1) for part in summary[1].split(", "))})
    return Judged(run.returncode, verdicts(lines), counts)


def report(path: Path, options: Sequence[str]) -> subprocess.CompletedProcess[str]:
    """What parity-check prints, with its exit status.

    Raises NotJudged where there is no parity-check, or where it judged nothing, as after an
    option that it does not know.
    """
    command = [str(binary()), str(path), *options, "--color", "never"]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    lines = run.stdout.splitlines()
    if run.returncode not in (0, 1, 2) or not lines or not SUMMARY.fullmatch(lines[-1]):
        raise NotJudged((run.stderr or run.stdout).strip() or "parity-check printed nothing",
                        run.returncode or 2)
    return run


def verdicts(lines: list[str]) -> dict[str, Verdict]:
    found = {}
    for number, line in enumerate(lines):
        if case := CASE.fullmatch(line):
            below = lines[number + 1].strip() if number + 1 < len(lines) else ""
            said = below if below.startswith("diagnosis: ") else None
            found[case[2]] = Verdict(case[1], case[3], said)
    return found
