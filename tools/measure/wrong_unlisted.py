"""Results that are wrong in a way that has no name: a weight changed, a row of weights,
an element overwritten. What is kept is where it is.
"""

import random
from dataclasses import replace
from pathlib import Path

import numpy as np

from measure.wrong_cases import Right, Tensors, draw, right, save
from measure.wrong_forward import GATES, Array, Run, forward
from measure.wrong_ways import compute

#: A largest difference below this is drawn anew.
LEAST = 1e-5

Place = dict[str, object]


def changed(run: Run, place: tuple[int, int], tensor: str, array: Array) -> Run:
    """The run with another tensor in a direction of a layer."""
    own = replace(run.parameters[place], **{tensor: array})
    return replace(run, parameters=run.parameters | {place: own})


def place_of(run: Run, place: tuple[int, int], tensor: str, row: int) -> Place:
    """Where a row of a parameter is: its unit is one before a projection, but for the
    rows of weight_hr."""
    gate = None if tensor == "weight_hr" else GATES[run.kind][row // run.hidden_size]
    return {
        "layer": place[0], "direction": place[1], "tensor": tensor, "gate": gate,
        "unit": row if tensor == "weight_hr" else row % run.hidden_size,
    }


def pick_parameter(r: random.Random, run: Run, names: list[str]) -> tuple[tuple[int, int], str]:
    place = r.choice(sorted(run.parameters))
    return place, r.choice([n for n in names if getattr(run.parameters[place], n) is not None])


def one_weight(r: random.Random, case: Right) -> tuple[Tensors, Place]:
    """One element of a parameter off by 5%."""
    run = case.run
    names = ["weight_ih", "weight_hh", "weight_hr"]
    where, name = pick_parameter(r, run, names + ["bias_ih", "bias_hh"] if run.bias else names)
    array = getattr(run.parameters[where], name).copy()
    index = tuple(r.randrange(axis) for axis in array.shape)
    array[index] *= np.float32(1.05)
    return from_parameter(run, changed(run, where, name, array), where, name, index)


def one_row(r: random.Random, case: Right) -> tuple[Tensors, Place]:
    """All weights of a unit's gate with 10% of noise."""
    run = case.run
    where, name = pick_parameter(r, run, ["weight_ih", "weight_hh"])
    array = getattr(run.parameters[where], name).copy()
    row = r.randrange(len(array))
    array[row] *= np.array([1 + 0.1 * r.gauss(0, 1) for _ in array[row]], np.float32)
    return from_parameter(run, changed(run, where, name, array), where, name, (row,))


def from_parameter(
    run: Run, wrong: Run, where: tuple[int, int], name: str, index: tuple[int, ...]
) -> tuple[Tensors, Place]:
    place = place_of(run, where, name, index[0])
    one, other = (forward(each.in_type(np.float64)) for each in (run, wrong))
    if name == "weight_hr":
        # Its unit is one of the layer's results.
        unit = where[1] * run.state_size + index[0]
        apart = np.abs(one.by_layer[where[0]] - other.by_layer[where[0]])[..., unit]
    else:
        apart = np.abs(one.hidden[where] - other.hidden[where])[..., place["unit"]]
    lengths = run.lengths if run.lengths is not None else [len(run.x)] * run.x.shape[1]
    differences = [apart[:length, b].tolist() for b, length in enumerate(lengths)]
    return compute(wrong), place | {"index": list(index), "differences": differences}


def off(r: random.Random) -> np.float32:
    return np.float32(r.choice([-1, 1]) * r.uniform(0.01, 0.5))


def output_element(r: random.Random, case: Right) -> tuple[Tensors, Place] | None:
    """An element of output, of no padding and not one that h_n repeats."""
    run = case.run
    if run.is_cell:
        return None
    sequence, unit = r.randrange(run.x.shape[1]), r.randrange(run.directions * run.state_size)
    length = len(run.x) if run.lengths is None else int(run.lengths[sequence])
    step, direction = r.randrange(length), unit // run.state_size
    if step == (0 if direction else length - 1):
        return None
    index = (step,) if not run.batched else (
        (sequence, step) if run.batch_first else (step, sequence))
    index += (unit,)
    wrong = compute(run)
    wrong["output"][index] += off(r)
    return wrong, {
        "tensor": "output", "index": list(index), "sequence": sequence, "step": step,
        "layer": run.layers - 1, "direction": direction, "unit": unit % run.state_size,
    }


def final_element(r: random.Random, case: Right) -> tuple[Tensors, Place]:
    """An element of h_n; its step is the last that its direction reads."""
    run = case.run
    row, sequence = r.randrange(len(run.h_0)), r.randrange(run.x.shape[1])
    unit = r.randrange(run.state_size)
    layer, direction = divmod(row, run.directions)
    length = len(run.x) if run.lengths is None else int(run.lengths[sequence])
    index = (() if run.is_cell else (row,)) + ((sequence,) if run.batched else ()) + (unit,)
    wrong = compute(run)
    wrong["h_n"][index] += off(r)
    return wrong, {
        "tensor": "h_n", "index": list(index), "sequence": sequence,
        "step": 0 if direction else length - 1, "layer": layer, "direction": direction,
        "unit": unit,
    }


def write_unlisted(folder: Path, count: int, seed: int) -> dict[str, dict]:
    truth = {}
    number = attempt = 0
    while number < count:
        r = random.Random(f"{seed}/{attempt}/unlisted")
        attempt += 1
        case = right(draw(r, f"{number:05}-MODULE"), r)
        change = r.choice([one_weight, one_row, output_element, final_element])
        found = change(r, case)
        if found is None or not is_off(case, found[0]):
            continue
        save(folder, case.fixture, found[0])
        truth[case.fixture.name] = {
            "ways": [], "made": change.__name__.replace("_", " "),
            "directions": case.run.directions, "place": found[1],
        }
        number += 1
    return truth


def is_off(case: Right, wrong: Tensors) -> bool:
    return max(
        float(np.abs(wrong[name] - tensor).max()) for name, tensor in case.reference.items()
    ) >= LEAST
