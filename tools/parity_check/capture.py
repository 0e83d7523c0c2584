"""Watching a model's modules while it runs, by hooks."""

from collections import Counter
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any, Protocol

import torch

from parity_check.selection import watched
from parity_check.values import Named, outputs_of, packed_in


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

    def entered(self, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """A module is called from outside of the model: by the user's own code."""

    def before(self, call: Call, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None: ...

    def after(self, call: Call, outputs: Named, packed: Named) -> None:
        """`packed` are the numbers of the packed sequences among the outputs, as the module gave
        them."""

    def abandoned(self, call: Call) -> None:
        """A call ended with an exception, which the model may have caught."""


class Capture:
    """Tells an observer of each call of the chosen modules, as long as it is entered.

    Its hooks change nothing, and are gone when it is left; copies of the model that were made
    meanwhile keep them, where they do nothing.
    """

    def __init__(
        self, model: torch.nn.Module, chosen: Mapping[str, torch.nn.Module], observer: Observer
    ) -> None:
        self._model, self._chosen, self._observer = model, chosen, observer
        self._counts: Counter[str] = Counter()
        self._running: list[torch.nn.Module] = []
        self._open: list[Call] = []
        self._is_on = False

    def __enter__(self) -> "Capture":
        with ExitStack() as stack:
            def add(handle: torch.utils.hooks.RemovableHandle) -> None:
                stack.callback(handle.remove)

            for name, module in watched(self._model):
                add(module.register_forward_pre_hook(
                    self._entry_hook(name), with_kwargs=True, prepend=True))
            for name, module in self._chosen.items():
                add(module.register_forward_pre_hook(self._before_hook(name), with_kwargs=True))
                add(module.register_forward_hook(self._after))
            for _, module in watched(self._model):
                add(module.register_forward_hook(self._left, always_call=True))
            self._stack = stack.pop_all()
        self._is_on = True
        return self

    def __exit__(self, *error: object) -> None:
        self._is_on = False
        self._stack.close()

    def _entry_hook(self, name: str):
        def entry(module: torch.nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
            if self._is_on:
                self._running.append(module)
                if len(self._running) == 1:
                    self._observer.entered(name, args, kwargs)

        return entry

    def _left(self, module: torch.nn.Module, args: tuple[Any, ...], result: Any) -> None:
        if not self._is_on or not self._running:
            return
        self._running.pop()
        # A call that is still open here has failed.
        while self._open and self._open[-1].module is module and not any(
                running is module for running in self._running):
            self._observer.abandoned(self._open.pop())

    def _before_hook(self, name: str):
        def before(module: torch.nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
            if self._is_on:
                self._counts[name] += 1
                call = Call(name, self._counts[name], module)
                self._open.append(call)
                self._observer.before(call, args, kwargs)

        return before

    def _after(self, module: torch.nn.Module, args: tuple[Any, ...], result: Any) -> None:
        if self._is_on:
            self._observer.after(
                self._open.pop(), outputs_of(module, result), packed_in(module, result))
