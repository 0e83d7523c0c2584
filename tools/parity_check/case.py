"""A fixture: one module with its parameters, inputs and outputs."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from parity_check.arrays import as_arrays
from parity_check.containers import write
from parity_check.format import FORMAT, Manifest, Tensors, digest
from parity_check.modules import Module, Named, constructor_arguments


@dataclass(frozen=True)
class Case:
    """A manifest with its tensors, as parity-check judges them."""

    manifest: Manifest
    tensors: Tensors

    @classmethod
    def of(cls, own: Manifest, groups: dict[str, Named], provenance: dict[str, Any]) -> "Case":
        """From what is the case's own in the manifest, and the tensors by group and name."""
        tensors = as_arrays(groups)
        return cls(whole_manifest(tensors, own, provenance), tensors)

    def __repr__(self) -> str:
        return f"<Case of {self.manifest['module']}, {len(self.tensors)} tensors>"

    def save(self, path: Path | str) -> Path:
        """Writes it as the path's ending says: see `containers.write`."""
        return write(path, self.manifest, self.tensors)


def case_of(
    module: Module, inputs: Named, outputs: Named, *,
    description: str, seed: int, packed: dict[str, Any] | None = None,
    chunks: int | tuple[int, ...] | None = None,
    tolerance: dict[str, Any] | None = None, expected_failure: dict[str, Any] | None = None,
    stated: tuple[str, ...] | None = None, with_parameters: bool = True,
) -> Case:
    """A case of one recurrent module.

    `stated`: the arguments that the manifest states; all of them where None.
    """
    groups = {"inputs": inputs, "outputs": outputs}
    if with_parameters:
        groups["state_dict"] = module.state_dict()
    arguments = constructor_arguments(module)
    is_bfloat16 = outputs["h_n"].dtype == torch.bfloat16
    own = {
        "module": type(module).__name__,
        "arguments": {k: v for k, v in arguments.items() if stated is None or k in stated},
        "packed": packed,
        "chunks": list(chunks) if isinstance(chunks, tuple) else chunks,
        "arithmetic": "bfloat16" if is_bfloat16 else None,
        "tolerance": tolerance,
        "expected_failure": expected_failure,
        "description": description,
    }
    return Case.of(own, groups, made_by_pytorch(seed))


def whole_manifest(tensors: Tensors, own: Manifest, provenance: dict[str, Any]) -> Manifest:
    """What every manifest has, around what is the case's own; keys that are None are left out."""
    manifest = {"format": FORMAT} | own | {"provenance": provenance, "digest": digest(tensors)}
    return {key: value for key, value in manifest.items() if value is not None}


def made_by_pytorch(seed: int) -> dict[str, Any]:
    """The provenance of what PyTorch computes here."""
    return {
        "torch": torch.__version__.split("+")[0],
        "device": "cpu",
        "threads": torch.get_num_threads(),
        "onednn": torch.backends.mkldnn.is_available(),
        "seed": seed,
    }
