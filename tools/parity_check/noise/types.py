"""The types of tensors, and what tells one tensor or operator from another."""

import functools
from typing import Any

import torch

#: Operators that convert, and how coarse what they convert to is.
CONVERSIONS = frozenset({"_to_copy", "convert_element_type"})
COARSENESS = {torch.float16: 2.0**-11, torch.bfloat16: 2.0**-8}
NARROW = (torch.float32, torch.float16, torch.bfloat16)
WIDE = {**dict.fromkeys(NARROW, torch.float64), torch.complex64: torch.complex128}


def widened(value: Any) -> Any:
    """A tensor of a narrower type, such as one that is no parameter, in float64; and float64 in
    place of a narrower type, to which a model converts."""
    if isinstance(value, torch.Tensor):
        return value.to(WIDE[value.dtype]) if value.dtype in WIDE else value
    if type(value) in (tuple, list):
        return type(value)(map(widened, value))
    return WIDE.get(value, value) if isinstance(value, torch.dtype) else value


def storage(tensor: torch.Tensor) -> torch.UntypedStorage:
    """Where a tensor has its numbers, of a sparse or nested one those that it holds."""
    if tensor.layout == torch.sparse_coo:
        tensor = tensor._values()
    elif tensor.layout != torch.strided:
        tensor = tensor.values()
    return tensor.untyped_storage()


@functools.cache
def functional(func: Any, name: str) -> Any:
    """The operator of this name that takes what an in-place one does; None where there is none."""
    packet = getattr(torch.ops.aten, name, None)
    if packet is None:
        return None
    wanted = [str(argument.type) for argument in func._schema.arguments]
    for overload in packet.overloads():
        other = getattr(packet, overload)
        if [str(argument.type) for argument in other._schema.arguments] == wanted:
            return other
    return None
