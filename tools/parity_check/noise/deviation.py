"""How far a tensor is from another in units of σ, and how far it may be."""

import torch

#: An element passes at this z.
LARGEST_Z = 8.0


def deviation(
    actual: torch.Tensor, expected: torch.Tensor, sigma: torch.Tensor
) -> tuple[float, float, float]:
    """The largest z, its root mean square, and the limit of that, 2 + 6/√n for n elements; both
    sides round. A NaN is no deviation where one is expected, nor is the same infinity."""
    actual, expected = actual.double(), expected.double()
    same = (actual == expected) | (actual.isnan() & expected.isnan())
    z = torch.where(same, 0, (actual - expected).abs() / (sigma.double() * 2**0.5))
    if not z.numel():
        return 0.0, 0.0, 2.0
    return z.max().item(), z.square().mean().sqrt().item(), 2 + 6 / z.numel() ** 0.5
