"""Whether an inconclusive verdict is confirmed: by PyTorch itself, which parts from the
exact result, or by states so large that sums on the way to them may have overflowed."""

import copy
import dataclasses

import torch

from measure.random_modules import Configuration, forward, make, make_inputs
from parity_check.modules import Named

#: Under which an inconclusive case is not confirmed: how far PyTorch itself parts, as
#: the root mean square over the units of a state, of which the rule allows 1/16.
CONFIRMED = 0.02

#: A state of this share of the largest number may have overflowed on the way, as the
#: rule has it: in PyTorch that depends on the order in which a sum is taken.
OVERFLOW = 1 / 8


@dataclasses.dataclass(frozen=True)
class Witness:
    """What PyTorch says of an inconclusive case."""

    #: How far it parts in the worst step of the worst layer.
    parted: float
    #: Whether ReLU's states come near the largest number, in some layer.
    overflows: bool

    @property
    def confirms(self) -> bool:
        return self.overflows or self.parted > CONFIRMED


def prefixes(c: Configuration, module: torch.nn.Module) -> list[torch.nn.Module]:
    """The module's first layers, one more each time: what parts in a layer need not
    show in the layers above it."""
    if c.kind.endswith("Cell"):
        return [module]
    shorter = []
    for layers in range(1, module.num_layers + 1):
        arguments = c.arguments | {"num_layers": layers}
        first = getattr(torch.nn, c.kind)(c.input_size, c.hidden_size, **arguments)
        first = first.to(next(module.parameters()).dtype).eval()
        first.load_state_dict(
            {name: module.state_dict()[name] for name in first.state_dict()})
        shorter.append(first)
    return shorter


def restricted(inputs: Named, rows: int | None) -> Named:
    """The inputs of a prefix."""
    return {
        name: tensor[:rows] if name in ("h_0", "c_0") and rows is not None else tensor
        for name, tensor in inputs.items()
    }


def all_states(c: Configuration, module: torch.nn.Module, inputs: Named) -> Named:
    """A module's results, with the c of every step for `c_n` where an LSTM of one direction
    can be run step by step: c may part on the way and agree at the end."""
    results = forward(c, module, inputs)
    if c.kind != "LSTM" or module.bidirectional or "lengths" in inputs:
        return results
    state = {name: inputs[name] for name in ("h_0", "c_0") if name in inputs}
    cells = []
    for x in inputs["input"].split(1, c.step_axis):
        last = forward(c, module, {"input": x} | state)
        state = {"h_0": last["h_n"], "c_0": last["c_n"]}
        cells.append(last["c_n"])
    return results | {"c_n": torch.stack(cells)}


def apart(c: Configuration, a: Named, b: Named) -> float:
    """The largest root mean square over the units of a step's states, of c as tanh c,
    of ReLU relative to the units themselves."""
    worst = 0.0
    for name, tensor in a.items():
        one, other = (t.double().tanh() if name == "c_n" else t.double() for t in (tensor, b[name]))
        rms = (one - other).square().nanmean(dim=-1).sqrt()
        if c.arguments.get("nonlinearity") == "relu":
            rms = rms / other.square().nanmean(dim=-1).sqrt().clamp(min=1e-300)
        worst = max(worst, rms.nan_to_num(0, posinf=1).max().item())
    return worst


def near_overflow(c: Configuration, outputs: Named) -> bool:
    """Whether the root mean square over the units of a step's states is above `OVERFLOW`
    of the largest number. Only ReLU's states are without a bound."""
    if c.arguments.get("nonlinearity") != "relu":
        return False
    largest = torch.finfo(c.dtype).max
    return any(
        (t.double() / largest).square().nanmean(dim=-1).sqrt().nan_to_num(0).max() > OVERFLOW
        for t in outputs.values())


@torch.no_grad()
def witness(c: Configuration, seed: int) -> Witness:
    """PyTorch's result compared with that of the same module in float64: from the same
    inputs and parameters, and from ones changed by a unit roundoff of `c.dtype`, which
    are other draws of its rounding; or, as the derivative has it, float64's with that of
    such a change.
    """
    torch.manual_seed(seed)
    module = make(c)
    inputs = make_inputs(c, module)
    wide = dataclasses.replace(c, dtype=torch.float64)
    # Far below the errors of c.dtype, so that what grows does not reach its bounds.
    roundoff = torch.finfo(c.dtype).eps / 2
    tiny = max(roundoff * 2.0**-20, 2.0**-52)

    def nudged(module: torch.nn.Module, inputs: Named, by: float) -> tuple:
        def changed(tensor: torch.Tensor) -> torch.Tensor:
            return tensor * (1 + by * torch.randn_like(tensor))

        other = copy.deepcopy(module)
        for parameter in other.parameters():
            parameter.data = changed(parameter.data)
        return other, {
            n: t if n == "lengths" else changed(t) for n, t in inputs.items()}

    worst, overflows = 0.0, False
    for prefix in prefixes(c, module):
        rows = None
        if not c.kind.endswith("Cell"):
            rows = prefix.num_layers * (2 if prefix.bidirectional else 1)
        own = restricted(inputs, rows)
        exact_inputs = {
            name: tensor if name == "lengths" else tensor.double() for name, tensor in own.items()}
        exact_module = copy.deepcopy(prefix).double()
        exact = all_states(wide, exact_module, exact_inputs)
        result = all_states(c, prefix, own)
        worst = max(worst, apart(c, result, exact))
        overflows |= near_overflow(c, result) or near_overflow(c, exact)
        for _ in range(4):
            changed = all_states(wide, *nudged(exact_module, exact_inputs, tiny))
            worst = max(worst, apart(c, changed, exact) / tiny * roundoff)
            other, others = nudged(exact_module, exact_inputs, roundoff)
            changed = all_states(c, other.to(c.dtype), {
                n: t if n == "lengths" else t.to(c.dtype) for n, t in others.items()})
            worst = max(worst, apart(c, changed, exact))
    return Witness(worst, overflows)
