"""What is kept of a run of a model."""

import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch.nn.utils.rnn import PackedSequence
from torch.utils._pytree import tree_flatten

from parity_check.capture import Call
from parity_check.environment import refuse_autocast
from parity_check.flow import Flow, same_numbers
from parity_check.lineage import Lineage
from parity_check.modules import arguments, is_recurrent, kind, parameters
from parity_check.recording import Recording, Stage
from parity_check.selection import Choice, RecordingError, RecordingWarning
from parity_check.snapshot import copied
from parity_check.values import (
    Named, input_keys, inputs_of, is_transformed, tensors, unfit)

#: How many stages back the value is looked for that was packed.
PACKED_WITHIN = 50


@dataclass(frozen=True)
class Entry:
    """A call that the user's code made of the model, or of one of its modules."""

    name: str
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    #: The values that it was given by the model before, by their places among its leaves.
    links: dict[int, str]
    #: Whether PyTorch kept what a backward pass needs: oneDNN computes otherwise then.
    with_gradients: bool
    #: The state of the random numbers on the CPU.
    random_state: torch.Tensor


class Recorder:
    """The observer that fills a recording."""

    def __init__(self, recording: Recording, chosen: Mapping[str, torch.nn.Module]) -> None:
        self.recording = recording
        self.entries: list[Entry] = []
        #: The names of values by those of a call and of its input or output.
        self.names: dict[tuple[str, str], str] = {}
        #: Told before there are hooks of ours: what somebody else's hooks change is no result of
        #: the module.
        self._arguments = {name: arguments(module) for name, module in chosen.items()}
        self._flow = Flow()
        #: To be entered while the model runs.
        self.lineage = Lineage()
        self._open: list[Stage] = []
        self._state_dicts: dict[str, Named] = {}

    def entered(self, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        if is_transformed():
            raise RecordingError(
                "the model is called from within torch.vmap or torch.func, whose tensors stand for "
                "others: call it without that in the block")
        number = len(self.entries) + 1
        links = {}
        for index, leaf in enumerate(leaves(args, kwargs)):
            found = self._flow.find(leaf) if fits(leaf) else None
            if found is not None and found[1]:
                links[index] = found[0]
        self.entries.append(Entry(name, *copied((args, kwargs)), links, torch.is_grad_enabled(),
                                  torch.get_rng_state()))
        named = dict(tensors(args)) | dict(tensors(kwargs))
        suffix = "" if number == 1 else f"#{number}"
        for key, tensor in named.items():
            is_alone = len(named) == 1 and key == "0"
            value = f"input{suffix}" if is_alone else f"input{suffix}.{key}"
            if fits(tensor) and self._flow.find(tensor) is None:
                self._keep_derived(value, tensor)

    def before(self, call: Call, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        if is_transformed():
            self._open.append(Stage(call.name, call.module_name, call.number, kind(call.module)))
            return
        given = {name: tensor for name, tensor in inputs_of(call.module, args, kwargs).items()
                 if fits(tensor)}
        for tensor in given.values():
            refuse_autocast(tensor.device)
        stage = Stage(call.name, call.module_name, call.number, kind(call.module))
        stage.arguments = self._arguments[call.module_name]
        if stage.arguments is not None and is_recurrent(call.module):
            # Before the module runs: an input may be changed in place later.
            stage.given = {name: kept_copy(tensor) for name, tensor in given.items()}
            stage.packed = packing(args, kwargs)
        for name, key in input_keys(given).items():
            self._feed(stage, key, given[name])
        self._open.append(stage)

    def after(self, call: Call, outputs: Named, packed: Named) -> None:
        stage = self._open.pop()
        if is_transformed():
            self._warn(f"{call.name} is called from within torch.vmap or torch.func, and is left "
                       "out")
            return
        results = {}
        for key, tensor in outputs.items():
            if reason := unfit(tensor):
                self._warn(f"{call.name} gives {reason}, which is left out")
                continue
            name = self._keep(f"{call.name}/{key}" if key else call.name, tensor)
            self.names[call.name, key] = name
            results[key] = self.recording.values[name]
            stage.outputs.append(name)
            if key in packed:
                self.lineage.name(packed[key], name)
        if not outputs:
            self._warn(f"{call.name} gives no tensor, and is left out")
        if not stage.outputs:
            return
        if stage.arguments is not None:
            stage.state_dict = self._state_dict(call)
            stage.results = results
        self.recording.stages.append(stage)

    def abandoned(self, call: Call) -> None:
        self._open.pop()

    def _feed(self, stage: Stage, key: str, tensor: torch.Tensor) -> None:
        """Adds an input to a stage: the value that it is or is a view of, or else a new one. A
        view in another order or of a part is kept as well, since its module can't be computed
        from the whole."""
        found = self._flow.find(tensor)
        if found is None and stage.packed is not None and key == "input.0":
            packed = self._packed(stage)
            found = (packed, True) if packed else None
        if found is None:
            found = self._keep_derived(f"{stage.name}/{key}", tensor), True
            self.names[stage.name, key] = found[0]
        name, is_whole = found
        position = key.removeprefix("input.")
        if key == "lengths":
            stage.lengths = name
        elif position.isdigit():
            stage.inputs.append(name)
        else:
            stage.keywords[position] = name
        if not is_whole:
            view = self._keep(f"{stage.name}/{key}", tensor, is_view=True)
            self.names[stage.name, key] = view
            stage.views[position] = view

    def _packed(self, stage: Stage) -> str | None:
        """The value whose sequences a stage was given: packing copies them, so that it is told by
        its numbers."""
        padded, lengths = stage.given["input"], stage.given["lengths"]
        batch = padded if stage.arguments["batch_first"] else padded.transpose(0, 1)
        for before in reversed(self.recording.stages[-PACKED_WITHIN:]):
            for name in before.outputs:
                value = self.recording.values[name]
                if value.dim() == 3 and (same_sequences(value, batch, lengths)
                                         or same_sequences(value.transpose(0, 1), batch, lengths)):
                    return name
        return None

    def _state_dict(self, call: Call) -> Named:
        """Copies of the parameters, the same as of the module's last call where they are equal."""
        now, last = parameters(call.module), self._state_dicts.get(call.module_name)
        if last is None or now.keys() != last.keys() or not all(
                same_numbers(now[name], last[name]) for name in now):
            last = {name: kept_copy(tensor) for name, tensor in now.items()}
            self._state_dicts[call.module_name] = last
        return last

    def _keep_derived(self, name: str, tensor: torch.Tensor) -> str:
        """Keeps a value that no module gave, and says what it was made of."""
        sources = self.lineage.of(tensor)
        name = self._keep(name, tensor)
        if sources:
            self.recording.derived[name] = sorted(sources)
        return name

    def _keep(self, name: str, tensor: torch.Tensor, is_view: bool = False) -> str:
        """Keeps a copy under this name, or under one with marks behind it where that is taken. A
        view stays known as one of what it is a view of."""
        while name in self.recording.values:
            name += "'"
        self.recording.values[name] = kept_copy(tensor)
        if not is_view:
            self._flow.add(name, tensor, self.recording.values[name])
            self.lineage.name(tensor, name)
        return name

    def _warn(self, text: str) -> None:
        warnings.warn(text, RecordingWarning, stacklevel=2)


def leaves(args: tuple[Any, ...], kwargs: dict[str, Any]) -> list[Any]:
    return tree_flatten((args, kwargs))[0]


def fits(value: Any) -> bool:
    return isinstance(value, torch.Tensor) and unfit(value) is None


def kept_copy(tensor: torch.Tensor) -> torch.Tensor:
    return tensor.detach().to("cpu", copy=True).contiguous()


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


def check_calls(recording: Recording, modules: Choice, chosen: Iterable[str]) -> None:
    """Raises RecordingError where nothing was recorded, or nothing of a module that is named."""
    called = {stage.module_name for stage in recording.stages}
    if not called:
        raise RecordingError("no module of the model was called in the block, or none gave a "
                             "tensor that can be kept")
    if modules is not None and not callable(modules):
        for name in chosen:
            if name not in called:
                raise RecordingError(f"{name} was not called in the block, or gave no tensor "
                                     "that can be kept")
