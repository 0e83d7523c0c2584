"""How operators that are not primitive are made of others: PyTorch's own table, and what is not in
it."""

import math
from collections.abc import Callable
from typing import Any

import torch
from torch._decomp import core_aten_decompositions, decomposition_table

aten = torch.ops.aten


def variance(x: torch.Tensor, axes: list[int], correction: float) -> torch.Tensor:
    """The mean of the squared deviations from the mean, over these axes."""
    deviations = x - x.mean(axes, keepdim=True)
    n = math.prod(x.shape[axis] for axis in axes)
    return (deviations * deviations).sum(axes) / (n - correction)


def trilinear(
    first: torch.Tensor, second: torch.Tensor, third: torch.Tensor, expand1: list[int],
    expand2: list[int], expand3: list[int], sums: list[int], unroll_dim: int = 1,
) -> torch.Tensor:
    """The sum, over some axes, of products of three; each is given axes of size 1 first."""
    def expanded(x: torch.Tensor, axes: list[int]) -> torch.Tensor:
        for axis in axes:
            x = x.unsqueeze(axis)
        return x

    product = expanded(first, expand1) * expanded(second, expand2) * expanded(third, expand3)
    return product.sum(sums) if sums else product


def distances(
    first: torch.Tensor, second: torch.Tensor, p: float, compute_mode: int | None
) -> torch.Tensor:
    """The p-norms of the differences of rows (…, P, M) and (…, R, M): (…, P, R)."""
    return torch.linalg.vector_norm(first.unsqueeze(-2) - second.unsqueeze(-3), p, -1)


def distances_backward(
    gradient: torch.Tensor, first: torch.Tensor, second: torch.Tensor, p: float,
    distance: torch.Tensor,
) -> torch.Tensor:
    """The gradient of distances by their first rows."""
    if not 1 <= p < math.inf:
        return NotImplemented
    difference = first.unsqueeze(-2) - second.unsqueeze(-3)
    distance = distance.unsqueeze(-1)
    if p == 1:
        share = difference.sign()
    elif p == 2:
        share = difference / distance
    else:
        share = difference * difference.abs() ** (p - 2) / distance ** (p - 1)
    share = torch.where(distance == 0, torch.zeros_like(share), share)
    return (gradient.unsqueeze(-1) * share).sum(-2)


def rrelu(
    x: torch.Tensor, noise: torch.Tensor, lower: float = 1 / 8, upper: float = 1 / 3,
    training: bool = False, generator: torch.Generator | None = None,
) -> torch.Tensor:
    if training:
        return NotImplemented
    return torch.where(x > 0, x, x * ((lower + upper) / 2))


def batch_norm(
    x: torch.Tensor, weight: torch.Tensor | None, bias: torch.Tensor | None,
    mean: torch.Tensor | None, variance: torch.Tensor | None, training: bool, momentum: float,
    eps: float,
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """In eval() a scale and a shift, as PyTorch computes it for what is contiguous. For what is not
    it takes the mean off first, which rounds less where x is near it: either is right."""
    if training or mean is None or variance is None:
        whole = decomposition_table[aten.native_batch_norm.default]
        return whole(x, weight, bias, mean, variance, training, momentum, eps)
    scale = torch.rsqrt(variance + eps)
    if weight is not None:
        scale = scale * weight
    shift = -mean * scale if bias is None else bias - mean * scale
    by_channel = [1, -1] + [1] * (x.dim() - 2)
    return (x * scale.reshape(by_channel) + shift.reshape(by_channel), x.new_empty(0),
            x.new_empty(0))


#: The backward pass of what is a function of its first argument, and that function; where the
#: shape of that argument stands among those of the backward pass is 2.
RESAMPLING = {
    aten.upsample_linear1d_backward.default: aten.upsample_linear1d.default,
    aten.upsample_bilinear2d_backward.default: aten.upsample_bilinear2d.default,
    aten.upsample_trilinear3d_backward.default: aten.upsample_trilinear3d.default,
    aten.upsample_bicubic2d_backward.default: aten.upsample_bicubic2d.default,
}


def resampling_backward(forward: Any) -> Callable[..., Any]:
    """The gradient of a resampled image by the image, from the operators that make the image."""
    def backward(
        gradient: torch.Tensor, output_size: list[int], input_size: list[int], *options: Any
    ) -> torch.Tensor:
        with torch.overrides.enable_reentrant_dispatch(), torch.enable_grad():
            x = gradient.new_zeros(input_size).requires_grad_()
            y = decomposition_table[forward](x, output_size, *options)
            return torch.autograd.grad(y, x, gradient)[0]

    return backward


def grid_sampler_backward(
    gradient: torch.Tensor, x: torch.Tensor, grid: torch.Tensor, mode: int, padding: int,
    align_corners: bool, wanted: list[bool],
) -> tuple[torch.Tensor | None, ...]:
    """The gradients of a sampled image by the image and by the places."""
    with torch.overrides.enable_reentrant_dispatch(), torch.enable_grad():
        given = [tensor.detach().requires_grad_() for tensor in (x, grid)]
        y = decomposition_table[aten.grid_sampler_2d.default](
            *given, mode, padding, align_corners)
        found = torch.autograd.grad(y, given, gradient, allow_unused=True)
    return tuple(
        None if not is_wanted else torch.zeros_like(tensor) if one is None else one
        for one, tensor, is_wanted in zip(found, (x, grid), wanted, strict=True))


DECOMPOSITIONS: dict[Any, Callable[..., Any]] = {
    **decomposition_table, **core_aten_decompositions(),
    torch.ops.prims.var.default: lambda x, dims, correction=1.0, *, output_dtype=None:
        variance(x, dims, correction),
    aten.native_batch_norm.default: batch_norm,
    aten._trilinear.default: trilinear,
    aten._cdist_forward.default: distances,
    aten._cdist_backward.default: distances_backward,
    aten.rrelu_with_noise.default: rrelu,
    # The same, put together from others, for gradients of gradients.
    aten._weight_norm_interface_backward.default:
        aten._weight_norm_differentiable_backward.default,
    **{backward: resampling_backward(forward) for backward, forward in RESAMPLING.items()},
    aten.grid_sampler_2d_backward.default: grid_sampler_backward,
}
