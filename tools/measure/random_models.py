"""Random PyTorch models: chains with residual connections of layers that people build with."""

import random
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import nn

ACTIVATIONS: list[Callable[[], nn.Module]] = [
    nn.ReLU, nn.GELU, nn.SiLU, nn.Tanh, nn.Sigmoid, nn.ELU, nn.Softplus, nn.Hardswish, nn.Mish,
    lambda: nn.LeakyReLU(0.1), lambda: nn.Softmax(-1), lambda: nn.GELU(approximate="tanh"),
]


class Recurrent(nn.Module):
    """The output of a recurrent module."""

    def __init__(self, module: nn.RNNBase) -> None:
        super().__init__()
        self.module = module

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.module(x)[0]


class Channels(nn.Module):
    """A layer over the steps, with the features as channels."""

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.layer = layer

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.layer(x.transpose(1, 2)).transpose(1, 2)


class Plane(nn.Module):
    """A two-dimensional layer over steps and features, of one channel in and out."""

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.layer = layer

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.layer(x.unsqueeze(1)).mean(1)


class Residual(nn.Module):
    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.layer = layer

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + self.layer(x)


class Attention(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.attention = nn.MultiheadAttention(width, 2, batch_first=True)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.attention(x, x, x)[0]


@dataclass(frozen=True)
class RandomModel:
    model: nn.Module
    x: torch.Tensor
    #: The kinds of its layers.
    description: str


def draw(seed: int, dtype: torch.dtype = torch.float32) -> RandomModel:
    """A model in eval(), its weights times 1 to 4, and an input (B, T, I)."""
    r = random.Random(seed)
    torch.manual_seed(seed)
    width = r.choice([4, 8, 16, 24])
    x = torch.randn(r.randint(1, 4), r.randint(3, 24), width) * r.choice([0.3, 1, 3])
    layers, names = [], []
    for _ in range(r.randint(2, 7)):
        name = r.choice(list(LAYERS))
        layer, width = LAYERS[name](r, width)
        layers.append(layer)
        names.append(name)
    model = nn.Sequential(*layers).eval()
    scale = r.choice([1, 1, 2, 4])
    with torch.no_grad():
        for tensor in model.parameters():
            tensor.mul_(scale)
        for module in model.modules():
            if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
                module.running_mean.normal_(0, 0.3)
                module.running_var.uniform_(0.3, 2)
    return RandomModel(model.to(dtype), x.to(dtype), f"{' '.join(names)} ×{scale}")


def linear(r: random.Random, width: int) -> tuple[nn.Module, int]:
    wide = r.choice([4, 8, 16, 24])
    return nn.Linear(width, wide, bias=r.random() < 0.8), wide


def conv1d(r: random.Random, width: int) -> tuple[nn.Module, int]:
    wide, kernel = r.choice([4, 8, 16]), r.choice([1, 3, 5])
    groups = r.choice([1, 1, 2, 4]) if width % 4 == 0 else 1
    return Channels(nn.Conv1d(width, wide, kernel, padding=kernel // 2, groups=groups)), wide


def transposed(r: random.Random, width: int) -> tuple[nn.Module, int]:
    wide = r.choice([4, 8])
    return Channels(nn.ConvTranspose1d(width, wide, 3, padding=1)), wide


def conv2d(r: random.Random, width: int) -> tuple[nn.Module, int]:
    return Plane(nn.Conv2d(1, r.choice([1, 3]), 3, padding=1)), width


def pool(r: random.Random, width: int) -> tuple[nn.Module, int]:
    kind = r.choice([nn.AvgPool1d, nn.MaxPool1d])
    return Channels(kind(3, stride=1, padding=1)), width


def recurrent(kind: type) -> Callable[[random.Random, int], tuple[nn.Module, int]]:
    def make(r: random.Random, width: int) -> tuple[nn.Module, int]:
        both, hidden = r.random() < 0.5, r.choice([4, 8])
        module = kind(width, hidden, r.choice([1, 2]), batch_first=True, bidirectional=both)
        return Recurrent(module), hidden * (1 + both)

    return make


def residual(r: random.Random, width: int) -> tuple[nn.Module, int]:
    inner = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, 2 * width),
                          r.choice(ACTIVATIONS)(), nn.Linear(2 * width, width))
    return Residual(inner), width


def transformer(r: random.Random, width: int) -> tuple[nn.Module, int]:
    return nn.TransformerEncoderLayer(
        width, 2, 2 * width, activation=r.choice(["relu", "gelu"]), batch_first=True,
        norm_first=r.random() < 0.5), width


LAYERS: dict[str, Callable[[random.Random, int], tuple[nn.Module, int]]] = {
    "linear": linear, "conv1d": conv1d, "conv-transpose1d": transposed, "conv2d": conv2d,
    "pool": pool, "residual": residual, "transformer": transformer,
    "lstm": recurrent(nn.LSTM), "gru": recurrent(nn.GRU), "rnn": recurrent(nn.RNN),
    "layer-norm": lambda r, w: (nn.LayerNorm(w), w),
    "batch-norm": lambda r, w: (Channels(nn.BatchNorm1d(w)), w),
    "group-norm": lambda r, w: (Channels(nn.GroupNorm(2, w)), w),
    "attention": lambda r, w: (Attention(w), w),
    "activation": lambda r, w: (r.choice(ACTIVATIONS)(), w),
    "activation-again": lambda r, w: (r.choice(ACTIVATIONS)(), w),
}
