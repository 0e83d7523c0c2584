"""What is computed in a case: a recurrent module, its options and its sizes, as data, and
PyTorch's run of it on random numbers.
"""

import warnings
import zlib
from dataclasses import dataclass, field
from typing import Any

import torch

from parity_check.modules import Module, Named, run_in_chunks, run_recurrent, states


@dataclass(frozen=True)
class Configuration:
    """One module, run once on random input."""

    name: str
    #: How the case is written: an ending that `containers.write` knows, or, in the catalogue,
    #: one of the catalogue's containers.
    container: str
    module: str
    #: What the case is for.
    description: str
    #: Arguments of the module's constructor, beside the sizes.
    arguments: dict[str, Any] = field(default_factory=dict)
    input_size: int = 5
    hidden_size: int = 6
    #: None for unbatched input.
    batch: int | None = 3
    steps: int = 4
    dtype: torch.dtype = torch.float32
    initial_state: bool = True
    #: The lengths of the sequences; packed where given.
    lengths: tuple[int, ...] | None = None
    lengths_dtype: torch.dtype = torch.int64
    #: The manifest's `packed`.
    packed: dict[str, Any] = field(default_factory=lambda: {"enforce_sorted": False})
    #: The manifest's `chunks`: the steps are run so many at a time, the states handed over.
    chunks: int | tuple[int, ...] | None = None
    #: Parameters and inputs are rounded to multiples of this, where it is given.
    grid: float | None = None

    @property
    def is_cell(self) -> bool:
        return self.module.endswith("Cell")

    @property
    def seed(self) -> int:
        """Out of the name, so that a new case changes no other."""
        return zlib.crc32(self.name.encode())


def make(c: Configuration) -> Module:
    """The module with PyTorch's own random parameters, in eval()."""
    module = getattr(torch.nn, c.module)(
        c.input_size, c.hidden_size, dtype=c.dtype, **c.arguments
    ).eval()
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.copy_(on_grid(c, parameter))
    return module


def on_grid(c: Configuration, tensor: torch.Tensor) -> torch.Tensor:
    return tensor if c.grid is None else (tensor / c.grid).round() * c.grid


def random_inputs(c: Configuration, module: Module) -> Named:
    """`input`, and `h_0`, `c_0` and `lengths` as far as the configuration has them."""
    def draw(*axes: int) -> torch.Tensor:
        return on_grid(c, torch.randn(*axes, dtype=c.dtype))

    batch = [] if c.batch is None else [c.batch]
    if c.is_cell:
        axes, states, h_size = batch, batch, c.hidden_size
    else:
        axes = [*batch, c.steps] if module.batch_first else [c.steps, *batch]
        states = [module.num_layers * (2 if module.bidirectional else 1), *batch]
        h_size = module.proj_size or c.hidden_size
    inputs: Named = {"input": draw(*axes, c.input_size)}
    if c.initial_state:
        inputs["h_0"] = draw(*states, h_size)
        if c.module.startswith("LSTM"):
            inputs["c_0"] = draw(*states, c.hidden_size)
    if c.lengths:
        inputs["lengths"] = torch.tensor(c.lengths, dtype=c.lengths_dtype)
    return inputs


@torch.no_grad()
def forward(c: Configuration, module: Module, inputs: Named) -> Named:
    """PyTorch's results, by name."""
    if c.chunks:
        return run_in_chunks(module, inputs, c.chunks)
    if not c.is_cell:
        return run_recurrent(module, inputs, c.packed)
    state = inputs.get("h_0")
    if state is not None and "c_0" in inputs:
        state = (state, inputs["c_0"])
    return states(module(inputs["input"], state))


def quiet_pytorch() -> None:
    """One thread, and no word about what is known."""
    torch.set_num_threads(1)
    # Projections run on PyTorch's own path, and it says so each time.
    warnings.filterwarnings("ignore", message="LSTM with projections")
