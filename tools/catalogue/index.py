"""Fixtures/README.md, which lists the catalogue's cases and what each is for."""

from pathlib import Path

from catalogue import committed
from catalogue.fixture import FIXTURES
from parity_check.containers import read

README = FIXTURES / "README.md"
HEAD = """# The catalogue's cases

Made by `tools/export_fixtures.py` and `tools/export_keras.py`, which write this file too. A case of
your own may stand beside these: `parity-check` judges it, and this repository's tests, which go by
this list, leave it alone.

| case | what it is for |
|---|---|
"""


def text() -> str:
    """The list of the catalogue's cases that stand in Fixtures/."""
    cases = {name: read(path)[0] for name, path in committed.committed().items()}
    return HEAD + "".join(f"| {name} | {manifest.get('description', '')} |\n"
                          for name, manifest in sorted(cases.items()))


def update(folder: Path) -> None:
    """Writes the list anew where cases were written to Fixtures/ itself."""
    if folder.resolve() == FIXTURES:
        README.write_text(text(), encoding="utf-8")
