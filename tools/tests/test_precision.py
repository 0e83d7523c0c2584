"""References that PyTorch computed more coarsely than their tensors say, told apart."""

import copy
from collections.abc import Callable

import pytest
import torch
from torch.nn import functional

from test_noise import judge

Rounding = Callable[[torch.Tensor], torch.Tensor]


def tf32(x: torch.Tensor) -> torch.Tensor:
    bits = x.contiguous().view(torch.int32)
    return ((bits + 0xFFF + (bits >> 13 & 1)) & ~0x1FFF).view(torch.float32)


def cut(x: torch.Tensor) -> torch.Tensor:
    return (x.contiguous().view(torch.int32) & ~0x1FFF).view(torch.float32)


def through(dtype: torch.dtype) -> Rounding:
    return lambda x: x.to(dtype).float()


def case(seed: int) -> tuple[torch.nn.Module, torch.Tensor]:
    torch.manual_seed(seed)
    kind = [torch.nn.LSTM, torch.nn.GRU, torch.nn.RNN][seed % 3]
    return kind(16, 24), torch.randn(20, 3, 16)


@torch.no_grad()
def with_rounded_operands(module: torch.nn.Module, x: torch.Tensor, rounding: Rounding) -> tuple:
    """The module step by step in PyTorch's own float32, the operands of each product
    rounded as a tensor core takes them."""
    w_ih, w_hh = rounding(module.weight_ih_l0), rounding(module.weight_hh_l0)
    h = c = torch.zeros(x.shape[1], module.hidden_size)
    steps = []
    for step in x:
        from_x = functional.linear(rounding(step), w_ih, module.bias_ih_l0)
        from_h = functional.linear(rounding(h), w_hh, module.bias_hh_l0)
        if isinstance(module, torch.nn.LSTM):
            i, f, g, o = (from_x + from_h).chunk(4, dim=1)
            c = f.sigmoid() * c + i.sigmoid() * g.tanh()
            h = o.sigmoid() * c.tanh()
        elif isinstance(module, torch.nn.GRU):
            (r_x, z_x, n_x), (r_h, z_h, n_h) = from_x.chunk(3, dim=1), from_h.chunk(3, dim=1)
            z = (z_x + z_h).sigmoid()
            n = (n_x + (r_x + r_h).sigmoid() * n_h).tanh()
            h = (1 - z) * n + z * h
        else:
            h = (from_x + from_h).tanh()
        steps.append(h)
    state = (h[None], c[None]) if isinstance(module, torch.nn.LSTM) else h[None]
    return torch.stack(steps), state


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize(
    ("rounding", "told"),
    [
        (tf32, "[tf32-products]"),
        (cut, "[tf32-products-cut]"),
        (through(torch.bfloat16), "[bfloat16-products]"),
    ],
    ids=["tf32", "tf32 cut off", "bfloat16"],
)
def test_rounded_operands_are_told(rounding, told, seed, tmp_path):
    module, x = case(seed)
    plain = module(x)[0]
    loop = with_rounded_operands(module, x, lambda x: x)[0]
    # The loop is the module, but for the rounding.
    assert torch.allclose(plain, loop, atol=1e-6)
    report = judge(tmp_path, module, x, with_rounded_operands(module, x, rounding))
    assert report.startswith("failed ") and told in report


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_rounded_weights_are_told(dtype, seed, tmp_path):
    module, x = case(seed)
    coarse = copy.deepcopy(module)
    for name, parameter in coarse.named_parameters():
        if "weight" in name:
            parameter.data = parameter.data.to(dtype).float()
    report = judge(tmp_path, module, x, coarse(x))
    name = str(dtype).removeprefix("torch.")
    assert f"rounding the weights to {name}" in report and f"[{name}-weights]" in report


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_is_told(dtype, seed, tmp_path):
    module, x = case(seed)
    output, final = copy.deepcopy(module).to(dtype)(x.to(dtype))
    widened = tuple(f.float() for f in final) if isinstance(final, tuple) else final.float()
    report = judge(tmp_path, module, x, (output.float(), widened))
    name = str(dtype).removeprefix("torch.")
    assert f'"arithmetic": "{name}"' in report


def test_float32_behind_float64_is_told(tmp_path):
    module, x = case(0)
    output, (h_n, c_n) = module(x)
    report = judge(
        tmp_path, module.double(), x.double(), (output.double(), (h_n.double(), c_n.double())))
    assert "every number of the reference is a float32" in report


@pytest.mark.skipif(not torch.set_flush_denormal(False), reason="the processor can't")
@pytest.mark.parametrize("kind", [torch.nn.RNN, torch.nn.GRU])
def test_flushed_subnormals_are_told(kind, tmp_path):
    torch.manual_seed(1)
    module = kind(4, 6, bias=False)
    x = torch.randn(12, 2, 4)
    with torch.no_grad():
        # Every state is below the smallest normal number.
        module.weight_ih_l0 *= 1e-39
    plain = module(x)
    assert plain[0].abs().max() > 0
    assert judge(tmp_path, module, x).startswith("passed ")
    torch.set_flush_denormal(True)
    try:
        flushed = module(x)
        flushed = (flushed[0].clone(), flushed[1].clone())
    finally:
        torch.set_flush_denormal(False)
    report = judge(tmp_path, module, x, flushed)
    assert report.startswith("failed "), report
    assert "flushing subnormal numbers to zero" in report and "[subnormals-flushed]" in report
