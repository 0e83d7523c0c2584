"""A fixture ready to be written, and what all exporters say and check alike."""

import os
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from catalogue.containers import CONTAINERS
from parity_check.case import whole_manifest
from parity_check.format import Manifest, Tensors

FIXTURES = Path(__file__).resolve().parent.parent.parent / "Fixtures"


class Refused(Exception):
    """Nothing is written, and why."""


@dataclass(frozen=True)
class Fixture:
    """A case with its tensors, ready to be written."""

    name: str
    container: str
    manifest: Manifest
    tensors: Tensors

    def write(self, folder: Path) -> Path:
        # A folder could keep files that the case no longer has.
        shutil.rmtree(folder / self.name, ignore_errors=True)
        return CONTAINERS[self.container](folder / self.name, self.manifest, self.tensors)


def described(
    name: str, container: str, tensors: Tensors, own: Manifest, provenance: dict[str, Any]
) -> Fixture:
    """A fixture with what every manifest has around what is the case's own."""
    return Fixture(name, container, whole_manifest(tensors, own, provenance), tensors)


def by_name(fixtures: Iterable[Fixture]) -> dict[str, Fixture]:
    """Raises Refused where two have one name: one would be written over the other."""
    found: dict[str, Fixture] = {}
    for fixture in fixtures:
        if fixture.name in found:
            raise Refused(f"two cases are named {fixture.name}")
        found[fixture.name] = fixture
    return found


def refuse_in_ci(folder: Path) -> None:
    """Raises Refused for the repository's own folder where the environment variable CI is set."""
    if os.environ.get("CI") and folder.resolve().is_relative_to(FIXTURES):
        raise Refused("CI is set, where Fixtures/ is not written: use tools/export_fixtures.py "
                      "--check, or give a folder of your own")
