"""Writes random cases with real PyTorch, to be judged at once: all modules and
options, sizes drawn log-uniformly.

Each case also says how far PyTorch's own result is from the same module in
float64, in `witness.json`: where that is more than half of what
torch.testing.assert_close allows, the tolerance is too tight for the case, and
not the result wrong.
"""

import argparse
import dataclasses
import json
import math
import random
from pathlib import Path

import torch

from catalogue import export_fixtures
from catalogue.cases import Case

#: torch.testing.assert_close's defaults: rtol, atol.
TOLERANCES = {
    torch.float16: (1e-3, 1e-5), torch.bfloat16: (1.6e-2, 1e-5),
    torch.float32: (1.3e-6, 1e-5), torch.float64: (1e-7, 1e-7),
}


def draw(number: int, seed: int) -> Case:
    """The case of this number: the same in every run of a seed."""
    r = random.Random(f"{seed}/{number}")

    def size(largest: int) -> int:
        return int(math.exp(r.uniform(0, math.log(largest + 1))))

    def flip(probability: float = 0.5) -> bool:
        return r.random() < probability

    module = r.choice(["LSTM", "GRU", "RNN", "LSTM", "GRU", "RNN", "LSTMCell", "GRUCell", "RNNCell"])
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
    dtype = r.choices(list(TOLERANCES), weights=[1, 1, 14, 4])[0]
    case = Case(
        f"{number:05}-{module}-{str(dtype).removeprefix('torch.')}",
        r.choice(["npz-stored", "npz-deflated", "hdf5", "hdf5-chunked", "folder", "folder-gzip"]),
        module, f"configuration {number} of seed {seed}", arguments, input_size=size(128),
        hidden_size=hidden, batch=None if unbatched else batch, steps=steps, dtype=dtype,
        initial_state=flip(), lengths=tuple(lengths) if lengths else None, packed=packed,
    )
    can_be_cut = not (is_cell or lengths or arguments["bidirectional"]) and steps > 1
    if can_be_cut and flip():
        return dataclasses.replace(case, chunks=draw_chunks(r, steps))
    return case


def draw_chunks(r: random.Random, steps: int) -> int | tuple[int, ...]:
    """A size, or some places to cut at."""
    if r.random() < 0.5:
        return r.randint(1, steps - 1)
    cuts = sorted(r.sample(range(1, steps), r.randint(1, min(6, steps - 1))))
    return tuple(end - start for start, end in zip([0, *cuts], [*cuts, steps]))


def share_of_tolerance(case: Case) -> float:
    """The largest |result − float64 result| over what torch.testing allows."""
    torch.manual_seed(case.seed)
    module = export_fixtures.make(case)
    inputs = export_fixtures.random_inputs(case, module)
    results = export_fixtures.forward(case, module, inputs)
    wide_inputs = {
        name: tensor.double() if tensor.is_floating_point() else tensor
        for name, tensor in inputs.items()
    }
    wide = dataclasses.replace(case, dtype=torch.float64)
    witness = export_fixtures.forward(wide, module.double(), wide_inputs)
    rtol, atol = TOLERANCES[case.dtype]
    return max(
        ((results[name].double() - exact).abs() / (atol + rtol * exact.abs())).max().item()
        for name, exact in witness.items()
    )


def export(folder: Path, count: int, seed: int) -> dict[str, float]:
    """Writes the cases, and returns each one's share of the tolerance, by name."""
    folder.mkdir(parents=True, exist_ok=True)
    shares = {}
    for number in range(count):
        case = draw(number, seed)
        export_fixtures.run(case).write(folder)
        shares[case.name] = share_of_tolerance(case)
    return shares


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, metavar="DIR")
    parser.add_argument("--count", type=int, default=500)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    export_fixtures.quiet_pytorch()
    shares = export(options.folder, options.count, options.seed)
    witness = json.dumps(shares, indent=1)
    options.folder.with_name(options.folder.name + "-witness.json").write_text(witness + "\n")
    print(f"{len(shares)} cases in {options.folder}")
