"""Random configurations of PyTorch's recurrent modules, far from those of a fixture:
hidden sizes to 512, 2,000 steps, weights scaled by 0.1 to 8, recurrent matrices of low
rank or with a spectral radius near 1, gates biased up to +9, inputs that are constant,
slow or saturating; on oneDNN or without it, with one thread or two. Weights that were
trained, units that are copies of each other, weights that are constant, sparse, on a grid
or subnormal; whatever a manifest can say of the batch.
"""

import math
import random
from dataclasses import dataclass, replace

import torch

from measure import trained_modules
from parity_check.modules import Named, run_recurrent, states

#: Multiplications of one forward pass, at most.
WORK = 2e7


@dataclass(frozen=True)
class Configuration:
    name: str
    kind: str
    arguments: dict
    input_size: int
    hidden_size: int
    batch: int
    steps: int
    scale: float
    recurrent: str
    inputs: str
    gate_bias: float
    initial_state: bool
    onednn: bool
    threads: int
    dtype: torch.dtype
    #: What the weights are, beside their size: `as drawn`, or as in `WEIGHTS`.
    weights: str = "as drawn"
    zero_bias_hh: bool = False
    lengths: tuple[int, ...] | None = None
    #: The manifest's `packed`.
    packed: dict | None = None
    #: Of a module in `trained_modules`.
    trained: int | None = None

    @property
    def is_cell(self) -> bool:
        return self.kind.endswith("Cell")

    @property
    def step_axis(self) -> int:
        return 1 if self.arguments.get("batch_first") else 0


WEIGHTS = ["copied units", "constant", "sparse", "grid", "int8", "subnormal"]


def draw(number: int, seed: int, varied: bool = True) -> Configuration:
    """The configuration of this number, the same in every run of a seed.

    `varied`: whether weights may be other than random ones, and batches packed.
    """
    configuration = draw_sizes(number, seed)
    return vary(configuration, random.Random(f"{seed}/{number}/variety")) if varied else configuration


def vary(c: Configuration, r: random.Random) -> Configuration:
    changes: dict = {"zero_bias_hh": r.random() < 0.15}
    arguments = dict(c.arguments)
    if r.random() < 0.1:
        changes["trained"] = r.randrange(trained_modules.COUNT)
        module = trained_modules.trained(changes["trained"])
        arguments = {"num_layers": module.num_layers, "bidirectional": module.bidirectional,
                     "bias": True}
        changes |= {
            "kind": type(module).__name__, "input_size": module.input_size,
            "hidden_size": module.hidden_size, "steps": min(c.steps, 200), "zero_bias_hh": False,
            "name": f"{c.name[:5]}-{type(module).__name__}",
        }
    elif r.random() < 0.3:
        changes["weights"] = r.choice(WEIGHTS)
    c = replace(c, **changes)
    if not c.is_cell:
        arguments["batch_first"] = r.random() < 0.5
        if r.random() < 0.25:
            lengths = [r.randint(1, c.steps) for _ in range(c.batch)]
            packed: dict = {"enforce_sorted": r.random() < 0.3}
            if packed["enforce_sorted"]:
                lengths.sort(reverse=True)
            if r.random() < 0.3:
                packed["total_length"] = max(lengths) + r.randint(0, 3)
            c = replace(c, lengths=tuple(lengths), packed=packed)
    return replace(c, arguments=arguments)


def draw_sizes(number: int, seed: int) -> Configuration:
    r = random.Random(f"{seed}/{number}/noise")

    def size(largest: float) -> int:
        return int(math.exp(r.uniform(0, math.log(largest + 1))))

    kind = r.choice(["LSTM", "LSTM", "GRU", "GRU", "RNN", "RNN", "LSTMCell", "GRUCell", "RNNCell"])
    is_cell = kind.endswith("Cell")
    gates = {"LSTM": 4, "GRU": 3, "RNN": 1}[kind.removesuffix("Cell")]
    hidden, inputs = size(512), size(128)
    arguments: dict = {"bias": r.random() < 0.85}
    if kind.startswith("RNN"):
        arguments["nonlinearity"] = r.choice(["tanh", "tanh", "relu"])
    layers = directions = 1
    if not is_cell:
        layers, directions = r.choice([1, 1, 2, 3, 4]), r.choice([1, 2])
        arguments |= {"num_layers": layers, "bidirectional": directions == 2}
        if kind == "LSTM" and hidden > 1 and r.random() < 0.2:
            arguments["proj_size"] = r.randint(1, hidden - 1)
    cost = gates * hidden * (inputs + hidden) * layers * directions
    steps = 1 if is_cell else min(size(2000), max(1, int(WORK / cost)))
    batch = max(1, min(size(16), int(WORK / cost / steps)))
    return Configuration(
        f"{number:05}-{kind}", kind, arguments, inputs, hidden, batch, steps,
        scale=math.exp(r.uniform(math.log(0.1), math.log(8))),
        recurrent=r.choice(["random", "random", "low rank", "constant", "radius"]),
        inputs=r.choice(["random", "random", "constant", "zero", "positive", "slow", "large"]),
        gate_bias=r.choice([0, 0, 0, r.uniform(0, 9)]), initial_state=r.random() < 0.5,
        onednn=r.random() < 0.5, threads=r.choice([1, 2]),
        dtype=r.choices([torch.float32, torch.float64, torch.float16, torch.bfloat16],
                        [12, 3, 1, 1])[0],
    )


def draw_large(number: int, seed: int) -> Configuration:
    """One of a million to ten million elements of `output`, with units enough that this
    does not take many steps; its weights as drawn, or trained."""
    r = random.Random(f"{seed}/{number}/large")
    c = draw(r.randrange(10**6), seed)
    while c.is_cell or c.hidden_size < 32 or c.lengths:
        c = draw(r.randrange(10**6), seed)
    features = c.hidden_size if not c.arguments.get("proj_size") else c.arguments["proj_size"]
    features *= 2 if c.arguments["bidirectional"] else 1
    elements = math.exp(r.uniform(math.log(1e6), math.log(1e7)))
    steps = r.choice([50, 200, 1000])
    batch = max(1, round(elements / features / steps))
    arguments = c.arguments | ({"num_layers": 1} if c.trained is None else {})
    return replace(
        c, name=f"{number:05}-large-{c.kind}", arguments=arguments, steps=steps, batch=batch)


@torch.no_grad()
def make(c: Configuration) -> torch.nn.Module:
    if c.trained is not None:
        return make_trained(c)
    module = getattr(torch.nn, c.kind)(c.input_size, c.hidden_size, **c.arguments).eval()
    for name, parameter in module.named_parameters():
        parameter *= c.scale
        if "weight_hh" in name:
            for block in parameter.split(c.hidden_size):
                shape_recurrent(block, c)
        if "bias_ih" in name and c.gate_bias:
            # LSTM's forget gate, GRU's update gate: both stand second.
            if parameter.shape[0] > c.hidden_size:
                parameter[c.hidden_size:2 * c.hidden_size] += c.gate_bias
        shape_weights(name, parameter, c)
    return module.to(c.dtype)


def make_trained(c: Configuration) -> torch.nn.Module:
    module = getattr(torch.nn, c.kind)(c.input_size, c.hidden_size, **c.arguments).eval()
    module.load_state_dict(trained_modules.trained(c.trained).state_dict())
    return module.to(c.dtype)


def shape_weights(name: str, parameter: torch.Tensor, c: Configuration) -> None:
    """Makes a parameter what `c.weights` says, in place."""
    if c.zero_bias_hh and "bias_hh" in name:
        parameter.zero_()
    half = c.hidden_size // 2
    if c.weights == "copied units" and "weight_hr" not in name and half:
        for block in parameter.split(c.hidden_size):
            block[half:2 * half] = block[:half]
    elif c.weights == "constant":
        parameter.fill_(parameter.flatten()[0].item())
    elif c.weights == "sparse":
        parameter *= torch.rand(parameter.shape) < 0.1
    elif c.weights == "grid":
        parameter.copy_((parameter * 32).round() / 32)
    elif c.weights == "int8" and parameter.dim() == 2:
        step = parameter.abs().max().clamp(min=1e-30) / 127
        parameter.copy_((parameter / step).round() * step)
    elif c.weights == "subnormal":
        parameter *= torch.where(torch.rand(parameter.shape) < 0.5, 1, 1e-38)


def shape_recurrent(block: torch.Tensor, c: Configuration) -> None:
    rows, columns = block.shape
    if c.recurrent == "low rank":
        block.copy_(torch.outer(block[:, 0], block[0]) / block.abs().max().clamp(min=1e-6))
    elif c.recurrent == "constant":
        block.fill_(c.scale / columns)
    elif c.recurrent == "radius":
        # Orthogonal rows, so that nothing fades or grows.
        orthogonal, _ = torch.linalg.qr(torch.randn(max(rows, columns), max(rows, columns)))
        block.copy_(orthogonal[:rows, :columns])


def make_inputs(c: Configuration, module: torch.nn.Module) -> Named:
    is_cell = c.is_cell
    axes = [c.batch] if is_cell else [c.steps, c.batch]
    x = torch.randn(*axes, c.input_size)
    x = {
        "random": lambda: x, "constant": lambda: torch.full_like(x, 0.7),
        "zero": lambda: torch.zeros_like(x), "positive": lambda: x.abs(),
        "slow": lambda: torch.sin(torch.arange(len(x)) / 50).view(-1, *[1] * (x.dim() - 1)) + 0 * x,
        "large": lambda: x * 30,
    }[c.inputs]()
    inputs: Named = {"input": (x.transpose(0, 1) if c.step_axis else x).contiguous().to(c.dtype)}
    if c.lengths:
        inputs["lengths"] = torch.tensor(c.lengths)
    if c.initial_state:
        rows = [] if is_cell else [module.num_layers * (2 if module.bidirectional else 1)]
        size = getattr(module, "proj_size", 0) or c.hidden_size
        inputs["h_0"] = torch.randn(*rows, c.batch, size).to(c.dtype)
        if c.kind.startswith("LSTM"):
            inputs["c_0"] = torch.randn(*rows, c.batch, c.hidden_size).to(c.dtype)
    return inputs


@torch.no_grad()
def forward(c: Configuration, module: torch.nn.Module, inputs: Named) -> Named:
    torch.set_num_threads(c.threads)
    with torch.backends.mkldnn.flags(enabled=c.onednn):
        if not c.is_cell:
            return run_recurrent(module, inputs, c.packed)
        state = inputs.get("h_0")
        if "c_0" in inputs:
            state = (state, inputs["c_0"])
        return states(module(inputs["input"], state))
