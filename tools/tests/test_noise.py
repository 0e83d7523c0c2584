"""The noise rule on real PyTorch where it matters most: long runs and chaos."""

import subprocess
from pathlib import Path

import pytest
import torch

import calibrate_noise
import export_fixtures

HIDDEN = 64


def biased(gate: torch.Tensor, module: torch.nn.LSTM) -> torch.nn.LSTM:
    with torch.no_grad():
        module.bias_ih_l0[HIDDEN:2 * HIDDEN] += gate
    return module


def forget_bias() -> tuple[torch.nn.Module, torch.Tensor]:
    return biased(torch.tensor(5.0), torch.nn.LSTM(32, HIDDEN)), torch.randn(1000, 2, 32)


def chrono() -> tuple[torch.nn.Module, torch.Tensor]:
    """Tallec and Ollivier, 2018: gates biased for all time scales up to T."""
    module = biased(torch.log(torch.rand(HIDDEN) * 998 + 1), torch.nn.LSTM(8, HIDDEN))
    return module, torch.full((1000, 2, 8), 0.5)


def averaging(nonlinearity: str, steps: int) -> tuple[torch.nn.Module, torch.Tensor]:
    module = torch.nn.RNN(8, HIDDEN, nonlinearity=nonlinearity)
    torch.nn.init.constant_(module.weight_hh_l0, 1 / HIDDEN)
    return module, torch.randn(steps, 2, 8)


def chaotic() -> tuple[torch.nn.Module, torch.Tensor]:
    module = torch.nn.RNN(8, HIDDEN)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter *= 20
    return module, torch.randn(200, 2, 8)


def judge(folder: Path, module: torch.nn.Module, x: torch.Tensor, results=None) -> str:
    """What parity-check says of PyTorch's results, or of others."""
    export_fixtures.quiet_pytorch()
    with torch.no_grad():
        output, final = results or module.eval()(x)
    export_fixtures.fixture(
        "case", "npz-stored", module, {"input": x},
        {"output": output} | export_fixtures.states(final), description="", seed=0,
    ).write(folder)
    run = subprocess.run(
        [calibrate_noise.PARITY_CHECK, folder], capture_output=True, text=True, check=False
    )
    return run.stdout


@pytest.mark.parametrize(
    "make",
    [forget_bias, chrono, lambda: averaging("tanh", 1000), lambda: averaging("relu", 100)],
    ids=["forget bias 5", "chrono", "tanh, 1/H", "ReLU, 1/H"],
)
def test_long_runs_are_conclusive_and_pass(make, tmp_path):
    torch.manual_seed(1)
    assert judge(tmp_path, *make()).startswith("passed ")


def test_chaos_is_inconclusive(tmp_path):
    torch.manual_seed(1)
    module, x = chaotic()
    with torch.no_grad():
        apart = (module(x)[0] - module.double()(x.double())[0]).abs().max()
    # PyTorch in float64 is the witness that float32 says nothing.
    assert apart > 0.5
    assert judge(tmp_path, module.float(), x).startswith("inconclusive ")


def test_a_silent_module_is_conclusive(tmp_path):
    """Zeros, however large the weights: no rounding error has anything to grow from."""
    torch.manual_seed(1)
    module = torch.nn.RNN(8, HIDDEN, num_layers=3, bias=False, nonlinearity="relu")
    with torch.no_grad():
        for parameter in module.parameters():
            parameter *= 7
    assert judge(tmp_path, module, torch.zeros(200, 1, 8)).startswith("passed ")


@pytest.mark.parametrize("number", [43, 278, 335])
def test_many_small_products_beside_large_inputs_pass(number, tmp_path):
    """Hundreds of small products with h beside a large sum of the input's: in one chain
    each of them would be rounded like the large one, and the engine be off by 20σ."""
    export_fixtures.quiet_pytorch()
    configuration = calibrate_noise.draw(number, seed=3)
    assert calibrate_noise.write(configuration, 3 + number, calibrate_noise.plain, tmp_path)
    run = subprocess.run(
        [calibrate_noise.PARITY_CHECK, tmp_path], capture_output=True, text=True, check=False
    )
    assert run.stdout.startswith("passed "), run.stdout


def test_a_large_default_module_passes(tmp_path):
    torch.manual_seed(1)
    assert judge(tmp_path, torch.nn.LSTM(4, 512), torch.randn(50, 2, 4)).startswith("passed ")
