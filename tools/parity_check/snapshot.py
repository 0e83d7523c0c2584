"""A model as it was when its recording began, to run the same calls again."""

import copy
from typing import Any

import torch
from torch.nn.utils.rnn import PackedSequence
from torch.utils._pytree import tree_map

from parity_check.selection import RecordingError


class Snapshot:
    """Shares the model's parameters, and has copies of all else: buffers, and what its modules
    keep in attributes. So what runs here changes nothing of the model."""

    def __init__(self, model: torch.nn.Module) -> None:
        self._parameters = {id(parameter): parameter for parameter in model.parameters()}
        self._double: dict[int, torch.nn.Parameter] = {}
        # An embedding with a largest norm writes over its rows, the first time alone.
        rescaled = {id(module.weight) for module in model.modules()
                    if isinstance(module, torch.nn.Embedding | torch.nn.EmbeddingBag)
                    and module.max_norm is not None}
        self._marks = {name: mark(p) for name, p in model.named_parameters()
                       if id(p) not in rescaled}
        self._original = model
        # What a module computed of its parameters, as weight norm does, can't be copied.
        computed = {id(value): value.detach() for module in model.modules()
                    for value in vars(module).values()
                    if isinstance(value, torch.Tensor) and value.grad_fn is not None}
        try:
            self._model = copy.deepcopy(model, {**self._parameters, **computed})
        except Exception as error:  # Whatever a module keeps that has no copies.
            self._model, self._reason = None, f"{type(error).__name__}: {error}"

    def model(self, double: bool = False) -> torch.nn.Module:
        """A model of its own for one run, with the parameters themselves, or with copies of all
        that is floating-point in float64.

        Raises RecordingError where the model can't be copied, and where its parameters are no
        longer what they were.
        """
        parameters = dict(self._original.named_parameters())
        for name, before in self._marks.items():
            if name not in parameters or mark(parameters[name]) != before:
                raise RecordingError(
                    f"{name} was changed in the block, so that the same calls can't run once more: "
                    "change parameters outside of it, or say deterministic=False, without noise "
                    "and loss")
        if self._model is None:
            raise RecordingError(f"the model can't be copied to run once more ({self._reason}): "
                                 "say deterministic=False, without noise and loss")
        if not double:
            return copy.deepcopy(self._model, dict(self._parameters))
        if not self._double:
            self._double = {
                key: torch.nn.Parameter(wide(tensor.detach()), tensor.requires_grad)
                if is_inexact(tensor) else tensor
                for key, tensor in self._parameters.items()}
        model = copy.deepcopy(self._model, dict(self._double))
        for module in model.modules():
            for name, buffer in module._buffers.items():
                if buffer is not None and is_inexact(buffer):
                    module._buffers[name] = wide(buffer)
        return model


def mark(parameter: torch.Tensor) -> tuple[int, int, int]:
    """What tells whether a parameter was exchanged or written over."""
    version = 0 if parameter.is_inference() else parameter._version
    return id(parameter), parameter.data_ptr(), version


def is_inexact(tensor: torch.Tensor) -> bool:
    return tensor.is_floating_point() or tensor.is_complex()


def wide(tensor: torch.Tensor) -> torch.Tensor:
    """In float64, or complex numbers of it."""
    return tensor.to(torch.complex128 if tensor.is_complex() else torch.float64)


def copied(value: Any) -> Any:
    """The value with copies of its tensors, one for each; what else it holds that may change is
    copied where that is possible."""
    memo: dict[int, Any] = {}

    def of(item: Any) -> Any:
        if id(item) not in memo:
            memo[id(item)] = copy_of(item)
        return memo[id(item)]

    return tree_map(of, value, is_leaf=lambda item: isinstance(item, PackedSequence))


def copy_of(item: Any) -> Any:
    if isinstance(item, torch.Tensor):
        return item.detach().clone().requires_grad_(item.requires_grad)
    if isinstance(item, PackedSequence):
        return item._replace(data=copy_of(item.data))
    try:
        return copy.deepcopy(item)
    except Exception:
        return item


def doubled(value: Any) -> Any:
    """The value with its floating-point and complex tensors in float64."""
    return tree_map(lambda item: wide(item) if isinstance(item, torch.Tensor)
                    and is_inexact(item) else
                    item._replace(data=doubled(item.data)) if isinstance(item, PackedSequence)
                    else item, value, is_leaf=lambda item: isinstance(item, PackedSequence))
