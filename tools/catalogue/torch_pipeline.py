"""A case of the format's module `Sequential` in PyTorch: a short chain around a
recurrent module, with every module's own results.
"""

from dataclasses import dataclass, field
from typing import Any

import torch

from parity_check.modules import run_recurrent

#: How DirectionMerge joins the two directions, by Keras' names.
MERGES = {
    "concat": lambda forward, reverse: torch.cat((forward, reverse), dim=-1),
    "sum": lambda forward, reverse: forward + reverse,
    "ave": lambda forward, reverse: (forward + reverse) / 2,
    "mul": lambda forward, reverse: forward * reverse,
}


@dataclass(frozen=True)
class Stage:
    """One module of the chain, as a manifest lists it."""

    name: str
    module: str
    #: Of the constructor; what they leave out is at PyTorch's defaults.
    arguments: dict[str, Any] = field(default_factory=dict)
    #: What a recurrent module hands on, `output` or `h_n`; `output` where None.
    select: str | None = None

    def entry(self, stated: bool = True) -> dict[str, Any]:
        """As the manifest states it, with or without what the shapes tell."""
        told = {"num_embeddings", "embedding_dim", "input_size", "hidden_size", "num_layers",
                "bias", "bidirectional", "proj_size", "in_features", "out_features"}
        arguments = {k: v for k, v in self.arguments.items() if stated or k not in told}
        entry = {"name": self.name, "module": self.module, "arguments": arguments}
        return entry if self.select is None else entry | {"select": self.select}


class DirectionMerge(torch.nn.Module):
    """Joins the two directions of a bidirectional module, forward first."""

    def __init__(self, mode: str) -> None:
        super().__init__()
        self.merge = MERGES[mode]

    def forward(self, forward: torch.Tensor, reverse: torch.Tensor) -> torch.Tensor:
        return self.merge(forward, reverse)


def make(stage: Stage, dtype: torch.dtype) -> torch.nn.Module:
    if stage.module == "DirectionMerge":
        return DirectionMerge(**stage.arguments)
    typed = {} if stage.module.endswith("Softmax") else {"dtype": dtype}
    return getattr(torch.nn, stage.module)(**stage.arguments, **typed)


class Pipeline(torch.nn.Module):
    """The chain; its state_dict has the modules' names as prefixes."""

    def __init__(self, stages: list[Stage], dtype: torch.dtype) -> None:
        super().__init__()
        self.stages = stages
        for stage in stages:
            self.add_module(stage.name, make(stage, dtype))

    def forward(
        self, inputs: dict[str, torch.Tensor], packed: dict[str, Any] | None = None
    ) -> dict[str, torch.Tensor]:
        """What the last module hands on as `output`, and every module's results as
        `NAME.output`, `NAME.h_n` and `NAME.c_n`.

        The first recurrent module starts from `h_0` and `c_0`, where they are given; each
        packs its sequences, where there are `lengths`.
        """
        results: dict[str, torch.Tensor] = {}
        x, left = inputs["input"], dict(inputs)
        before = None
        for stage in self.stages:
            module = self.get_submodule(stage.name)
            if isinstance(module, torch.nn.RNNBase):
                own = run_recurrent(module, left | {"input": x}, packed)
                left = {k: v for k, v in left.items() if k not in ("h_0", "c_0")}
                results |= {f"{stage.name}.{name}": tensor for name, tensor in own.items()}
                x = handed_on(stage, module, own["output"], own["h_n"])
            else:
                merges = isinstance(module, DirectionMerge)
                x = module(*directions(before, x)) if merges else module(x)
                results[f"{stage.name}.output"] = x
            before = stage
        return {"output": x} | results


def handed_on(
    stage: Stage, module: torch.nn.RNNBase, output: torch.Tensor, h_n: torch.Tensor
) -> torch.Tensor:
    """What the next module gets: `output`, or the last layer's rows of `h_n`, (D, B, P)."""
    return h_n[-2 if module.bidirectional else -1:] if stage.select == "h_n" else output


def directions(before: Stage | None, x: torch.Tensor) -> tuple[torch.Tensor, ...]:
    """Forward and reverse in what the recurrent module before handed on."""
    if before is not None and before.select == "h_n":
        return x.unbind(0)
    return x.chunk(2, dim=-1)
