"""Each stage of a recorded model computed again by PyTorch, from what an implementation gave it."""

import copy
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from parity_check.containers import read
from parity_check.modules import RECURRENT
from parity_check.noise.deviation import LARGEST_Z, deviation
from parity_check.record_block import record
from parity_check.recording import Recording
from parity_check.replay_inputs import Actual, Arrays, CannotReplay, given, tensors_of
from parity_check.selection import by_name


@dataclass(frozen=True)
class Replayed:
    """What the replay of one stage has shown."""

    #: `encoder.lstm`, and `encoder.lstm#2` of its second call.
    stage: str
    #: Whether the implementation's results are right for its own inputs; None where the stage could
    #: not be computed again, for the reason in `remark`.
    is_right: bool | None
    #: The largest difference in units of σ, and the root mean square.
    z: float = 0.0
    rms: float = 0.0
    remark: str = ""

    def __str__(self) -> str:
        if self.is_right is None:
            return f"{self.stage}: not replayed, {self.remark}"
        word = "right" if self.is_right else "wrong by itself"
        return f"{self.stage}: {word}, given its input (z {self.z:.1f}, rms {self.rms:.1f})"


def replay(
    model: torch.nn.Module, recording: Recording | Path | str, actual: Arrays | Path | str,
    noise: int = 16,
) -> list[Replayed]:
    """Says of each stage whether an implementation's results are right for what it was given.

        for stage in parity_check.replay(model, "model.safetensors", "mine.npz"):
            print(stage)

    The module is called on the implementation's own inputs, `noise` replicas of it measure σ there,
    and its results are held to those of the implementation: so an error is found in the stage that
    makes it, whatever was wrong before. `parity-check trace` does this for the modules that it
    computes itself; here PyTorch does it for all.

    - `model`: the one that was recorded, with the same parameters, in eval().
    - `actual`: a file or folder, or arrays by name, called as the recording's values are, with any
      of `/`, `.` and `_` between the parts of a name: what `parity-check trace` takes.

    A stage is not replayed where its results are not there, or one of its inputs: what the model's
    own code made between two modules is to be saved too, such as `lstm/input.0`. What is a module's
    result, or that with its axes in another order, or what the model was given, need not. Nor is a
    stage that PyTorch does not reproduce from the recording's own values.
    """
    manifest, values = recorded(recording)
    tensors = Actual(actual if isinstance(actual, Mapping) else tensors_of(Path(actual)))
    made = dict(manifest.get("derived", {}))
    made |= {name: [] for entry in manifest["stages"] for name in entry["outputs"]}
    found = []
    for entry in manifest["stages"]:
        call = entry.get("call", 1)
        name = entry["name"] + (f"#{call}" if call > 1 else "")
        try:
            found.append(judged(model, name, entry, values, tensors, made, noise,
                                manifest.get("activations", "relative")))
        except CannotReplay as reason:
            found.append(Replayed(name, None, remark=str(reason)))
    return found


def recorded(recording: Recording | Path | str) -> tuple[dict[str, Any], dict[str, torch.Tensor]]:
    """The manifest, and the values by name."""
    if isinstance(recording, Recording):
        return recording.manifest(), recording.values
    manifest, arrays = read(recording)
    return manifest, {name.removeprefix("values/"): torch.tensor(array)
                      for name, array in arrays.items() if name.startswith("values/")}


def judged(
    model: torch.nn.Module, name: str, entry: dict[str, Any], values: dict[str, torch.Tensor],
    actual: Actual, made: Mapping[str, list[str]], noise: int, activations: str,
) -> Replayed:
    outputs = {value: actual.like(value, values[value]) for value in entry["outputs"]}
    present = {value: tensor for value, tensor in outputs.items() if tensor is not None}
    if not present:
        raise CannotReplay("no result of it is there")
    module = by_name(model).get(entry["name"])
    if module is None:
        raise CannotReplay("the model has no such module")
    module = copy.deepcopy(module)
    own = {value: values[value] for value in entry["outputs"]}
    if not all(torch.allclose(again, own[value], rtol=1e-3, atol=1e-4, equal_nan=True)
               for value, again in results(module, entry, values)[0].items()):
        raise CannotReplay("PyTorch does not reproduce the recording: the model has other weights, "
                           "is not in the mode that it was recorded in, or called the module with "
                           "more than tensors")
    inputs = {value: given(value, entry, values, actual, made) for value in inputs_of(entry)}
    right, sigma = results(module, entry, inputs, noise, activations)
    largest, rms, passes = 0.0, 0.0, True
    for value, tensor in present.items():
        if value not in sigma:
            raise CannotReplay(f"{value} has no σ")
        z, own_rms, limit = deviation(tensor, right[value], sigma[value])
        largest, rms = max(largest, z), max(rms, own_rms)
        passes &= z <= LARGEST_Z and own_rms <= limit
    return Replayed(name, passes, largest, rms)


def inputs_of(entry: dict[str, Any]) -> Iterator[str]:
    """The names of the values that a stage is called with."""
    views = entry.get("views", {})
    for position, value in enumerate(entry["inputs"]):
        yield views.get(str(position), value)
    for key, value in entry.get("keywords", {}).items():
        yield views.get(key, value)


def results(
    module: torch.nn.Module, entry: dict[str, Any], values: Mapping[str, torch.Tensor],
    noise: int = 0, activations: str = "relative",
) -> tuple[dict[str, torch.Tensor], dict[str, torch.Tensor]]:
    """What a module gives, and the σ of it where `noise` is not 0, by the stage's names."""
    if entry.get("packed") is not None:
        raise CannotReplay("it was given packed sequences")
    names = list(inputs_of(entry))
    count = len(entry["inputs"])
    positional = [values[name] for name in names[:count]]
    keywords = {key: values[name] for key, name in zip(entry.get("keywords", {}), names[count:])}
    if any("." in key for key in keywords):
        raise CannotReplay("it was given tensors within other objects")
    if entry["module"] in RECURRENT and len(positional) == 3:
        positional = [positional[0], (positional[1], positional[2])]
    holder = torch.nn.ModuleDict({"stage": module})
    holder.training = module.training
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            with torch.no_grad(), record(
                    holder, modules=["stage"], noise=noise, training=module.training,
                    deterministic=False, activations=activations) as again:
                holder["stage"](*positional, **keywords)
        except (RuntimeError, TypeError, ValueError) as error:
            raise CannotReplay(f"PyTorch can't call it: {error}") from error
    stage = again.stages[0]
    renamed = dict(zip(stage.outputs, entry["outputs"], strict=False))
    return ({renamed[name]: again.values[name] for name in renamed},
            {renamed[name]: again.sigma[name] for name in renamed if name in again.sigma})
