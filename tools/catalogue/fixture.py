"""A fixture ready to be written, and what all exporters say and check alike."""

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from catalogue.containers import CONTAINERS
from parity_check.format import FORMAT, Manifest, Tensors, digest

FIXTURES = Path(__file__).resolve().parent.parent.parent / "Fixtures"

Named = dict[str, torch.Tensor]


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
    manifest = {"format": FORMAT} | own | {"provenance": provenance, "digest": digest(tensors)}
    present = {key: value for key, value in manifest.items() if value is not None}
    return Fixture(name, container, present, tensors)


def made_by_pytorch(seed: int) -> dict[str, Any]:
    """The provenance of what PyTorch computes here."""
    return {
        "torch": torch.__version__.split("+")[0],
        "device": "cpu",
        "threads": torch.get_num_threads(),
        "onednn": torch.backends.mkldnn.is_available(),
        "seed": seed,
    }


def as_arrays(groups: dict[str, Named]) -> dict[str, np.ndarray]:
    """Tensors by group and name, under the names that they have in a file."""
    return {
        f"{group}/{key}": as_array(tensor)
        for group, named in groups.items()
        for key, tensor in named.items()
    }


def as_array(tensor: torch.Tensor) -> np.ndarray:
    """NumPy has no bfloat16; float32 holds it without loss."""
    tensor = tensor.detach().contiguous()
    return (tensor.float() if tensor.dtype == torch.bfloat16 else tensor).numpy()
