"""PyTorch's tensors as NumPy's arrays."""

import numpy as np
import torch

from parity_check.modules import Named


def as_arrays(groups: dict[str, Named]) -> dict[str, np.ndarray]:
    """Tensors by group and name, under the names that they have in a file."""
    return {
        f"{group}/{key}": as_array(tensor)
        for group, named in groups.items()
        for key, tensor in named.items()
    }


def as_array(tensor: torch.Tensor) -> np.ndarray:
    """The tensor's numbers, in C order. NumPy has no bfloat16; float32 holds it without loss."""
    tensor = tensor.detach().cpu().contiguous()
    return (tensor.float() if tensor.dtype == torch.bfloat16 else tensor).numpy()


def arithmetic_of(dtype: torch.dtype) -> str:
    """The name that a manifest gives to what is computed in this type."""
    return str(dtype).removeprefix("torch.")
