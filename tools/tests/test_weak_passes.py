"""Passes that say little: each is made from a real result of PyTorch, and must be remarked upon."""

import dataclasses
import subprocess
from pathlib import Path

import numpy as np
import pytest
import torch

from catalogue import export_fixtures
from parity_check.format import digest
from measure.calibrate_noise import PARITY_CHECK
from catalogue.cases import Case
from catalogue.fixture import Fixture

HIDDEN = 6
EVERYTHING = {"rtol": 1e9, "atol": 1e9}
RESULTS = ("output", "h_n", "c_n")


@pytest.fixture(scope="module")
def right() -> Fixture:
    return export_fixtures.run(Case(
        "case", "npz-stored", "LSTM", "a bidirectional LSTM",
        {"bidirectional": True, "batch_first": True}, input_size=5, hidden_size=HIDDEN, batch=3,
        steps=4, initial_state=False))


@pytest.fixture
def judged(right: Fixture, tmp_path: Path):
    """Judges the case with other tensors and other words in its manifest."""
    def run(change=lambda tensors: None, *options: str, without: str = "", **manifest) -> str:
        tensors = {name: np.array(tensor) for name, tensor in right.tensors.items()}
        change(tensors)
        if without:
            tensors = {name: t for name, t in tensors.items() if name.startswith("outputs/")}
        words = right.manifest | manifest | {"digest": digest(tensors)}
        dataclasses.replace(right, tensors=tensors, manifest=words).write(tmp_path)
        return subprocess.run(
            [PARITY_CHECK, tmp_path, "--diagnose", "off", *options], text=True,
            capture_output=True, check=False).stdout.splitlines()[0]
    return run


def hold_layout(tensors: dict[str, np.ndarray]) -> None:
    output, h_n = tensors["outputs/output"], tensors["outputs/h_n"]
    h_n[0], h_n[1] = output[:, -1, :HIDDEN], output[:, 0, HIDDEN:]


def random_results(tensors: dict[str, np.ndarray]) -> None:
    rng = np.random.default_rng(1)
    for name in RESULTS:
        tensors[f"outputs/{name}"] = rng.normal(
            0, 0.3, tensors[f"outputs/{name}"].shape).astype(np.float32)
    hold_layout(tensors)


def test_a_pass_that_says_something_has_no_remark(judged) -> None:
    assert "remark" not in judged()
    assert judged(lambda tensors: None, "--strict").startswith("passed")


@pytest.mark.parametrize("tolerance", [
    EVERYTHING,
    {"rtol": 0, "atol": 10},
    {"rule": "noise", "sigma": 1e9},
    {"rule": "noise", "outputs": dict.fromkeys(RESULTS, EVERYTHING)},
])
def test_a_tolerance_that_lets_everything_pass(judged, tolerance) -> None:
    line = judged(random_results, tolerance=tolerance)
    assert line.startswith("passed")
    assert "remark: zeros would pass for output, h_n, c_n" in line
    assert judged(random_results, "--strict", tolerance=tolerance).startswith("failed")


def test_an_exception_that_lets_one_result_pass(judged) -> None:
    line = judged(tolerance={"rule": "noise", "outputs": {"c_n": EVERYTHING}})
    assert "remark: zeros would pass for c_n" in line


def test_a_reference_of_nan(judged) -> None:
    def without_most(tensors: dict[str, np.ndarray]) -> None:
        tensors["inputs/input"][1:] = np.nan
        tensors["outputs/output"][1:] = np.nan
        tensors["outputs/h_n"][:, 1:] = tensors["outputs/c_n"][:, 1:] = np.nan
    assert "remark: most of output, h_n, c_n is not finite" in judged(without_most)


def test_gates_that_are_saturated(judged) -> None:
    def saturated(tensors: dict[str, np.ndarray]) -> None:
        for name in ("bias_ih_l0", "bias_ih_l0_reverse"):
            tensors[f"state_dict/{name}"][:] = 1e30
        module = torch.nn.LSTM(5, HIDDEN, bidirectional=True, batch_first=True)
        module.load_state_dict({
            name.removeprefix("state_dict/"): torch.from_numpy(tensor)
            for name, tensor in tensors.items() if name.startswith("state_dict/")})
        with torch.no_grad():
            output, (h_n, c_n) = module(torch.from_numpy(tensors["inputs/input"]))
        for name, tensor in zip(RESULTS, (output, h_n, c_n), strict=True):
            tensors[f"outputs/{name}"] = tensor.numpy()
    assert "output, h_n, c_n would be the same for any input" in judged(saturated)


def test_results_that_are_not_given(judged) -> None:
    assert "remark: h_n, c_n not given" in judged(lambda tensors: None, "--only", "output")


def test_a_layout_of_one_number(judged) -> None:
    def constant(tensors: dict[str, np.ndarray]) -> None:
        for name in RESULTS:
            tensors[f"outputs/{name}"][:] = 0.5
    assert "one number everywhere" in judged(constant, without="state_dict")


@pytest.mark.parametrize(("outputs", "start"), [
    ({"output": 3, "h_n": 3, "c_n": 3}, "skipped"),
    ({"c_n": 3}, "failed"),
    ({"output": 1e-3, "h_n": 1e-3, "c_n": 1e-3}, "failed"),
])
def test_an_expected_failure_is_bounded(judged, outputs, start) -> None:
    expected = {"reason": "known", "outputs": outputs}
    assert judged(random_results, expected_failure=expected).startswith(start)


def test_an_expected_failure_of_any_kind_is_remarked_upon(judged) -> None:
    assert "is not stated" in judged(random_results, expected_failure="known")


def test_numbers_that_are_not_of_the_declared_arithmetic(judged) -> None:
    def off(tensors: dict[str, np.ndarray]) -> None:
        rng = np.random.default_rng(2)
        for name in RESULTS:
            tensor = tensors[f"outputs/{name}"]
            tensors[f"outputs/{name}"] = (
                tensor * rng.uniform(0.996, 1.004, tensor.shape)).astype(np.float32)
        hold_layout(tensors)
    assert judged(off, arithmetic="bfloat16").startswith("failed")
