"""LSTM and GRU written out in PyTorch's operators, step by step, as a port would be: any part
of them can be replaced by one that is slightly wrong, or coarser.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch

from parity_check.modules import Named


@dataclass(frozen=True)
class Style:
    """The parts, each PyTorch's own unless it is replaced."""

    sigmoid: Callable = torch.sigmoid
    tanh: Callable = torch.tanh
    #: What becomes of c; of h, in a GRU.
    cell: Callable = lambda c: c
    #: What becomes of h, beside the h before it.
    hidden: Callable = lambda h, before: h
    #: What becomes of both operands of every product.
    operand: Callable = lambda t: t
    weight_hh: float = 1.0
    bias: float = 0.0
    #: What becomes of a weight matrix.
    weight: Callable = lambda w: w


def keeping_bits(bits: int) -> Callable:
    """Rounds float32 to so many bits behind the point."""
    def rounded(t: torch.Tensor) -> torch.Tensor:
        shift = 23 - bits
        i = t.contiguous().view(torch.int32)
        i = i + ((1 << shift - 1) - 1) + (i >> shift & 1)
        return (i & ~((1 << shift) - 1)).view(torch.float32)
    return rounded


@torch.no_grad()
def run(module: torch.nn.LSTM | torch.nn.GRU, x: torch.Tensor, style: Style) -> Named:
    """The results of a module of one layer with biases, on (T, B, I) from zero states."""
    ends = ["", "_reverse"] if module.bidirectional else [""]
    passes = [direction(module, x.flip(0) if end else x, end, style) for end in ends]
    outputs = [h.flip(0) if end else h for end, (h, _, _) in zip(ends, passes, strict=True)]
    results = {
        "output": torch.cat(outputs, -1), "h_n": torch.stack([h_n for _, h_n, _ in passes])}
    if isinstance(module, torch.nn.LSTM):
        results["c_n"] = torch.stack([c_n for _, _, c_n in passes])
    return results


def direction(
    module: torch.nn.Module, x: torch.Tensor, end: str, style: Style
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    w_ih, w_hh, b_ih, b_hh = (
        getattr(module, f"{name}_l0{end}") for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"))
    w_ih, w_hh = style.operand(style.weight(w_ih)), style.operand(style.weight(w_hh))
    w_hh, b_ih = w_hh * style.weight_hh, b_ih + style.bias
    h = c = torch.zeros(x.shape[1], module.hidden_size, dtype=x.dtype)
    output = []
    for step in x:
        own = style.operand(step) @ w_ih.T + b_ih
        recurrent = style.operand(h) @ w_hh.T + b_hh
        before = h
        if isinstance(module, torch.nn.LSTM):
            i, f, g, o = (own + recurrent).chunk(4, 1)
            c = style.cell(style.sigmoid(f) * c + style.sigmoid(i) * style.tanh(g))
            h = style.sigmoid(o) * style.tanh(c)
        else:
            (r, z, n), (r_h, z_h, n_h) = own.chunk(3, 1), recurrent.chunk(3, 1)
            z = style.sigmoid(z + z_h)
            n = style.tanh(n + style.sigmoid(r + r_h) * n_h)
            h = style.cell((1 - z) * n + z * h)
        h = style.hidden(h, before)
        output.append(h)
    return torch.stack(output), h, c


def int8(weight: torch.Tensor) -> torch.Tensor:
    step = weight.abs().max() / 127
    return (weight / step).round() * step


def pade(x: torch.Tensor) -> torch.Tensor:
    """A rational tanh that is up to 2.5·10⁻² off."""
    x = x.clamp(-3, 3)
    return x * (27 + x * x) / (27 + 9 * x * x)


#: Slight mistakes, by what the README calls them.
SLIGHTLY_WRONG = {
    "c × (1 − 5e-7) each step": Style(cell=lambda c: c * (1 - 5e-7)),
    "tanh × (1 + 1e-6)": Style(tanh=lambda x: x.tanh() * (1 + 1e-6)),
    "tanh × (1 + 3e-7)": Style(tanh=lambda x: x.tanh() * (1 + 3e-7)),
    "σ − 5e-7": Style(sigmoid=lambda x: x.sigmoid() - 5e-7),
    "h × (1 − 1e-6) each step": Style(hidden=lambda h, before: h * (1 - 1e-6)),
    "weight_hh × (1 + 1e-6)": Style(weight_hh=1 + 1e-6),
}

#: Mistakes of about the size of a coarser arithmetic's rounding.
COARSELY_WRONG = {
    "weight_hh × 1.02": Style(weight_hh=1.02),
    "a rational tanh, 2.5e-2 off": Style(tanh=pade),
    "σ × 0.995": Style(sigmoid=lambda x: x.sigmoid() * 0.995),
    "tanh × 0.99": Style(tanh=lambda x: x.tanh() * 0.99),
    "2 % of σ piecewise linear": Style(
        sigmoid=lambda x: 0.98 * x.sigmoid() + 0.02 * (x / 4 + 0.5).clamp(0, 1)),
    "zoneout of 2 %": Style(hidden=lambda h, before: 0.98 * h + 0.02 * before),
    "int8 weights": Style(weight=int8),
    "c × (1 − 1e-3) each step": Style(cell=lambda c: c * (1 - 1e-3)),
    "h × (1 − 1e-3) each step": Style(hidden=lambda h, before: h * (1 - 1e-3)),
    "bias_ih + 1e-3": Style(bias=1e-3),
}
