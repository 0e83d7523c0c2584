"""PyTorch with the roundings of an arithmetic, in float64."""

import hashlib
import math
from collections import Counter
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_flatten, tree_map

from parity_check.noise import operators, rules, scattered
from parity_check.noise.arithmetic import Arithmetic
from parity_check.noise.decompositions import DECOMPOSITIONS
from parity_check.noise.types import (
    COARSENESS, CONVERSIONS, NARROW, functional, storage, widened)


class RoundingNoise(TorchDispatchMode):
    """While it is entered, each operator's result is moved at random by as much as its rounding
    in an arithmetic may move it; what is made or converted in a narrower type is float64.

    Random numbers are drawn in the type that the model draws them in, `default` where it names
    none: in float64 they would be others.

    With a seed of None nothing is moved. The same seed gives the same run: half of each move is
    drawn anew in every call, the other half once for an operator and a shape, since a rounding of
    what stays the same is the same at every step.
    """

    def __init__(
        self, arithmetic: Arithmetic, seed: int | None, default: torch.dtype = torch.float32
    ) -> None:
        super().__init__()
        self.arithmetic, self.seed, self.default = arithmetic, seed, default
        self._own = torch.float64 if arithmetic.inflation > 1 else arithmetic.dtype
        #: Operators that have no rule, and how often they ran.
        self.unknown: Counter[str] = Counter()
        self._depth = 0
        self._frozen: dict[tuple[Any, ...], torch.Tensor] = {}
        self._generators: dict[torch.device, torch.Generator] = {}
        self._tainted: dict[int, torch.UntypedStorage] = {}

    def is_known(self, tensor: torch.Tensor) -> bool:
        """Whether all operators that a tensor came from have a rule."""
        return storage(tensor)._cdata not in self._tainted

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        kwargs = kwargs or {}
        name = func._schema.name.split("::")[-1]
        if name in operators.RANDOM:
            return self._random(func, name, args, kwargs)
        if name.endswith("_") and not name.startswith("__"):
            return self._in_place(func, name, args, kwargs)
        is_narrowing = name in CONVERSIONS and self._is_narrowing((*args, *kwargs.values()))
        # In half precision a conversion to the model's own type rounds, also where that type is
        # said to be that of a tensor, which is float64 here.
        is_own = name in CONVERSIONS and self._own in COARSENESS and any(
            value is self._own or value is torch.float64 for value in (*args, *kwargs.values()))
        if "out" in kwargs:
            return self._unruled(name, func(*args, **kwargs))
        args = widened(args)
        if kwargs:
            kwargs = {key: widened(value) for key, value in kwargs.items()}
        if not self._has_rule(name) and name not in operators.EXACT:
            result = self._decomposed(func, args, kwargs)
            if result is not NotImplemented:
                return result
        out = func(*args, **kwargs)
        if name in operators.EXACT and not is_narrowing and "reduce" not in kwargs:
            out = self._spread(args, kwargs, out)
            return self._rounded(func, out) if is_own and not self._depth else out
        if not self._has_rule(name):
            return self._unruled(name, out)
        try:
            moved = (self._convolution_backward(func, args, kwargs, out)
                     if name == "convolution_backward"
                     else self._moved(func, name, args, kwargs, out))
        except Exception:  # A form of the operator that its rule does not know.
            return self._unruled(name, out)
        return self._spread(args, kwargs, moved)

    def _is_narrowing(self, given: tuple[Any, ...]) -> bool:
        """Whether a model computes on in a coarser type than the recording's arithmetic."""
        return any(COARSENESS.get(value, 0) > self.arithmetic.result for value in given
                   if isinstance(value, torch.dtype))

    def _has_rule(self, name: str) -> bool:
        return (name in operators.PRODUCTS or name in operators.ARITHMETIC
                or name in operators.TRANSCENDENTAL or name in operators.SUMS
                or name in operators.LOCAL_SUMS or name in operators.SCATTERED_SUMS
                or name in operators.FOURIER or name in operators.CHAINS
                or name in operators.REDUCTIONS or name in operators.BAGS
                or name in ("cumsum", "convolution_backward"))

    def _decomposed(self, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """What the operators give that PyTorch makes this one of."""
        name, is_half = func._schema.name.split("::")[-1], self.arithmetic.within != self.arithmetic
        if is_half and name in operators.WITHOUT_HALF:
            return NotImplemented
        table = DECOMPOSITIONS.get(func, func.decompose)
        # In half precision a batch norm keeps its mean and its scale in that type.
        inside = "batch_norm" not in name
        self._depth += inside
        try:
            with self:
                result = table(*args, **kwargs)
        except Exception:  # A form of the operator that its decomposition does not know.
            return NotImplemented
        finally:
            self._depth -= inside
        if name in operators.RESAMPLING and result is not NotImplemented:
            magnitude = func(args[0].abs(), *args[1:], **kwargs).abs()
            result = self._spread((result,), {}, self._move(
                result, self.arithmetic.accumulated * magnitude, str(func)))
        if result is NotImplemented or self._depth or not is_half:
            return result
        # Half precision rounds what comes out of an operator.
        return tree_map(lambda out: self._rounded(func, out), result)

    def _rounded(self, func: Any, out: Any) -> Any:
        if not isinstance(out, torch.Tensor) or not out.is_floating_point():
            return out
        moved = self._move(out, rules.single(out, self.arithmetic), str(func))
        return self._spread((out,), {}, moved)

    def _random(
        self, func: Any, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        """Random numbers in the model's own type, then in float64."""
        if name.endswith("_"):
            target = args[0]
            if not target.is_floating_point():
                return func(*args, **kwargs)
            numbers = func(torch.empty_like(target, dtype=self._own), *args[1:], **kwargs)
            return target.copy_(numbers)
        narrow = tree_map(lambda value: value.to(self._own) if isinstance(value, torch.Tensor)
                          and value.dtype == torch.float64 else value, args)
        if any(argument.name == "dtype" for argument in func._schema.arguments):
            named = kwargs.get("dtype")
            own = self._own if name.endswith("_like") else self.default
            kwargs = kwargs | {"dtype": named if named in NARROW else own}
        return self._spread(args, kwargs, widened(func(*narrow, **kwargs)))

    def _in_place(
        self, func: Any, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        """The operator's other form, and its result written where it belongs."""
        if name[:-1] in operators.EXACT:
            return self._spread(args, kwargs, func(*args, **kwargs))
        other, target = functional(func, name[:-1]), args[0]
        if other is None:
            return self._unruled(name, func(*args, **kwargs))
        value = self.__torch_dispatch__(other, (), args, kwargs)
        target.copy_(value)
        self._spread((value,), {}, target)
        return target

    def _arithmetic_here(self) -> Arithmetic:
        return self.arithmetic.within if self._depth else self.arithmetic

    def _moved(
        self, func: Any, name: str, args: tuple[Any, ...], kwargs: dict[str, Any], out: Any
    ) -> Any:
        first = out[0] if isinstance(out, tuple) else out
        if self.seed is None or not isinstance(first, torch.Tensor) or not (
                first.is_floating_point() or first.is_complex()):
            return out
        a = self._arithmetic_here()
        run = lambda *changed: func(*changed, **kwargs)  # noqa: E731
        if name in operators.PRODUCTS:
            # `alpha` and `beta` multiply the terms.
            squared = {key: value * value for key, value in kwargs.items()}
            deviation = rules.product(
                lambda *changed: func(*changed, **squared), name, args, first, a)
        elif name in operators.SUMS:
            deviation = rules.summed(name, args, kwargs, first, a)
        elif name == "cumsum":
            deviation = rules.running_sum(args[0], args[1], first, a)
        elif name in operators.LOCAL_SUMS:
            deviation = rules.local_sum(run, name, args, a)
        elif name in operators.SCATTERED_SUMS:
            deviation = scattered.scattered_sum(func, name, args, kwargs, first, a)
        elif name in operators.REDUCTIONS:
            deviation = scattered.reduced(func, name, args, kwargs, first, a)
        elif name in operators.BAGS:
            deviation = scattered.bags(run, args, first, a)
        elif name in operators.CHAINS:
            deviation = rules.chain(name, args, first, a)
        elif name in operators.FOURIER:
            deviation = rules.fourier(args, first, a)
        elif name in operators.TRANSCENDENTAL:
            deviation = rules.transcendental(name, first, a)
        else:
            deviation = rules.several(name, args, kwargs, first, a)
        moved = self._move(first, deviation, name)
        return (moved, *out[1:]) if isinstance(out, tuple) else moved

    def _convolution_backward(
        self, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any], out: Any
    ) -> Any:
        """Its three results are products, or sums, of what it is given."""
        if self.seed is None:
            return out
        gradient, x, weight, *rest = args
        squares = func(gradient * gradient, x * x, weight * weight, *rest, **kwargs)
        summed = gradient.numel() // gradient.shape[1]
        counts = (weight.numel() // x.shape[1], summed, summed)
        a = self._arithmetic_here()
        moved = tuple(
            None if one is None else self._move(
                one, rules.sum_of_terms(max(1, n), square, one, a, factors=index < 2),
                f"convolution_backward.{index}")
            for index, (one, square, n) in enumerate(zip(out, squares, counts, strict=True)))
        return moved

    def _unruled(self, name: str, out: Any) -> Any:
        tensors = [t for t in tree_flatten(out)[0] if isinstance(t, torch.Tensor)]
        if any(t.is_floating_point() or t.is_complex() for t in tensors):
            self.unknown[name] += 1
            for tensor in tensors:
                self._taint(tensor)
        return out

    def _taint(self, tensor: torch.Tensor) -> None:
        kept = storage(tensor)
        self._tainted[kept._cdata] = kept

    def _spread(self, args: Any, kwargs: Any, out: Any) -> Any:
        """What comes of something without a rule has none either."""
        if self._tainted:
            given = [t for t in tree_flatten((args, kwargs))[0] if isinstance(t, torch.Tensor)]
            if not all(self.is_known(t) for t in given):
                for tensor in tree_flatten(out)[0]:
                    if isinstance(tensor, torch.Tensor):
                        self._taint(tensor)
        return out

    def _move(self, y: torch.Tensor, deviation: torch.Tensor, key: str) -> torch.Tensor:
        if self.seed is None:
            return y
        if y.is_complex():
            parts = torch.view_as_real(y)
            moved = self._move(parts, deviation.unsqueeze(-1).expand(parts.shape), key)
            return torch.view_as_complex(moved.contiguous())
        draws = torch.rand(y.shape, dtype=torch.float64, device=y.device,
                           generator=self._generator(y.device)) * 2 - 1
        move = (draws + self._frozen_draws(key, y)) * math.sqrt(3.0) * deviation
        return torch.where(torch.isfinite(move), y + move, y)

    def _generator(self, device: torch.device) -> torch.Generator:
        if device not in self._generators:
            self._generators[device] = torch.Generator(device).manual_seed(self.seed)
        return self._generators[device]

    def _frozen_draws(self, key: str, y: torch.Tensor) -> torch.Tensor:
        place = (key, tuple(y.shape), str(y.device))
        if place not in self._frozen:
            digest = hashlib.sha256(repr((place, self.seed)).encode()).digest()
            generator = torch.Generator(y.device).manual_seed(
                int.from_bytes(digest[:7], "little"))
            self._frozen[place] = torch.rand(
                y.shape, dtype=torch.float64, device=y.device, generator=generator) * 2 - 1
        return self._frozen[place]
