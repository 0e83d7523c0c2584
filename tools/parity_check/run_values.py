"""What one run of a recorded model gave."""

from dataclasses import dataclass, field

import torch

from parity_check.noise.mode import RoundingNoise
from parity_check.values import Named

#: So many times its rounding a tensor is off, and is no longer rounded but another.
OTHER = 100


@dataclass
class Values:
    """What one run gave, and why for some of it no rounding can be measured."""

    mode: RoundingNoise | None
    outputs: Named = field(default_factory=dict)
    gradients: Named = field(default_factory=dict)
    unknown: dict[str, str] = field(default_factory=dict)

    def add(self, name: str, tensor: torch.Tensor, is_gradient: bool) -> None:
        """Keeps a value, or a gradient, unless it came from an operator without a rule."""
        if not tensor.is_floating_point():
            return  # Whole numbers are exact, and have no gradient.
        if tensor.layout != torch.strided:
            tensor = tensor.to_dense()
        if self.mode is not None and not self.mode.is_known(tensor):
            what = f"gradient of {name}" if is_gradient else name
            self.unknown[what] = f"no rule for {', '.join(self.mode.unknown)}"
        else:
            kept = self.gradients if is_gradient else self.outputs
            kept[name] = tensor.detach().clone()

    def all(self) -> dict[tuple[bool, str], torch.Tensor]:
        """By whether it is a gradient, and the name."""
        return {(False, name): tensor for name, tensor in self.outputs.items()} | {
            (True, name): tensor for name, tensor in self.gradients.items()}


def is_other(recorded: torch.Tensor, exact: torch.Tensor, sigma: torch.Tensor) -> bool:
    """Whether a tensor is off by far more than its rounding: a model may depend on the type of
    its numbers, and its σ would then be that of other numbers."""
    if recorded.shape != exact.shape:
        return True
    difference = recorded.to(exact.device, torch.float64) - exact
    finite = difference.isfinite() & sigma.isfinite()
    return bool(difference[finite].norm() > OTHER * sigma[finite].norm())
