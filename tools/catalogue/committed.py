"""The catalogue's cases as they stand in Fixtures/. Cases that somebody else has put there are
none of the catalogue's: parity-check judges them, and this repository's tests leave them alone.
"""

from pathlib import Path

from catalogue.article_cases import article_fixtures
from catalogue.cases import CASES
from catalogue.fixture import FIXTURES
from catalogue.keras_cases import CASES as KERAS_CASES
from catalogue.pipeline_cases import PIPELINE_CASES


def keras_names() -> set[str]:
    return {case.name for case in KERAS_CASES}


def pytorch_names() -> set[str]:
    """What `export_fixtures.py` writes."""
    return {case.name for case in [*CASES, *PIPELINE_CASES]} | {
        fixture.name for fixture in article_fixtures()}


def committed(names: set[str] | None = None, folder: Path = FIXTURES) -> dict[str, Path]:
    """The files and folders of these cases, or of all of the catalogue, by name."""
    names = pytorch_names() | keras_names() if names is None else names
    paths = {path.stem if path.suffix in {".npz", ".h5"} else path.name: path
             for path in sorted(folder.iterdir())}
    return {name: path for name, path in paths.items() if name in names}


def filter_options() -> list[str]:
    """parity-check's, to judge no case in Fixtures/ but the catalogue's."""
    return ["--filter", f"^({'|'.join(sorted(pytorch_names() | keras_names()))})$"]
