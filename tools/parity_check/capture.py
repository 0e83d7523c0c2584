"""Watching a model's modules while it runs, by hooks."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import torch

from parity_check import values
from parity_check.selection import watched
from parity_check.values import Named


@dataclass(frozen=True)
class Call:
    """One call of one module."""

    #: The module's name in the model, and which of its calls this is, from 1.
    module_name: str
    number: int
    module: torch.nn.Module

    @property
    def name(self) -> str:
        """`encoder.lstm`, and `encoder.lstm#2` of its second call."""
        return self.module_name if self.number == 1 else f"{self.module_name}#{self.number}"


class Observer(Protocol):
    """What is told of a run."""

    def entered(self, name: str, module: torch.nn.Module, args: tuple[Any, ...],
                kwargs: dict[str, Any]) -> None:
        """A module is called from outside of the model: by the user's own code."""

    def before(self, call: Call, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None: ...

    def after(self, call: Call, outputs: Named) -> None: ...


class Capture:
    """Tells an observer of each call of the chosen modules, as long as it is entered.

    Its hooks change nothing, and are gone when it is left.
    """

    def __init__(
        self, model: torch.nn.Module, chosen: Mapping[str, torch.nn.Module], observer: Observer
    ) -> None:
        self._model, self._chosen, self._observer = model, chosen, observer
        self._counts: Counter[str] = Counter()
        self._open: list[Call] = []
        self._depth = 0

    def __enter__(self) -> "Capture":
        self._handles = []
        for name, module in watched(self._model):
            self._handles += [
                module.register_forward_pre_hook(self._entry_hook(name), with_kwargs=True),
                module.register_forward_hook(self._left, always_call=True)]
        for name, module in self._chosen.items():
            self._handles += [
                module.register_forward_pre_hook(self._before_hook(name), with_kwargs=True),
                module.register_forward_hook(self._after, with_kwargs=True)]
        return self

    def __exit__(self, *error: object) -> None:
        for handle in self._handles:
            handle.remove()

    def _entry_hook(self, name: str):
        def entry(module: torch.nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
            self._depth += 1
            if self._depth == 1:
                self._observer.entered(name, module, args, kwargs)

        return entry

    def _left(self, module: torch.nn.Module, args: tuple[Any, ...], result: Any) -> None:
        self._depth -= 1

    def _before_hook(self, name: str):
        def before(module: torch.nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
            self._counts[name] += 1
            call = Call(name, self._counts[name], module)
            self._open.append(call)
            self._observer.before(call, args, kwargs)

        return before

    def _after(
        self, module: torch.nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any], result: Any
    ) -> None:
        call = self._open.pop()
        self._observer.after(call, values.outputs(module, result))
