"""Which recorded values a tensor was made of, through what a model's own code does between its
modules."""

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_leaves
from torch.utils.weak import WeakIdKeyDictionary


class Lineage(TorchFunctionMode):
    """While it is entered, each tensor that a function of PyTorch makes inherits the values that
    the function's arguments were made of.

    It changes no result. Known tensors are held weakly.
    """

    def __init__(self) -> None:
        super().__init__()
        self._values: WeakIdKeyDictionary = WeakIdKeyDictionary()

    def name(self, tensor: torch.Tensor, value: str) -> None:
        """From now on, the tensor is this value."""
        self._values[tensor] = frozenset([value])

    def of(self, tensor: torch.Tensor) -> frozenset[str]:
        """The names of the values that a tensor is, or was made of."""
        return self._values.get(tensor, frozenset())

    def __torch_function__(
        self, function: Callable[..., Any], types: Iterable[type], args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        result = function(*args, **(kwargs or {}))
        given = [leaf for leaf in tree_leaves((args, kwargs)) if isinstance(leaf, torch.Tensor)]
        sources = frozenset().union(*(self.of(tensor) for tensor in given))
        if sources:
            made = [leaf for leaf in tree_leaves(result) if isinstance(leaf, torch.Tensor)]
            # x[0] = y gives nothing, and changes x.
            for tensor in made or (given[:1] if result is None else []):
                self._values[tensor] = sources
        return result
