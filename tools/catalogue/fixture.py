"""A fixture ready to be written, and what all exporters say and check alike."""

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from catalogue.containers import CONTAINERS
from parity_check.format import Manifest, Tensors
from parity_check.recording import whole_manifest

FIXTURES = Path(__file__).resolve().parent.parent.parent / "Fixtures"


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
