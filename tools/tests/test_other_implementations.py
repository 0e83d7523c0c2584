"""Outputs of other implementations, right and slightly wrong, judged by the noise rule: an LSTM
written out in PyTorch's operators, one of whose parts is replaced."""

import json
import subprocess
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch

from measure import calibrate_noise
from catalogue import export_fixtures
from measure import stepwise
from measure.stepwise import Style, keeping_bits

HIDDEN = 48


@torch.no_grad()
def judge(folder: Path, style: Style, *options: str, output_gate: float = 0) -> str:
    export_fixtures.quiet_pytorch()
    torch.manual_seed(3)
    module = torch.nn.LSTM(8, HIDDEN).eval()
    for parameter in module.parameters():
        parameter *= 2
    module.bias_ih_l0[3 * HIDDEN:] += output_gate
    x = torch.randn(30, 4, 8)
    output, (h_n, c_n) = module(x)
    fixtures, actual = folder / "fixtures", folder / "actual"
    fixtures.mkdir(exist_ok=True)
    actual.mkdir(exist_ok=True)
    export_fixtures.fixture(
        "case", "npz-stored", module, {"input": x}, {"output": output, "h_n": h_n, "c_n": c_n},
        description="", seed=0,
    ).write(fixtures)
    results = {name: tensor.numpy() for name, tensor in stepwise.run(module, x, style).items()}
    np.savez(actual / "case.npz", **results)
    command = [calibrate_noise.PARITY_CHECK, fixtures, "--actual", actual, *options]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout


def test_the_same_formulas_pass(tmp_path):
    assert judge(tmp_path, Style()).startswith("passed ")


@pytest.mark.parametrize("style", [
    Style(cell=lambda c: c * (1 - 5e-7)), Style(tanh=lambda x: x.tanh() * (1 + 1e-6)),
    Style(tanh=lambda x: x.tanh() * (1 + 5e-7)), Style(sigmoid=lambda x: x.sigmoid() - 5e-7),
], ids=["c", "tanh 1e-6", "tanh 5e-7", "sigmoid"])
def test_errors_of_one_sign_fail_long_before_they_are_large(style, tmp_path):
    """torch.testing accepts each of these."""
    text = judge(tmp_path, style)
    assert text.startswith("failed "), text
    assert judge(tmp_path, style, "--tolerance", "torch").startswith("passed ")
    # And no advice makes it pass.
    assert "to declare it" not in text, text


def sigmoid_of_tanh(x: torch.Tensor) -> torch.Tensor:
    """Accurate to some 1e-7 of 1: a small result has hardly a digit left."""
    return 0.5 + 0.5 * (x / 2).tanh()


def test_absolutely_accurate_activations_are_told_and_declared(tmp_path):
    style = Style(sigmoid=sigmoid_of_tanh)
    # The output gate is nearly shut.
    text = judge(tmp_path, style, output_gate=-7)
    assert text.startswith("failed "), text
    assert "[absolute-activations]" in text and "--actual-activations absolute" in text, text
    for options in (["--tolerance", "torch"], ["--actual-activations", "absolute"]):
        assert judge(tmp_path, style, *options, output_gate=-7).startswith("passed ")


COARSE = {"tf32": keeping_bits(10), "bfloat16": keeping_bits(7)}


@pytest.mark.parametrize("arithmetic", COARSE)
def test_coarse_products_pass_where_they_are_declared(arithmetic, tmp_path):
    style = Style(operand=COARSE[arithmetic])
    text = judge(tmp_path, style)
    assert text.startswith("failed ") and f"--actual-arithmetic {arithmetic}" in text, text
    assert judge(tmp_path, style, "--actual-arithmetic", arithmetic).startswith("passed ")


@pytest.mark.parametrize("style", [
    Style(weight_hh=1.02), Style(sigmoid=lambda x: x.sigmoid() * 0.998),
    Style(tanh=lambda x: x.tanh() * 0.998), Style(cell=lambda c: c * (1 - 1e-3)),
    Style(sigmoid=lambda x: 0.98 * x.sigmoid() + 0.02 * (x / 4 + 0.5).clamp(0, 1)),
], ids=["weight_hh", "sigmoid", "tanh", "c", "piecewise"])
def test_what_errs_systematically_is_no_coarse_rounding(style, tmp_path):
    text = judge(tmp_path, style)
    assert text.startswith("failed ") and "to declare it" not in text, text
    coarse = judge(tmp_path, style, "--actual-arithmetic", "bfloat16")
    assert coarse.startswith("failed "), coarse
    assert "off by the size of bfloat16's rounding, but not at random" in coarse, coarse


def drop(source: Path, target: Path, *names: str, outputs: list[str] | None = None) -> None:
    """Copies a case without some of its results."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w") as new:
        for member in old.namelist():
            contents = old.read(member)
            if member == "manifest.json":
                manifest = json.loads(contents)
                manifest.pop("digest", None)
                if outputs is not None:
                    manifest["outputs"] = outputs
                contents = json.dumps(manifest).encode()
            if member.removeprefix("outputs/").removesuffix(".npy") not in names:
                new.writestr(member, contents)


def check(*arguments: str | Path) -> str:
    command = [calibrate_noise.PARITY_CHECK, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout


LSTM = calibrate_noise.ROOT / "Fixtures" / "lstm-packed.npz"


def test_a_reference_may_hold_output_alone_and_says_so(tmp_path):
    case = tmp_path / "case.npz"
    drop(LSTM, case, "h_n", "c_n")
    lost = check(case)
    assert lost.startswith("invalid ") and '"outputs": ["output"] in the manifest' in lost, lost
    drop(LSTM, case, "h_n", "c_n", outputs=["output"])
    passed = check(case)
    assert passed.startswith("passed ") and "h_n, c_n not given" in passed, passed
    # What is there counts, and what the manifest does not list may not be there.
    drop(LSTM, case, "c_n", outputs=["output"])
    assert "outputs/h_n: expected no such tensor" in check(case)
    for outputs in ([], ["h_n", "h_n"], ["output", "hidden"]):
        drop(LSTM, case, outputs=outputs)
        assert "one or more of output, h_n, c_n" in check(case)


@pytest.mark.parametrize("factor, status", [(1, "passed"), (1.00001, "failed")])
def test_supplied_outputs_may_be_output_alone(factor, status, tmp_path):
    actual = tmp_path / "actual"
    actual.mkdir()
    np.savez(actual / LSTM.name, output=np.load(LSTM)["outputs/output"] * np.float32(factor))
    assert "h_n: expected a tensor" in check(LSTM, "--actual", actual)
    text = check(LSTM, "--actual", actual, "--only", "output")
    assert text.startswith(f"{status} "), text
    assert status == "failed" or "h_n, c_n not given" in text


def test_only_needs_results_and_parameters():
    fixtures = calibrate_noise.ROOT / "Fixtures"
    assert "one of h_n" in check(fixtures / "gru-cell.h5", "--only", "output")
    assert "without state_dict" in check(fixtures / "gru-layout-only.npz", "--only", "output")
