"""How much one operator's rounding may move its result: a standard deviation for each element.

With u the unit roundoff, n terms p of a sum a:

- products: ⅓u²·(n/6·Σp² + n/3·a²) for the sum, over random orders of summation, ⅓u²·a² for the
  result, and ⅔u²·Σp² where the factors were rounded before;
- sums: the same with their terms, or ⅓u²·Σs² where that is more, with s the partial sums in order,
  since the terms of a gradient may cancel in a structured way;
- one operation y: ⅓u²·y²; a transcendental function y: (8/3)u²·y²;
- all: plus the smallest subnormal number.
"""

import math
from collections.abc import Callable
from typing import Any

import torch

from parity_check.noise import operators
from parity_check.noise.arithmetic import Arithmetic


def product(
    run: Callable[..., torch.Tensor], name: str, args: tuple[Any, ...], out: torch.Tensor,
    a: Arithmetic,
) -> torch.Tensor:
    (first, second), added = operators.PRODUCTS[name]
    squares = [arg.abs() ** 2 if index in (first, second, added) and arg is not None else arg
               for index, arg in enumerate(args)]
    has_added = added is not None and args[added] is not None
    if name == "convolution":
        weight, transposed, groups = args[1], args[6], args[8]
        terms = weight[0, 0].numel() * (weight.shape[0] // groups if transposed
                                        else weight.shape[1])
    else:
        terms = args[first].shape[-1]
    rounded_parts = 0
    if name == "convolution" and transposed:
        rounded_parts = weight[0, 0].numel()
    return sum_of_terms(terms + has_added, run(*squares), out, a, factors=True,
                        rounded_parts=rounded_parts)


def sum_of_terms(
    n: int, squares: torch.Tensor, out: torch.Tensor, a: Arithmetic, factors: bool = False,
    partial: torch.Tensor | None = None, rounded_parts: int = 0,
) -> torch.Tensor:
    """Of n terms with these squares in all.

    In half precision some sums are put together from so many parts, each rounded to the result's
    type: a transposed convolution without oneDNN adds up what each place of its kernel gives.
    """
    total = out.abs() ** 2
    order = n / 6 * squares + n / 3 * total
    if partial is not None:
        order = torch.maximum(order, partial)
    variance = a.accumulated**2 / 3 * order + a.result**2 / 3 * total
    if rounded_parts and a.result > a.accumulated:
        variance += a.result**2 / 3 * rounded_parts * (squares / 6 + total / 3)
    if factors and a.operands:
        variance += 2 / 3 * a.operands**2 * squares
    return variance.clamp(min=0).sqrt() + math.sqrt(n) * a.smallest_subnormal


def summed(
    name: str, args: tuple[Any, ...], kwargs: dict[str, Any], out: torch.Tensor, a: Arithmetic
) -> torch.Tensor:
    x = args[0]
    if x.numel() == 0:
        return torch.zeros_like(out)
    dims = args[1] if len(args) > 1 else kwargs.get("dim")
    keep = args[2] if len(args) > 2 else kwargs.get("keepdim", False)
    if dims is None or dims == []:
        dims = list(range(x.dim()))
    dims = [dims] if isinstance(dims, int) else dims
    dims = sorted(d % x.dim() for d in dims) if x.dim() else []
    rest = [d for d in range(x.dim()) if d not in dims]
    terms = x.permute([*rest, *dims]).reshape(*(x.shape[d] for d in rest), -1)
    n = max(1, terms.shape[-1])
    shape = out.shape
    if keep:
        out = out.reshape([x.shape[d] for d in rest])
    scale = n if name == "mean" else 1
    partial = terms.cumsum(-1).square().sum(-1)
    squares = terms.square().sum(-1)
    deviation = sum_of_terms(n, squares, out * scale, a, partial=partial) / scale
    return deviation.reshape(shape)


def running_sum(x: torch.Tensor, axis: int, out: torch.Tensor, a: Arithmetic) -> torch.Tensor:
    """Each element may carry a rounding of each sum before it."""
    squares = out.square().cumsum(axis)
    return (a.accumulated**2 / 3 * squares + a.result**2 / 3 * out.square()).sqrt() + (
        a.smallest_subnormal)


def single(out: torch.Tensor, a: Arithmetic, given: tuple[Any, ...] = ()) -> torch.Tensor:
    """What is a number of the arithmetic already is not rounded, such as a sum of whole numbers,
    unless it was computed with a Python number, like 0.3, that is none."""
    deviation = a.result * math.sqrt(1 / 3) * out.abs() + a.smallest_subnormal
    # PyTorch hands a Python number on as a tensor without axes.
    numbers = [torch.as_tensor(value, dtype=torch.float64) for value in given
               if isinstance(value, float)
               or isinstance(value, torch.Tensor) and value.dim() == 0 and not value.is_complex()]
    if out.is_complex() or not all(value.to(a.dtype) == value for value in numbers):
        return deviation
    return torch.where(out.to(a.dtype) == out, 0, deviation)


def chain(
    name: str, args: tuple[Any, ...], out: torch.Tensor, a: Arithmetic
) -> torch.Tensor:
    """A product of n factors is rounded n − 1 times."""
    x = args[0]
    if name == "prod":
        n = x.shape[args[1]] if len(args) > 1 and x.dim() else x.numel()
        roundings: torch.Tensor | int = max(0, n - 1)
    else:
        axis = args[1] % max(1, x.dim())
        before = torch.arange(x.shape[axis] if x.dim() else 1, dtype=out.dtype, device=out.device)
        roundings = before.reshape([-1] + [1] * (x.dim() - axis - 1)) if x.dim() else before[0]
    variance = (a.accumulated**2 / 3 * roundings + (a.result > a.accumulated) * a.result**2 / 3
                ) * out.abs() ** 2
    return variance.sqrt() + a.smallest_subnormal


def several(
    name: str, args: tuple[Any, ...], kwargs: dict[str, Any], out: torch.Tensor, a: Arithmetic
) -> torch.Tensor:
    """Operators that multiply, and then add: what is rounded in between may be larger than what
    comes out."""
    if name == "linspace":
        largest = torch.full_like(out, max(abs(float(end)) for end in args[:2]))
        return torch.where(single(out, a, args) == 0, 0, single(largest, a, (0.3,)))
    factor = kwargs.get("alpha", kwargs.get("value", 1))
    if name in ("addcmul", "addcdiv"):
        part = args[1] * args[2] if name == "addcmul" else args[1] / args[2]
        between, count = part * factor, 2
    elif name == "lerp":
        between, count = args[2] * (args[1] - args[0]), 2
    elif factor != 1:
        between, count = factor * (args[0] if name == "rsub" else args[1]), 1
    else:
        return single(out, a, args)
    between = torch.as_tensor(between, dtype=out.dtype, device=out.device)
    variance = a.result**2 / 3 * (out.abs() ** 2 + count * between.abs() ** 2)
    return variance.sqrt() + a.smallest_subnormal


def transcendental(name: str, out: torch.Tensor, a: Arithmetic) -> torch.Tensor:
    # The function itself is computed as sums are, and its result rounded.
    unit = max(a.accumulated * math.sqrt(8 / 3), a.result * math.sqrt(1 / 3))
    smallest = (a.smallest_normal if name in operators.EXPONENTIAL else a.smallest_subnormal)
    deviation = unit * out.abs() + smallest
    if a.absolute and name in operators.BOUNDED:
        # Errors that are uniform within 2.5 units roundoff of 1: ONNX Runtime's sigmoid errs by up
        # to 2.8. Its tanh is made of one as 2σ(2x) − 1.
        own = 2.5 / math.sqrt(3) * a.accumulated * (2 if name == "tanh" else 1)
        return torch.hypot(deviation, torch.full_like(deviation, own))
    return deviation


def local_sum(
    run: Callable[..., torch.Tensor], name: str, args: tuple[Any, ...], a: Arithmetic
) -> torch.Tensor:
    """A few roundings of each of its terms, and more where there are many."""
    magnitude = run(*(arg.abs() if isinstance(arg, torch.Tensor) and arg.is_floating_point()
                      else arg for arg in args))
    if isinstance(magnitude, tuple):
        magnitude = magnitude[0]
    if name in ("avg_pool1d", "avg_pool2d", "avg_pool3d"):
        n = math.prod(args[1] * int(name[-2]) if len(args[1]) == 1 else args[1])
    elif name == "_embedding_bag_backward":
        n = args[1].unique(return_counts=True)[1].max().item() if args[1].numel() else 1
    else:
        n = args[0].numel() / max(1, magnitude.numel())
    order = max(1, math.sqrt(n) / 6)
    return 2 * (a.accumulated * order + a.result) * magnitude.abs() + a.smallest_subnormal


def fourier(args: tuple[Any, ...], out: torch.Tensor, a: Arithmetic) -> torch.Tensor:
    """The root of the sum of squares over the axes that are transformed, spread evenly, times the
    root of the number of stages."""
    axes = [d % out.dim() for d in args[1]]
    n = math.prod(max(args[0].shape[d], out.shape[d]) for d in axes)
    spread = out.abs().square().mean(axes, keepdim=True).sqrt().expand(out.shape)
    return (a.accumulated * math.sqrt(max(1, math.log2(n))) * spread
            + a.result * out.abs() + a.smallest_subnormal)
