"""Which modules of a model are its stages, and which models can't be recorded."""

import difflib
from collections.abc import Callable, Iterable

import torch
from torch.nn.parallel import DataParallel, DistributedDataParallel

from parity_check.modules import is_recurrent

Choice = str | Iterable[str] | Callable[[str, torch.nn.Module], bool] | None


class RecordingError(Exception):
    """A model that can't be recorded, or a run of it that makes no reference; nothing is
    written."""


class RecordingWarning(UserWarning):
    """Something about a recording that makes it a weak reference."""


def chosen(model: torch.nn.Module, modules: Choice) -> dict[str, torch.nn.Module]:
    """The modules to record, by name: those that are named, or that a predicate takes; where
    nothing is said, each module without modules in it, and each recurrent one.

    A model that is such a module itself goes by the name of its class.
    """
    named = by_name(model)
    if modules is None:
        return {name: module for name, module in watched(model) if is_stage(module)}
    if callable(modules):
        taken = {name: module for name, module in watched(model) if modules(name, module)}
        if not taken:
            raise RecordingError(f"the predicate takes none of the {len(named)} modules")
        return taken
    names = [modules] if isinstance(modules, str) else list(modules)
    for name in names:
        if name not in named:
            near = difflib.get_close_matches(name, named, 3) or sorted(named)[:3]
            raise RecordingError(f"the model has no module {name!r}; it has {', '.join(near)}, …")
    return {name: named[name] for name in names}


def by_name(model: torch.nn.Module) -> dict[str, torch.nn.Module]:
    """All modules, those that have several names by each."""
    return {name or type(model).__name__: module
            for name, module in model.named_modules(remove_duplicate=False)}


def watched(model: torch.nn.Module) -> Iterable[tuple[str, torch.nn.Module]]:
    """All modules by name, but for those that make a parametrized module's weights."""
    for name, module in model.named_modules():
        if "parametrizations" not in name.split("."):
            yield name or type(model).__name__, module


def is_stage(module: torch.nn.Module) -> bool:
    """Some modules have others in them for their parameters, and never call them."""
    holders = torch.nn.ParameterList | torch.nn.ParameterDict
    return (is_recurrent(module) or isinstance(module, torch.nn.MultiheadAttention)
            or type(module).__module__.startswith("torch.ao.nn.")
            or not isinstance(module, holders) and all(
                name == "parametrizations" or isinstance(child, holders)
                for name, child in module.named_children()))


def check(model: torch.nn.Module, training: bool) -> None:
    """Raises RecordingError, with what to do, for a model that can't be recorded."""
    if not isinstance(model, torch.nn.Module):
        raise RecordingError(f"a torch.nn.Module is recorded, not {type(model).__name__}")
    if isinstance(model, torch.jit.ScriptModule):
        raise RecordingError("a scripted or traced model hides its modules: record the model "
                             "that torch.jit was given")
    for name, module in model.named_modules():
        own = f"model.{name}" if name else "model"
        if hasattr(module, "_orig_mod"):
            raise RecordingError("a compiled model hides its modules: record "
                                 f"{own}._orig_mod" + (" in its place" if name else ""))
        if getattr(module, "_compiled_call_impl", None) is not None:
            raise RecordingError(f"{own} is compiled, which hides its modules: record a model "
                                 "of which compile() was not called")
        if isinstance(module, DataParallel | DistributedDataParallel):
            raise RecordingError(f"a model on several devices at once: record {own}.module")
        if isinstance(module, torch.jit.ScriptModule):
            raise RecordingError(f"{name} is scripted or traced, which hides its modules")
        if module.training and not training:
            raise RecordingError(
                f"{name or 'the model'} is in training mode, where dropout and batch norms "
                "compute something else: call model.eval(), or say training=True")
    for name, tensor in [*model.named_parameters(), *model.named_buffers()]:
        if isinstance(tensor, torch.nn.parameter.UninitializedTensorMixin):
            raise RecordingError(f"{name} has no numbers yet: call the model once before")
        if tensor.is_meta:
            raise RecordingError(f"{name} is on the device meta and has no numbers")
        if hasattr(tensor, "device_mesh") or hasattr(tensor, "local_shards"):
            raise RecordingError(f"{name} is sharded over several devices: gather it first")
