"""The simplest configuration that still fails: options are left out and sizes made smaller, as
long as what fails goes on failing.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace

import torch

from parity_check.configurations import Configuration

Step = Callable[[Configuration], Configuration]


def shrink(
    start: Configuration, failing: Callable[[list[Configuration]], list[Configuration]]
) -> Configuration:
    """`failing` gives those of a list that fail, in the order of the list."""
    best = start
    while simpler := [(step, step(best)) for step in STEPS if step(best) != best]:
        tried = named(start, [c for _, c in simpler])
        failed = failing(tried)
        if not failed:
            break
        # What can be left out one by one often can together.
        steps = [step for (step, _), c in zip(simpler, tried, strict=True) if c in failed]
        all_of_them = failing(named(start, list(together(failed[0], steps[1:]))))
        best = (all_of_them or failed[:1])[-1]
    return best


def named(start: Configuration, configurations: list[Configuration]) -> list[Configuration]:
    """With a name for each, and so with random numbers of its own."""
    return [replace(c, name=f"{start.name}-{index}") for index, c in enumerate(configurations)]


def together(c: Configuration, steps: list[Step]) -> Iterator[Configuration]:
    """With one step more each time."""
    for step in steps:
        if step(c) != c:
            c = step(c)
            yield c


def sized(**most: int) -> Step:
    """Makes these sizes at most so large, and what depends on them fit."""
    def step(c: Configuration) -> Configuration:
        smaller = {name: min(size, getattr(c, name)) for name, size in most.items()
                   if getattr(c, name) is not None}
        return fitted(replace(c, **smaller))

    return step


def fraction(name: str) -> Iterator[Step]:
    """Makes one size half as large, and smaller by 1."""
    for smaller in (lambda size: size // 2, lambda size: size - 1):
        yield lambda c, smaller=smaller: sized(**{name: max(1, smaller(getattr(c, name) or 1))})(c)


def fitted(c: Configuration) -> Configuration:
    """With options that fit the sizes, and no dropout, which needs a second layer."""
    arguments, packed = dict(c.arguments), dict(c.packed)
    if arguments.get("num_layers", 1) == 1:
        arguments.pop("dropout", None)
    if "proj_size" in arguments:
        arguments["proj_size"] = min(arguments["proj_size"], c.hidden_size - 1)
        if arguments["proj_size"] == 0:
            del arguments["proj_size"]
    lengths, chunks = c.lengths, c.chunks
    if lengths:
        lengths = tuple(min(length, c.steps) for length in lengths[:c.batch])
        if "total_length" in packed:
            packed["total_length"] = min(packed["total_length"], max(lengths) + 1)
    if chunks and (sum(chunks) != c.steps if isinstance(chunks, tuple) else chunks >= c.steps):
        chunks = 1 if c.steps > 1 else None
    return replace(c, arguments=arguments, lengths=lengths, packed=packed, chunks=chunks)


def without(name: str) -> Step:
    """Leaves an argument at PyTorch's default."""
    return lambda c: replace(c, arguments={k: v for k, v in c.arguments.items() if k != name})


def argument(name: str, value: int | bool) -> Step:
    """Gives an argument of the module this value, where it has a larger one."""
    return lambda c: c if c.arguments.get(name, value) <= value else fitted(
        replace(c, arguments=c.arguments | {name: value}))


def unpacked(c: Configuration) -> Configuration:
    return replace(c, lengths=None, packed={})


def without_total_length(c: Configuration) -> Configuration:
    return replace(c, packed={k: v for k, v in c.packed.items() if k != "total_length"})


def of_one_length(c: Configuration) -> Configuration:
    if c.lengths is None:
        return c
    packed = {k: max(v, c.steps) if k == "total_length" else v for k, v in c.packed.items()}
    return replace(c, lengths=(c.steps,) * len(c.lengths), packed=packed)


def batched(c: Configuration) -> Configuration:
    """Unbatched input is the rarer way."""
    return replace(c, batch=1) if c.batch is None else c


def rounded(grid: float) -> Step:
    return lambda c: replace(c, grid=grid) if c.grid is None or c.grid < grid else c


SIZES = ["input_size", "hidden_size", "batch", "steps"]

#: Each gives what it was given where there is nothing to leave out. What leaves out most comes
#: first.
STEPS: list[Step] = [
    *(sized(**dict.fromkeys(SIZES, size)) for size in (1, 2)),
    without("dropout"), argument("num_layers", 1), argument("num_layers", 2),
    argument("bidirectional", False), unpacked, without_total_length, of_one_length,
    lambda c: replace(c, chunks=None),
    lambda c: replace(c, chunks=1) if c.chunks else c,
    without("proj_size"), argument("proj_size", 1), argument("batch_first", False),
    lambda c: replace(c, initial_state=False), argument("bias", False), without("nonlinearity"),
    batched, lambda c: replace(c, dtype=torch.float32),
    lambda c: replace(c, lengths_dtype=torch.int64),
    *(sized(**{name: size}) for name in SIZES for size in (1, 2)),
    *(step for name in SIZES for step in fraction(name)),
    lambda c: replace(c, container=""),
    *(rounded(grid) for grid in (0.5, 0.25, 0.125)),
]
