"""What is kept of a run of a model."""

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch.nn.utils.rnn import PackedSequence
from torch.utils._pytree import tree_map

from parity_check import values
from parity_check.capture import Call
from parity_check.environment import provenance, refuse_autocast
from parity_check.flow import Flow
from parity_check.modules import arguments, is_recurrent, kind, parameters
from parity_check.recording import Recording, Stage
from parity_check.values import Named


@dataclass(frozen=True)
class Entry:
    """A call that the user's code made of the model, or of one of its modules."""

    module: torch.nn.Module
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    #: Whether PyTorch kept what a backward pass needs: oneDNN computes otherwise then.
    with_gradients: bool


@dataclass
class Recorder:
    """The observer that fills a recording."""

    model: torch.nn.Module
    training: bool
    tf32: bool
    recording: Recording = field(init=False)
    entries: list[Entry] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    _flow: Flow = field(default_factory=Flow)
    _open: list[tuple[Stage, Named]] = field(default_factory=list)

    #: The model's buffers before its first call.
    buffers_before: list[torch.Tensor] = field(init=False)

    def __post_init__(self) -> None:
        self.buffers_before = [buffer.detach().clone() for buffer in self.model.buffers()]
        tensors = [*self.model.parameters(), *self.model.buffers()]
        self.recording = Recording(provenance(tensors, self.training, self.tf32), self.tf32)

    def entered(self, name: str, module: torch.nn.Module, args: tuple[Any, ...],
                kwargs: dict[str, Any]) -> None:
        number = len(self.entries) + 1
        self.entries.append(Entry(
            module, copied(args), copied(kwargs), torch.is_grad_enabled()))
        named = dict(values.tensors(args)) | dict(values.tensors(kwargs))
        suffix = "" if number == 1 else f"#{number}"
        for key, tensor in named.items():
            is_alone = len(named) == 1 and key == "0"
            value = f"input{suffix}" if is_alone else f"input{suffix}.{key}"
            if self._flow.name(tensor) is None:
                self._keep(value, tensor)

    def before(self, call: Call, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        given = values.inputs(call.module, args, kwargs)
        for tensor in given.values():
            refuse_autocast(tensor.device)
        stage = Stage(call.name, call.module_name, call.number, kind(call.module))
        stage.arguments = arguments(call.module)
        if is_recurrent(call.module):
            # Before the module runs: an input may be changed in place later.
            stage.given = {name: clone(tensor) for name, tensor in given.items()}
            stage.packed = packing(args, kwargs)
        for name, key in values.input_keys(given).items():
            value = self._value(stage, key, given[name])
            if key == "lengths":
                stage.lengths = value
            else:
                stage.inputs.append(value)
        self._open.append((stage, given))

    def after(self, call: Call, outputs: Named) -> None:
        stage, _ = self._open.pop()
        kept = {}
        for key, tensor in outputs.items():
            if reason := unfit(tensor):
                warnings.warn(f"{call.name} gives {reason}, which is left out", stacklevel=2)
                continue
            name = f"{call.name}/{key}" if key else call.name
            self._keep(name, tensor)
            kept[key] = name
        if not kept:
            if not outputs:
                warnings.warn(f"{call.name} gives no tensor, and is left out", stacklevel=2)
            return
        stage.outputs = list(kept.values())
        if stage.arguments is not None:
            stage.state_dict = {name: clone(tensor)
                                for name, tensor in parameters(call.module).items()}
            stage.results = {key: self.recording.values[name] for key, name in kept.items()}
        self.calls.append(call)
        self.recording.stages.append(stage)

    def _value(self, stage: Stage, key: str, tensor: torch.Tensor) -> str:
        """The name of a stage's input: that of the value that it is, or a new one's."""
        known = self._flow.name(tensor)
        if known is None and stage.packed is not None and key == "input.0":
            known = self._packed(stage)
        if known is not None:
            return known
        name = f"{stage.name}/{key}"
        self._keep(name, tensor)
        return name

    def _packed(self, stage: Stage) -> str | None:
        """The value whose sequences a stage was given: packing copies them, so that it is told by
        its numbers."""
        padded, lengths = stage.given["input"], stage.given["lengths"]
        batch = padded if stage.arguments["batch_first"] else padded.transpose(0, 1)
        for before in reversed(self.recording.stages):
            for name in before.outputs:
                value = self.recording.values[name]
                if value.dim() == 3 and (same_sequences(value, batch, lengths)
                                         or same_sequences(value.transpose(0, 1), batch, lengths)):
                    return name
        return None

    def _keep(self, name: str, tensor: torch.Tensor) -> None:
        self.recording.values[name] = clone(tensor)
        self._flow.add(name, tensor)


def copied(value: Any) -> Any:
    """The value with copies of its tensors."""
    return tree_map(
        lambda item: item.detach().clone() if isinstance(item, torch.Tensor)
        else item._replace(data=item.data.detach().clone()) if isinstance(item, PackedSequence)
        else item, value, is_leaf=lambda item: isinstance(item, PackedSequence))


def clone(tensor: torch.Tensor) -> torch.Tensor:
    return tensor.detach().to("cpu", copy=True).contiguous()


def unfit(tensor: torch.Tensor) -> str | None:
    """Why a tensor can't be kept; None of one that can."""
    if tensor.is_quantized:
        return f"a quantised tensor ({tensor.dtype})"
    if tensor.layout != torch.strided or tensor.is_nested:
        return "a sparse or nested tensor"
    if tensor.is_complex():
        return "complex numbers"
    return None


def packing(args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> dict[str, Any] | None:
    """What a manifest says of packed sequences."""
    for value in (*args, *kwargs.values()):
        if isinstance(value, PackedSequence):
            return {"enforce_sorted": value.sorted_indices is None}
    return None


def same_sequences(a: torch.Tensor, b: torch.Tensor, lengths: torch.Tensor) -> bool:
    """Whether two padded batches (B, T, I) hold the same, up to each sequence's length."""
    steps = int(lengths.max())
    return (a.dtype == b.dtype and len(a) == len(b) == len(lengths)
            and min(a.shape[1], b.shape[1]) >= steps and a.shape[2] == b.shape[2]
            and all(torch.equal(x[:n], y[:n]) for x, y, n in zip(a, b, lengths.tolist())))
