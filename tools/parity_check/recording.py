"""What PyTorch computed, as the manifest and the tensors of a case."""

from typing import Any

import numpy as np
import torch

from parity_check.format import FORMAT, Manifest, Tensors, digest
from parity_check.modules import Module, Named, constructor_arguments


def record(
    module: Module, inputs: Named, outputs: Named, *,
    description: str, seed: int, packed: dict[str, Any] | None = None,
    chunks: int | tuple[int, ...] | None = None,
    tolerance: dict[str, Any] | None = None, expected_failure: dict[str, Any] | None = None,
    stated: tuple[str, ...] | None = None, with_parameters: bool = True,
) -> tuple[Manifest, Tensors]:
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
    tensors = as_arrays(groups)
    return whole_manifest(tensors, own, made_by_pytorch(seed)), tensors


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
