"""What was recorded, and how it is saved."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from parity_check.arrays import arithmetic_of, as_array
from parity_check.case import Case
from parity_check.containers import write
from parity_check.format import FORMAT, Manifest, Tensors, digest
from parity_check.selection import RecordingError
from parity_check.values import Named


@dataclass
class Stage:
    """One call of a module."""

    #: `encoder.lstm`, and `encoder.lstm#2` of its second call.
    name: str
    module_name: str
    call: int
    #: The module's class.
    kind: str
    #: The names of the values that it was given, by position, and that it gave.
    inputs: list[str] = field(default_factory=list)
    outputs: list[str] = field(default_factory=list)
    #: The same by the names of keyword arguments.
    keywords: dict[str, str] = field(default_factory=dict)
    #: Where an input is a view of a part of the value, or in another order: by position or
    #: keyword the value that holds it as the module was given it.
    views: dict[str, str] = field(default_factory=dict)
    #: The value that holds the lengths of packed sequences.
    lengths: str | None = None
    packed: dict[str, Any] | None = None
    #: Of a module that parity-check computes: the constructor's arguments, the parameters, and
    #: what a case of it is made of.
    arguments: dict[str, Any] | None = None
    state_dict: Named = field(default_factory=dict)
    given: Named = field(default_factory=dict)
    results: Named = field(default_factory=dict)

    def __repr__(self) -> str:
        return f"<Stage {self.name} ({self.kind})>"

    @property
    def is_recurrent(self) -> bool:
        return bool(self.given)

    def entry(self) -> Manifest:
        """As the manifest lists it."""
        entry = {
            "name": self.module_name, "call": self.call if self.call > 1 else None,
            "module": self.kind, "arguments": self.arguments, "packed": self.packed,
            "inputs": self.inputs, "keywords": self.keywords or None,
            "views": self.views or None, "lengths": self.lengths, "outputs": self.outputs,
        }
        return {key: value for key, value in entry.items() if value is not None}


@dataclass
class Recording:
    """The values that went from module to module, with what they are by name."""

    provenance: dict[str, Any]
    tf32: bool = False
    #: What the errors of sigmoid, tanh and the like are taken to be small beside: their results
    #: ("relative"), or 1 ("absolute").
    activations: str = "relative"
    #: In the order of execution.
    stages: list[Stage] = field(default_factory=list)
    values: Named = field(default_factory=dict)
    #: For values that the model's own code made between its modules, those that they were made of.
    derived: dict[str, list[str]] = field(default_factory=dict)
    #: The rounding error to expect of each value, where it was measured.
    sigma: Named = field(default_factory=dict)
    #: Gradients of the loss by values and by parameters, and the rounding error of each.
    gradients: Named = field(default_factory=dict)
    gradient_sigma: Named = field(default_factory=dict)
    #: The number of replicas that σ was measured with; and why a value has no σ.
    replicas: int = 0
    without_sigma: dict[str, str] = field(default_factory=dict)
    #: Whether the block has ended, and nothing was refused.
    is_complete: bool = False

    def __repr__(self) -> str:
        sigma = f", σ by {self.replicas} replicas" if self.replicas else ""
        return f"<Recording of {len(self.stages)} stages, {len(self.values)} values{sigma}>"

    @property
    def arithmetic(self) -> str:
        """What most of the modules' results are computed in, by the manifest's names."""
        found = [self.values[name].dtype for stage in self.stages for name in stage.outputs]
        floating = [dtype for dtype in found if dtype.is_floating_point]
        # Of types that are as frequent, the first.
        most = Counter(floating).most_common(1)[0][0] if floating else torch.float32
        return "tf32" if self.tf32 and most == torch.float32 else arithmetic_of(most)

    def case(self, name: str, call: int = 1) -> Case:
        """One call of a recurrent module as a fixture that parity-check judges by itself.

        Raises KeyError where there is no such call, and ValueError for a module of another kind.
        """
        stage = next((s for s in self.stages if (s.module_name, s.call) == (name, call)), None)
        if stage is None:
            raise KeyError(self._absence(name, call))
        if not stage.is_recurrent:
            raise ValueError(f"{name} is {stage.kind}; a case is of a recurrent module")
        groups = {"state_dict": stage.state_dict, "inputs": stage.given,
                  "outputs": stage.results}
        dtype = stage.results["h_n"].dtype
        is_coarse = dtype == torch.bfloat16 or self.tf32 and dtype == torch.float32
        manifest = {
            "module": stage.kind, "arguments": stage.arguments, "packed": stage.packed,
            "arithmetic": None if not is_coarse else "tf32" if self.tf32 and dtype == torch.float32
            else arithmetic_of(dtype),
            "description": f"{stage.name}, as its model called it",
        }
        return Case.of(manifest, groups, self.provenance)

    def _absence(self, name: str, call: int) -> str:
        """Why there is no such call of a module."""
        calls = sum(stage.module_name == name for stage in self.stages)
        if calls:
            times = "once" if calls == 1 else f"{calls} times"
            return f"{name} was called {times}; there is no call {call}"
        recurrent = dict.fromkeys(s.module_name for s in self.stages if s.is_recurrent)
        return f"no module {name} was called; recurrent ones: {', '.join(recurrent) or 'none'}"

    def manifest(self) -> Manifest:
        return self.description() | {"digest": digest(self.arrays())}

    def description(self) -> Manifest:
        """The manifest without the digest, which takes as long as the recording is large."""
        return {
            "format": FORMAT, "module": "Recording",
            "stages": [stage.entry() for stage in self.stages], "derived": self.derived,
            "arithmetic": self.arithmetic,
            **({"activations": self.activations} if self.activations != "relative" else {}),
            **({"replicas": self.replicas} if self.replicas else {}),
            **({"without_sigma": self.without_sigma} if self.without_sigma else {}),
            "provenance": self.provenance,
        }

    def arrays(self) -> Tensors:
        """All that is saved, by name."""
        return {name: as_array(tensor) for name, tensor in self._tensors()}

    def _tensors(self) -> Iterator[tuple[str, torch.Tensor]]:
        groups = {"values": self.values, "sigma": self.sigma, "grad": self.gradients,
                  "grad_sigma": self.gradient_sigma}
        for group, named in groups.items():
            for name, tensor in named.items():
                yield f"{group}/{name}", tensor
        for stage in self.stages:
            if stage.call == 1:
                for name, tensor in stage.state_dict.items():
                    yield f"state_dict/{stage.module_name}.{name}", tensor

    def save(self, path: Path | str) -> Path:
        """Writes the recording to a file, or a folder, as the path's ending says: see
        `containers.write`.

        The recording of a recurrent module itself, called once, is written as a fixture. Raises
        RecordingError before the block has ended, and where it was refused.
        """
        if not self.is_complete:
            raise RecordingError("nothing to save: the block has not ended, or was refused")
        if len(self.stages) == 1 and self.stages[0].is_recurrent:
            return self.case(self.stages[0].module_name).save(path)
        return write(path, self.manifest(), self.arrays())
