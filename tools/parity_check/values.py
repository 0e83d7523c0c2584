"""The tensors in what modules are given and give, by name."""

from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch.nn.utils.rnn import PackedSequence, pad_packed_sequence

from parity_check.modules import Named, is_recurrent


def outputs_of(module: torch.nn.Module, result: Any) -> Named:
    """What a module gave, by the names that its tensors have behind its own: none for a single
    tensor, PyTorch's names for a recurrent module's, else positions and keys."""
    if not is_recurrent(module):
        return dict(tensors(result))
    if isinstance(module, torch.nn.RNNCellBase):
        return dict(zip(("h_n", "c_n"), result if isinstance(result, tuple) else (result,)))
    output, final = result
    if isinstance(output, PackedSequence):
        output, _ = pad_packed_sequence(output, batch_first=module.batch_first)
    states = final if isinstance(final, tuple) else (final,)
    return {"output": output} | dict(zip(("h_n", "c_n"), states))


def packed_in(module: torch.nn.Module, result: Any) -> Named:
    """The numbers of the packed sequences that a module gave, by the names of `outputs_of`."""
    if is_recurrent(module):
        is_packed = isinstance(result, tuple) and isinstance(result[0], PackedSequence)
        return {"output": result[0].data} if is_packed else {}
    return dict(packed_parts(result))


def inputs_of(module: torch.nn.Module, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Named:
    """What a module was given: of a recurrent one `input`, `h_0`, `c_0` and, where it was packed,
    `lengths`; of others the positions and keywords."""
    if is_recurrent(module):
        return recurrent_inputs(module, *args, **kwargs)
    return dict(tensors(args)) | dict(tensors(kwargs))


#: The positions of what a recurrent module is given.
RECURRENT_INPUTS = {"input": 0, "h_0": 1, "c_0": 2}


def recurrent_inputs(module: torch.nn.Module, input: Any, hx: Any = None) -> Named:
    named: Named = {"input": input}
    if isinstance(input, PackedSequence):
        padded, lengths = pad_packed_sequence(input, batch_first=module.batch_first)
        named = {"input": padded}
    if hx is not None:
        named |= dict(zip(("h_0", "c_0"), hx if isinstance(hx, tuple | list) else (hx,)))
    if isinstance(input, PackedSequence):
        named["lengths"] = lengths
    return named


def input_keys(given: Named) -> dict[str, str]:
    """What the values of a stage's inputs are called behind its name: `input.0` and so on by
    position, `input.NAME` of keyword arguments, and `lengths` of packed sequences."""
    return {name: name if name == "lengths" and "input" in given
            else f"input.{RECURRENT_INPUTS.get(name, name)}" for name in given}


def tensors(value: Any, name: str = "") -> Iterator[tuple[str, torch.Tensor]]:
    """All tensors in a value, by the keys and positions that lead to them, joined by dots."""
    if isinstance(value, torch.Tensor):
        yield name, value
    elif isinstance(value, PackedSequence):
        padded, lengths = pad_packed_sequence(value, batch_first=True)
        yield joined(name, "padded"), padded
        yield joined(name, "lengths"), lengths
    else:
        for key, item in parts(value):
            yield from tensors(item, joined(name, key))


def packed_parts(value: Any, name: str = "") -> Iterator[tuple[str, torch.Tensor]]:
    if isinstance(value, PackedSequence):
        yield joined(name, "padded"), value.data
    else:
        for key, item in parts(value):
            yield from packed_parts(item, joined(name, key))


def parts(value: Any) -> list[tuple[str, Any]]:
    if isinstance(value, Mapping):
        return [(str(key), item) for key, item in value.items()]
    if isinstance(value, tuple | list):
        fields = getattr(value, "_fields", range(len(value)))
        return [(str(key), item) for key, item in zip(fields, value, strict=True)]
    if hasattr(value, "__dataclass_fields__") and not isinstance(value, type):
        return [(key, getattr(value, key)) for key in value.__dataclass_fields__]
    return []


def joined(name: str, key: str) -> str:
    return f"{name}.{key}" if name else key


def is_transformed() -> bool:
    """Whether the code is called from within torch.vmap or a transform of torch.func, whose tensors
    stand for others."""
    return torch._C._functorch.peek_interpreter_stack() is not None


def unfit(tensor: torch.Tensor) -> str | None:
    """Why a tensor can't be kept; None of one that can."""
    if tensor.is_quantized:
        return f"a quantised tensor ({tensor.dtype})"
    if tensor.layout != torch.strided or tensor.is_nested:
        return "a sparse or nested tensor"
    if tensor.is_complex():
        return "complex numbers"
    if tensor.is_floating_point() and tensor.dtype.itemsize < 2:
        return f"numbers of the type {tensor.dtype}"
    return None
