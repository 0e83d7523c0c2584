"""How coarse the arithmetics are that a model may have been computed in."""

from dataclasses import dataclass, replace

import torch


@dataclass(frozen=True)
class Arithmetic:
    """Unit roundoffs, the largest relative error of one rounding, and the smallest numbers."""

    #: Of the sums within one operator.
    accumulated: float
    #: Of what an operator gives.
    result: float
    #: Of the operands of a product, before it is computed; 0 where they stay as they are.
    operands: float
    smallest_subnormal: float
    smallest_normal: float
    #: What the noise is multiplied by, so that float64 can show it, and σ is divided by.
    inflation: float = 1.0
    #: Whether sigmoid, tanh and the like are accurate beside 1, and not beside small results.
    absolute: bool = False

    @property
    def dtype(self) -> torch.dtype:
        """A type whose numbers this arithmetic has without rounding."""
        return {2.0**-11: torch.float16, 2.0**-8: torch.bfloat16}.get(self.result, torch.float32)

    @property
    def within(self) -> "Arithmetic":
        """The arithmetic inside of an operator that is made of several: half precision computes
        them in float32, and rounds what comes out."""
        return replace(self, result=self.accumulated)


ARITHMETICS = {
    "float64": Arithmetic(2.0**-40, 2.0**-40, 0, 2.0**-1061, 2.0**-1009, 2.0**13),
    "float32": Arithmetic(2.0**-24, 2.0**-24, 0, 2.0**-149, 2.0**-126),
    "tf32": Arithmetic(2.0**-24, 2.0**-24, 2.0**-11, 2.0**-149, 2.0**-126),
    "float16": Arithmetic(2.0**-24, 2.0**-11, 0, 2.0**-24, 2.0**-14),
    "bfloat16": Arithmetic(2.0**-24, 2.0**-8, 0, 2.0**-133, 2.0**-126),
}
