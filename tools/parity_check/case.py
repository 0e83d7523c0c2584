"""A fixture: one module with its parameters, inputs and outputs."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from parity_check.arrays import as_array
from parity_check.containers import write
from parity_check.format import FORMAT, Manifest, Tensors, digest


@dataclass(frozen=True)
class Case:
    """A manifest with its tensors, as parity-check judges them."""

    manifest: Manifest
    tensors: Tensors

    @classmethod
    def of(
        cls, manifest: Manifest, groups: dict[str, dict[str, torch.Tensor]],
        provenance: dict[str, Any],
    ) -> "Case":
        """From what is the case's own: the tensors by group, `inputs` say, and name."""
        tensors = {f"{group}/{name}": as_array(tensor)
                   for group, named in groups.items() for name, tensor in named.items()}
        whole = {"format": FORMAT} | manifest | {"provenance": provenance,
                                                 "digest": digest(tensors)}
        return cls({key: value for key, value in whole.items() if value is not None}, tensors)

    def save(self, path: Path | str) -> Path:
        """Writes it as the path's ending says: see `containers.write`."""
        return write(path, self.manifest, self.tensors)
