"""Random realistic cases of real PyTorch, and results that are wrong in known ways."""

import math
import random
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from catalogue import export_fixtures
from catalogue.cases import Case
from catalogue.export_fixtures import Fixture
from measure.wrong_forward import Array, Run
from measure.wrong_ways import GATE_SLUGS, OTHER_SLUGS, WAYS, compute, run_of
from parity_check.drawing import draw_chunks
from parity_check.modules import chunk_sizes

Tensors = dict[str, Array]

#: How many configurations are drawn for a way, or for two, before others are taken.
DRAWS = 400
#: Of the rounding of float32: what is not further off can't be seen.
VISIBLE = 20
#: Units in the last place that results may part by and still be the same.
SAME_ULPS = 8
ULP = 2.0**-23

#: It differs from tanh by a rounding of 1, which only small states show.
ONLY_IN_SMALL_STATES = "tanh-from-sigmoid"


@dataclass(frozen=True)
class Right:
    """A case as PyTorch computes it."""

    fixture: Fixture
    run: Run
    reference: Tensors
    #: What rounding makes, by tensor: the largest difference from float64.
    rounding: dict[str, float]


def draw(r: random.Random, name: str, kinds: Iterable[str] = (), plain: bool = False) -> Case:
    """A configuration; `plain`: one layer, no projection, batched and not packed."""
    def size(least: int, most: int) -> int:
        return int(math.exp(r.uniform(math.log(least), math.log(most + 1))))

    module = r.choice(list(kinds) or [
        "LSTM", "LSTM", "LSTM", "GRU", "GRU", "GRU", "RNN", "RNN", "LSTMCell", "GRUCell", "RNNCell",
    ])
    is_cell, distinct = module.endswith("Cell"), r.random() < 0.8
    inputs, hidden, steps, batch = size(2, 24), size(2, 24), r.randint(2, 12), r.randint(1, 5)
    while distinct and len({inputs, hidden, steps, batch}) < 4:
        inputs, hidden, steps, batch = size(2, 24), size(2, 24), r.randint(2, 12), r.randint(1, 5)
    if not distinct and r.random() < 0.7:
        inputs, batch = r.choice([hidden, 2 * hidden]), min(steps, 5)
    arguments: dict[str, object] = {"bias": r.random() < 0.85}
    if module.startswith("RNN"):
        arguments["nonlinearity"] = r.choice(["tanh", "relu"])
    if not is_cell:
        arguments |= {"batch_first": r.random() < 0.5, "bidirectional": r.random() < 0.6}
        if not plain:
            arguments["num_layers"] = r.choice([1, 2, 2, 3])
            if module == "LSTM" and r.random() < 0.2:
                arguments["proj_size"] = r.randint(1, hidden - 1)
    unbatched = not plain and r.random() < 0.1
    lengths, packed = None, {}
    if not is_cell and not unbatched and not plain and r.random() < 1 / 3:
        lengths = [r.randint(1, steps) for _ in range(batch)]
        lengths[r.randrange(batch)] = steps
        packed = {"enforce_sorted": r.random() < 0.25}
        if packed["enforce_sorted"]:
            lengths.sort(reverse=True)
        if r.random() < 0.2:
            packed["total_length"] = steps + r.randint(1, 3)
    can_be_cut = not (plain or is_cell or lengths or arguments["bidirectional"])
    chunks = draw_chunks(r, steps) if can_be_cut and r.random() < 0.2 else None
    return Case(
        name.replace("MODULE", module), "npz-stored", module, "wrong in a known way",
        arguments, inputs, hidden, None if unbatched else batch, steps,
        initial_state=r.random() < 0.5, lengths=tuple(lengths) if lengths else None,
        packed=packed, chunks=chunks,
    )


@torch.no_grad()
def right(case: Case, r: random.Random, small: bool = False) -> Right:
    """Runs PyTorch, with weights and biases scaled."""
    torch.manual_seed(r.getrandbits(32))
    module = export_fixtures.make(case)
    most = 1.5 if case.arguments.get("nonlinearity") == "relu" else 3
    least, most = (1e-4, 1e-2) if small else (0.5, most)
    scales = {
        name: math.exp(r.uniform(math.log(least), math.log(most))) for name in ("weight", "bias")
    }
    for name, parameter in module.named_parameters():
        parameter *= scales[name.partition("_")[0]]
    inputs = export_fixtures.random_inputs(case, module)
    if small:
        for name in {"h_0", "c_0"} & set(inputs):
            inputs[name] *= scales["weight"]
    if case.lengths and r.random() < 0.5:
        zero_padding(case, inputs["input"], case.arguments["batch_first"])
    outputs = export_fixtures.forward(case, module, inputs)
    fixture = export_fixtures.fixture(
        case.name, case.container, module, inputs, outputs, description=case.description,
        seed=0, packed=case.packed if case.lengths else None,
        chunks=case.chunks,
    )
    run = run_of(case.module, fixture.manifest["arguments"], fixture.tensors,
                 fixture.manifest.get("packed"), chunks_of(case))
    reference = {name: tensor.numpy() for name, tensor in outputs.items()}
    exact = compute(run.in_type(np.float64))
    rounding = {
        name: max(float(np.abs(tensor - exact[name]).max()), ULP / 2 * float(np.abs(tensor).max()))
        for name, tensor in reference.items()
    }
    return Right(fixture, run, reference, rounding)


def chunks_of(case: Case) -> tuple[int, ...] | None:
    return None if case.chunks is None else tuple(chunk_sizes(case.chunks, case.steps))


def zero_padding(case: Case, x: torch.Tensor, batch_first: bool) -> None:
    for sequence, length in enumerate(case.lengths):
        if batch_first:
            x[sequence, length:] = 0
        else:
            x[length:, sequence] = 0


def visible(case: Right, one: Tensors, other: Tensors) -> bool:
    """Whether these part by more than rounding does, or in their shapes."""
    return any(
        one[name].shape != other[name].shape
        or not np.abs(one[name] - other[name]).max() <= VISIBLE * rounding
        for name, rounding in case.rounding.items()
    )


def same(one: Tensors, other: Tensors) -> bool:
    """Whether these part by a few units in the last place; of small elements, of the
    place that a hundredth of the largest has."""
    def close(tensor: Array, another: Array) -> bool:
        size = np.maximum(np.abs(tensor), 0.01 * np.abs(tensor).max())
        return bool((np.abs(tensor - another) <= SAME_ULPS * ULP * size).all())

    return all(
        tensor.shape == other[name].shape and close(tensor, other[name])
        for name, tensor in one.items()
    )


def equivalents(run: Run, slugs: list[str]) -> list[list[str]]:
    """The other ways, or pairs with one of these, that give the same here, computed in
    float64 so that no rounding hides it; of a stream, also those that do in one call."""
    run = run.in_type(np.float64)
    wrong = compute(run, slugs)
    others = [slug for slug, way in WAYS.items() if slug not in slugs and way.applies(run)]
    candidates = [[other] for other in others]
    if len(slugs) > 1:
        candidates += [[slug] for slug in slugs]
        candidates += [
            [slug, other] for slug in slugs for other in others
            if WAYS[slug].group != WAYS[other].group
        ]
    runs = [run] if run.chunks is None else [run, replace(run, chunks=None)]
    return [
        candidate for candidate in candidates
        if any(same(wrong, compute(run, candidate)) for run in runs)
    ]


def pick(r: random.Random) -> str:
    """A way; a fifth of them an order of gates. Those that differ in a number alone are drawn as
    one."""
    if r.random() < 0.2:
        return r.choice(GATE_SLUGS)
    kinds: dict[str, list[str]] = {}
    for slug in OTHER_SLUGS:
        kinds.setdefault(slug.partition("(")[0], []).append(slug)
    return r.choice(r.choice(list(kinds.values())))


def pick_pair(r: random.Random) -> list[str]:
    while True:
        pair = [pick(r), pick(r)]
        if WAYS[pair[0]].group != WAYS[pair[1]].group:
            return pair


def wrong_case(
    r: random.Random, name: str, slugs: list[str]
) -> tuple[Right, Tensors] | None:
    """A case in which all of these ways apply, and each is visible beside the others."""
    for _ in range(DRAWS):
        case = right(draw(r, name), r, small=ONLY_IN_SMALL_STATES in slugs)
        if not all(WAYS[slug].applies(case.run) for slug in slugs):
            continue
        wrong = compute(case.run, slugs)
        parts = [compute(case.run, [slug]) for slug in slugs] if len(slugs) > 1 else []
        if not all(np.isfinite(tensor).all() for tensor in wrong.values()):
            continue
        if all(visible(case, case.reference, seen) for seen in [wrong, *parts]) and all(
            visible(case, part, wrong) for part in parts
        ):
            return case, wrong
    return None


def write_ways(folder: Path, count: int, seed: int, pairs: bool) -> dict[str, dict]:
    """Cases with one way or two; returns what is true of each."""
    truth = {}
    number = attempt = 0
    while number < count:
        r = random.Random(f"{seed}/{attempt}/{'pairs' if pairs else 'singles'}")
        attempt += 1
        slugs = pick_pair(r) if pairs else [pick(r)]
        found = wrong_case(r, f"{number:05}-MODULE", slugs)
        if found is None:
            continue
        case, wrong = found
        save(folder, case.fixture, wrong)
        truth[case.fixture.name] = {
            "ways": slugs, "equivalent": equivalents(case.run, slugs),
        }
        number += 1
    return truth


def save(folder: Path, fixture: Fixture, wrong: Tensors) -> None:
    for name in ("cases", "actual"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    fixture.write(folder / "cases")
    np.savez(folder / "actual" / f"{fixture.name}.npz", **wrong)
