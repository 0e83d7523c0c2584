"""The noise rule on real PyTorch where it matters most: long runs and chaos."""

import subprocess
from pathlib import Path

import pytest
import torch

from measure import calibrate_noise
from catalogue import export_fixtures
from parity_check.modules import states

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


def chaotic(layers: int = 1) -> tuple[torch.nn.Module, torch.Tensor]:
    module = torch.nn.RNN(8, HIDDEN, layers)
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
        {"output": output} | states(final), description="", seed=0,
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


def test_chaos_in_a_lower_layer_is_inconclusive(tmp_path):
    torch.manual_seed(1)
    module, x = chaotic(layers=2)
    with torch.no_grad():
        apart = (module(x)[0] - module.double()(x.double())[0]).abs().max()
    # PyTorch in float64 is the witness that float32 says nothing.
    assert apart > 0.5
    assert judge(tmp_path, module.float(), x).startswith("inconclusive ")


def test_chaos_that_is_seen_is_judged_step_by_step(tmp_path):
    torch.manual_seed(1)
    text = judge(tmp_path, *chaotic())
    assert text.startswith("passed ") and "% step by step" in text


DAMAGES = {
    "NaN": lambda x: x * torch.nan, "1e20": lambda x: x * 0 + 1e20, "zeros": lambda x: x * 0,
    "twice": lambda x: 2 * x, "another unit's": lambda x: x.roll(1, -1),
    "one weight": lambda x: x,
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_what_chaos_hides_is_not_excused(damage, tmp_path):
    torch.manual_seed(1)
    module, x = chaotic()
    with torch.no_grad():
        output, h_n = module(x)
        output[100:, 1], h_n[:, 1] = DAMAGES[damage](output[100:, 1]), DAMAGES[damage](h_n[:, 1])
        if damage == "one weight":
            module.weight_hh_l0.view(-1)[module.weight_hh_l0.abs().argmax()] *= 1.01
    assert judge(tmp_path, module, x, (output, h_n)).startswith("failed ")


def constant(kind: str) -> tuple[torch.nn.Module, torch.Tensor]:
    module = getattr(torch.nn, kind)(4, 256)
    for parameter in module.parameters():
        torch.nn.init.constant_(parameter, 0.002)
    return module, torch.randn(10, 2, 4)


def copied(kind: str) -> tuple[torch.nn.Module, torch.Tensor]:
    """A hidden state of four copies of each unit."""
    module = getattr(torch.nn, kind)(8, 256)
    with torch.no_grad():
        for parameter in module.parameters():
            blocks = parameter.view(-1, 256, *parameter.shape[1:])
            blocks.copy_(blocks[:, :64].repeat(1, 4, *[1] * (blocks.dim() - 2)))
    return module, torch.randn(10, 2, 8)


@pytest.mark.parametrize("kind", ["LSTM", "GRU", "RNN"])
@pytest.mark.parametrize("make", [constant, copied])
def test_units_of_equal_weights_err_alike(make, kind, tmp_path):
    torch.manual_seed(1)
    assert judge(tmp_path, *make(kind)).startswith("passed ")


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16], ids=str)
@pytest.mark.parametrize("kind", ["LSTM", "GRU", "RNN"])
@pytest.mark.parametrize("onednn", [False, True], ids=["native", "oneDNN"])
def test_a_product_rounded_before_its_bias_passes(kind, dtype, onednn, tmp_path):
    """PyTorch does so in 16 bits with batch_first, which shows where bias_hh is 0."""
    torch.manual_seed(1)
    module = getattr(torch.nn, kind)(12, 64, batch_first=True).to(dtype)
    torch.nn.init.zeros_(module.bias_hh_l0)
    with torch.backends.mkldnn.flags(enabled=onednn):
        text = judge(tmp_path, module, torch.randn(64, 3, 12, dtype=dtype))
    assert text.startswith("passed "), text


@pytest.mark.parametrize("kind", ["LSTM", "GRU", "RNN"])
def test_subnormal_bfloat16_operands_may_be_flushed(kind, tmp_path):
    """Processors' instructions for bfloat16 take them for zeros, others do not."""
    torch.manual_seed(1)
    module = getattr(torch.nn, kind)(7, 12, num_layers=2)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter *= 3e-38
    x = torch.randn(20, 5, 7) * 1e4
    text = judge(tmp_path, module.to(torch.bfloat16), x.to(torch.bfloat16))
    assert text.startswith("passed "), text


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
    configuration = calibrate_noise.draw(number, seed=3, varied=False)
    assert calibrate_noise.write(configuration, 3 + number, calibrate_noise.plain, tmp_path)
    run = subprocess.run(
        [calibrate_noise.PARITY_CHECK, tmp_path], capture_output=True, text=True, check=False
    )
    assert run.stdout.startswith("passed "), run.stdout


def test_a_large_default_module_passes(tmp_path):
    torch.manual_seed(1)
    assert judge(tmp_path, torch.nn.LSTM(4, 512), torch.randn(50, 2, 4)).startswith("passed ")


def integers() -> tuple[torch.nn.RNN, torch.Tensor]:
    """A ReLU RNN that PyTorch computes without any error."""
    module = torch.nn.RNN(4, 8, 2, nonlinearity="relu")
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.copy_(torch.randint(-1, 2, parameter.shape))
    return module, torch.randint(-3, 4, (6, 2, 4)).float()


def test_integers_have_no_error(tmp_path):
    torch.manual_seed(1)
    module, x = integers()
    with torch.no_grad():
        output, h_n = module(x)
    assert output.max() > 50
    assert "bit for bit" in judge(tmp_path, module, x, (output, h_n))
    # By the smallest difference that float32 has.
    output[2] = output[2].nextafter(torch.tensor(torch.inf))
    assert judge(tmp_path, module, x, (output, h_n)).startswith("failed ")


def saturated(kind: str, scale: float, gate: float) -> tuple[torch.nn.Module, torch.Tensor]:
    """Gates that are open or shut, as those of trained modules often are."""
    module = getattr(torch.nn, kind)(8, 32)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter *= scale
        for block in module.bias_ih_l0.split(32):
            block += gate * torch.randint(-1, 2, (32,))
    return module, torch.randn(24, 4, 8)


@pytest.mark.parametrize("kind, scale, gate, least", [
    ("RNN", 1, 8, 0.28), ("RNN", 3, 8, 0.28), ("LSTM", 2, 20, 0.45), ("GRU", 8, 0, 0.45),
])
def test_sigma_is_not_far_above_the_errors_of_saturated_units(kind, scale, gate, least, tmp_path):
    torch.manual_seed(1)
    judge(tmp_path, *saturated(kind, scale, gate))
    (status, z, rms), = calibrate_noise.judge(tmp_path, []).values()
    assert status == "passed" and z < 8
    assert rms > least
