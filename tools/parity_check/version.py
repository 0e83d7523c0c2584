"""The version. It is written in one place, Sources/ParityCheck/Version.swift."""

import re
from importlib import metadata
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[2] / "Sources" / "ParityCheck" / "Version.swift"


def version() -> str:
    """That of the repository that this file lies in; elsewhere, that of the installed package."""
    if not SOURCE.exists():
        return metadata.version("parity_check")
    found = re.search(r'^let parityCheckVersion = "(.+)"$', SOURCE.read_text(), re.MULTILINE)
    if found is None:
        raise ValueError(f"{SOURCE}: expected a line with parityCheckVersion")
    return found[1]
