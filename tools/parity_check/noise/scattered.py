"""How much the rounding of what is put together from scattered numbers may move it, as in `rules`."""

from collections.abc import Callable
from typing import Any

import torch

from parity_check.noise import operators, rules
from parity_check.noise.arithmetic import Arithmetic


def scattered_sum(
    func: Callable[..., torch.Tensor], name: str, args: tuple[Any, ...], kwargs: dict[str, Any],
    out: torch.Tensor, a: Arithmetic,
) -> torch.Tensor:
    """Sums of what is put in one place, and there may be multiplied by `alpha` first."""
    index, alpha = operators.SCATTERED_SUMS[name], kwargs.get("alpha", 1)

    def of(value: Callable[[torch.Tensor], torch.Tensor], factor: float) -> torch.Tensor:
        changed = list(args)
        changed[0], changed[index] = value(args[0]), factor * value(args[index])
        return func(*changed)

    squares = of(torch.square, alpha**2)
    deviation = sum_of_some(of(torch.ones_like, 1), squares, out, a)
    if alpha == 1:
        return deviation
    return torch.where(deviation > 0, torch.hypot(deviation, a.result * (squares / 3).sqrt()), 0)


def sum_of_some(
    count: torch.Tensor, squares: torch.Tensor, out: torch.Tensor, a: Arithmetic
) -> torch.Tensor:
    """Of as many terms at each place; one that is there alone is itself. Half precision adds them
    up where they belong, in its own type."""
    variance = a.result**2 / 3 * (count / 6 * squares + (count / 3 + 1) * out.square())
    return torch.where(count > 1, variance.sqrt() + a.smallest_subnormal, 0)


def reduced(
    func: Callable[..., torch.Tensor], name: str, args: tuple[Any, ...], kwargs: dict[str, Any],
    out: torch.Tensor, a: Arithmetic,
) -> torch.Tensor:
    """Sums, products, means or extremes of what is put in one place."""
    x, axis, index, source, how = args
    if how in ("amax", "amin"):
        return torch.zeros_like(out)

    def total(of: Callable[[torch.Tensor], torch.Tensor]) -> torch.Tensor:
        # A sum over indices is known under another name there.
        if name == "scatter_reduce":
            return func(of(x), axis, index, of(source), "sum", **kwargs)
        start = of(x)
        if not kwargs.get("include_self", True):
            start = start.index_fill(axis, index, 0)
        return start.index_add(axis, index, of(source))

    count = total(torch.ones_like)
    if how == "prod":
        variance = (a.accumulated**2 / 3 * (count - 1).clamp(min=0)
                    + (a.result > a.accumulated) * a.result**2 / 3) * out.square()
        return torch.where(count > 1, variance.sqrt() + a.smallest_subnormal, 0)
    scale = count.clamp(min=1) if how == "mean" else torch.ones_like(count)
    return sum_of_some(count, total(torch.square), out * scale, a) / scale + torch.where(
        scale > 1, rules.single(out, a), 0)


def bags(
    run: Callable[..., Any], args: tuple[Any, ...], out: torch.Tensor, a: Arithmetic
) -> torch.Tensor:
    """`_embedding_bag`: sums (mode 0) of rows, that may have weights, means (1), extremes (2)."""
    table, indices, offsets, by_frequency, mode, sparse, weights, *rest = (
        *args, *(False, 0, False, None)[len(args) - 3:])
    if mode == 2:
        return torch.zeros_like(out)

    def total(of: Callable[[torch.Tensor], torch.Tensor]) -> torch.Tensor:
        return run(of(table), indices, offsets, by_frequency, 0, sparse,
                   None if weights is None else of(weights), *rest)[0]

    count, squares = total(torch.ones_like), total(torch.square)
    if mode == 1:
        scale = count.clamp(min=1)
        return sum_of_some(count, squares, out * scale, a) / scale + rules.single(out, a)
    if weights is None:
        return sum_of_some(count, squares, out, a)
    return rules.sum_of_terms(1, count * squares, out * count.sqrt(), a)
