"""Random configurations of PyTorch's recurrent modules: every option that a manifest can state,
sizes drawn log-uniformly.
"""

import math
import random
from dataclasses import replace

import torch

from parity_check.configurations import Configuration

MODULES = ["LSTM", "GRU", "RNN", "LSTMCell", "GRUCell", "RNNCell"]
#: How often each is drawn. Half precision is slow on many processors, and most use float32.
DTYPES = {torch.float16: 1, torch.bfloat16: 1, torch.float32: 14, torch.float64: 4}
#: Endings that `containers.write` knows; without one, a folder.
ENDINGS = [".npz", ".h5", ".safetensors", ".pt", ""]


def draw(number: int, seed: int) -> Configuration:
    """The configuration of this number: the same in every run of a seed."""
    r = random.Random(f"{seed}/{number}")

    def size(largest: int) -> int:
        return int(math.exp(r.uniform(0, math.log(largest + 1))))

    def flip(probability: float = 0.5) -> bool:
        return r.random() < probability

    module = r.choices(MODULES, weights=[2, 2, 2, 1, 1, 1])[0]
    is_cell = module.endswith("Cell")
    hidden, batch, steps = size(128), size(16), size(64)
    arguments: dict[str, object] = {"bias": flip(0.8)}
    if module.startswith("RNN"):
        arguments["nonlinearity"] = r.choice(["tanh", "relu"])
    if not is_cell:
        arguments |= {
            "num_layers": r.randint(1, 3), "batch_first": flip(), "bidirectional": flip(),
        }
        if arguments["num_layers"] > 1 and flip():
            arguments["dropout"] = 0.5
        if module == "LSTM" and hidden > 1 and flip(0.3):
            arguments["proj_size"] = min(size(hidden - 1), hidden - 1)
    unbatched = flip(0.2)
    lengths, packed = None, {}
    if not is_cell and not unbatched and flip(0.4):
        lengths = [r.randint(1, steps) for _ in range(batch)]
        packed = {"enforce_sorted": flip()}
        if packed["enforce_sorted"]:
            lengths.sort(reverse=True)
        if flip(0.3):
            packed["total_length"] = max(lengths) + r.randint(0, 5)
    dtype = r.choices(list(DTYPES), weights=list(DTYPES.values()))[0]
    c = Configuration(
        f"{seed}-{number:05}-{module}-{str(dtype).removeprefix('torch.')}", r.choice(ENDINGS),
        module, f"configuration {number} of seed {seed}", arguments, input_size=size(128),
        hidden_size=hidden, batch=None if unbatched else batch, steps=steps, dtype=dtype,
        initial_state=flip(), lengths=tuple(lengths) if lengths else None,
        lengths_dtype=r.choice([torch.int64, torch.int32]), packed=packed,
    )
    can_be_cut = not (is_cell or lengths or arguments["bidirectional"]) and steps > 1
    return replace(c, chunks=draw_chunks(r, steps)) if can_be_cut and flip() else c


def draw_chunks(r: random.Random, steps: int) -> int | tuple[int, ...]:
    """A size, or some places to cut at."""
    if r.random() < 0.5:
        return r.randint(1, steps - 1)
    cuts = sorted(r.sample(range(1, steps), r.randint(1, min(6, steps - 1))))
    return tuple(end - start for start, end in zip([0, *cuts], [*cuts, steps]))
