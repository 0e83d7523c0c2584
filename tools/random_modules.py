"""Random configurations of PyTorch's recurrent modules, far from those of a fixture:
hidden sizes to 512, 2,000 steps, weights scaled by 0.1 to 8, recurrent matrices of low
rank or with a spectral radius near 1, gates biased up to +9, inputs that are constant,
slow or saturating; on oneDNN or without it, with one thread or two.
"""

import math
import random
from dataclasses import dataclass

import torch

import export_fixtures
from export_fixtures import Named

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


def draw(number: int, seed: int) -> Configuration:
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


@torch.no_grad()
def make(c: Configuration) -> torch.nn.Module:
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
    return module.to(c.dtype)


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
    is_cell = c.kind.endswith("Cell")
    axes = [c.batch] if is_cell else [c.steps, c.batch]
    x = torch.randn(*axes, c.input_size)
    x = {
        "random": lambda: x, "constant": lambda: torch.full_like(x, 0.7),
        "zero": lambda: torch.zeros_like(x), "positive": lambda: x.abs(),
        "slow": lambda: torch.sin(torch.arange(len(x)) / 50).view(-1, *[1] * (x.dim() - 1)) + 0 * x,
        "large": lambda: x * 30,
    }[c.inputs]()
    inputs: Named = {"input": x.to(c.dtype)}
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
    state = inputs.get("h_0")
    if "c_0" in inputs:
        state = (state, inputs["c_0"])
    with torch.backends.mkldnn.flags(enabled=c.onednn):
        result = module(inputs["input"], state)
    if c.kind.endswith("Cell"):
        return export_fixtures.states(result)
    return {"output": result[0]} | export_fixtures.states(result[1])
