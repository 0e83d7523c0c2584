"""Writes the small cases whose printed reports the tests compare to the letter: one for each
status that a case can end with, made by real PyTorch and then, but for the first, spoiled.
"""

import dataclasses
import sys
from pathlib import Path

import numpy as np
import torch

from catalogue import export_fixtures
from catalogue import export_pipelines
from catalogue.cases import Case
from catalogue.fixture import Fixture
from parity_check.format import digest
from catalogue.pipeline_cases import PipelineCase, embedding, linear, merge, recurrent

CASES = Path(__file__).resolve().parent.parent.parent / "Tests" / "ParityCheckTests" / "Reports" / "cases"


def spoiled(fixture: Fixture, name: str, output: str, change, **manifest) -> Fixture:
    """With one output changed, under another name."""
    key = f"outputs/{output}"
    tensors = dict(fixture.tensors) | {key: change(fixture.tensors[key])}
    return dataclasses.replace(
        fixture, name=name, tensors=tensors,
        manifest=fixture.manifest | manifest | {"digest": digest(tensors)})


def halves_exchanged(array: np.ndarray) -> np.ndarray:
    return np.roll(array, array.shape[-1] // 2, axis=-1)


def first_off(array: np.ndarray) -> np.ndarray:
    changed = array.copy()
    changed.flat[0] += 0.25
    return changed


def cases() -> list[Fixture]:
    passed = export_fixtures.run(Case(
        name="passed", container="npz-stored", module="LSTM", input_size=3, hidden_size=2, batch=2,
        description="a bidirectional LSTM",
        arguments={"bidirectional": True, "batch_first": True}))
    averaged = export_pipelines.run(PipelineCase(
        "failed-chain", "npz-stored", "a tagger",
        [embedding(), recurrent("GRU", hidden_size=4), merge("ave"), linear(4)]))
    modules = [
        module | {"arguments": {"mode": "sum"}} if module["module"] == "DirectionMerge" else module
        for module in averaged.manifest["modules"]
    ]
    return [
        passed,
        spoiled(passed, "failed", "c_n", first_off),
        spoiled(passed, "invalid", "output", halves_exchanged),
        spoiled(passed, "skipped", "c_n", first_off,
                expected_failure={"reason": "its c_n was spoiled", "outputs": {"c_n": 1}}),
        chaotic(),
        dataclasses.replace(averaged, manifest=averaged.manifest | {"modules": modules}),
    ]


def chaotic() -> Fixture:
    """A stack of RNNs whose weights are so large that each step doubles what rounding leaves. Of
    one alone, each step could be judged by the one before."""
    case = Case(
        name="inconclusive", container="npz-stored", module="RNN", arguments={"num_layers": 2},
        hidden_size=16, steps=60, batch=2, description="rounding is amplified at every step")
    torch.manual_seed(case.seed)
    module = export_fixtures.make(case)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter *= 18
    inputs = export_fixtures.random_inputs(case, module)
    return export_fixtures.fixture(
        case.name, case.container, module, inputs,
        export_fixtures.forward(case, module, inputs),
        description=case.description, seed=case.seed)


def main() -> None:
    write(*map(Path, sys.argv[1:]))


def write(folder: Path = CASES) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    written = [case.write(folder) for case in cases()]
    (folder / "unreadable.npz").write_bytes(written[0].read_bytes()[:1000])
