"""Mistakes that are planted into one stage of a model: in its parameters, or in what it gives."""

import copy
import random
from collections.abc import Callable

import torch
from torch import nn

Plant = Callable[[nn.Module, random.Random], bool]


def planted(
    model: nn.Module, stage: str, r: random.Random
) -> tuple[str, nn.Module] | None:
    """A copy of the model with a mistake in the module of this name, and what it is; None where no
    mistake can be made in such a module."""
    for kind in r.sample(list(PLANTS), len(PLANTS)):
        wrong = copy.deepcopy(model)
        with torch.no_grad():
            if PLANTS[kind](wrong.get_submodule(stage), r):
                return kind, wrong
    return None


def matrices(module: nn.Module) -> list[torch.Tensor]:
    return [p for p in module.parameters(recurse=False) if p.dim() > 1]


def one_weight(factor: float) -> Plant:
    def plant(module: nn.Module, r: random.Random) -> bool:
        if not matrices(module):
            return False
        flat = r.choice(matrices(module)).view(-1)
        flat[int(flat.abs().argmax())] *= factor
        return True

    return plant


def all_weights(module: nn.Module, r: random.Random) -> bool:
    if not matrices(module):
        return False
    r.choice(matrices(module)).mul_(1.001)
    return True


def rows_exchanged(module: nn.Module, r: random.Random) -> bool:
    found = [p for p in matrices(module) if len(p) > 1]
    if not found:
        return False
    p = r.choice(found)
    a, b = r.sample(range(len(p)), 2)
    p[[a, b]] = p[[b, a]]
    return True


def bias_dropped(module: nn.Module, r: random.Random) -> bool:
    found = [p for name, p in module.named_parameters(recurse=False) if "bias" in name]
    if not found:
        return False
    r.choice(found).zero_()
    return True


def epsilon(module: nn.Module, r: random.Random) -> bool:
    if not hasattr(module, "eps"):
        return False
    module.eps = 1e-3
    return True


def changed(change: Callable[[torch.Tensor, random.Random], torch.Tensor]) -> Plant:
    """A mistake in the first tensor that a module gives."""

    def plant(module: nn.Module, r: random.Random) -> bool:
        seed = r.randrange(1 << 30)

        def hook(module: nn.Module, args: object, result: object) -> object:
            own = random.Random(seed)
            if isinstance(result, tuple):
                return (change(result[0], own), *result[1:])
            return change(result, own)

        module.register_forward_hook(hook)
        return True

    return plant


def shifted(y: torch.Tensor, r: random.Random) -> torch.Tensor:
    return torch.roll(y, 1, dims=1 if y.dim() > 2 else 0)


def channel_lost(y: torch.Tensor, r: random.Random) -> torch.Tensor:
    y = y.clone()
    y[..., r.randrange(y.shape[-1])] = 0
    return y


PLANTS: dict[str, Plant] = {
    "the largest weight off by 10 %": one_weight(1.1),
    "the sign of the largest weight": one_weight(-1.0),
    "all weights off by 0.1 %": all_weights,
    "two rows exchanged": rows_exchanged,
    "a bias dropped": bias_dropped,
    "another epsilon": epsilon,
    "the result off by 1 %": changed(lambda y, r: y * 1.01),
    "the result plus 0.001": changed(lambda y, r: y + 1e-3),
    "a step late": changed(shifted),
    "a channel lost": changed(channel_lost),
    "rounded to bfloat16": changed(lambda y, r: y.bfloat16().to(y.dtype)),
}
