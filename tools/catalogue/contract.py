"""What a reference must hold before it is written."""

from collections.abc import Callable

import numpy as np
import torch

from catalogue.fixture import Refused
from catalogue.torch_pipeline import DirectionMerge, Pipeline, Stage, handed_on
from parity_check.modules import Named


class BrokenContract(Refused):
    """A reference that does not hang together."""


def same(a: torch.Tensor, b: torch.Tensor) -> bool:
    """Equal, where NaN equals NaN."""
    return torch.allclose(a, b, rtol=0, atol=0, equal_nan=True)


def check_layout(name: str, module: torch.nn.Module, inputs: Named, outputs: Named) -> None:
    """Holds a reference to the layout contract, bit for bit; a cell has none."""
    if isinstance(module, torch.nn.RNNCellBase):
        return
    output, h_n = outputs["output"], outputs["h_n"]
    size = module.proj_size or module.hidden_size
    rows = 2 if module.bidirectional else 1
    if inputs["input"].dim() == 2:
        sequences, states = [output], h_n.unsqueeze(1)
    else:
        batch_first = output if module.batch_first else output.transpose(0, 1)
        sequences, states = list(batch_first), h_n
    lengths = inputs["lengths"].tolist() if "lengths" in inputs else None
    for b, sequence in enumerate(sequences):
        length = lengths[b] if lengths else len(sequence)
        holds = same(sequence[length - 1, :size], states[-rows, b])
        if module.bidirectional:
            holds &= same(sequence[0, size:], states[-1, b])
        holds &= not sequence[length:].any()
        if not holds:
            raise BrokenContract(f"{name}: output and h_n disagree in sequence {b}")


def check_pipeline(name: str, pipeline: Pipeline, inputs: Named, results: Named) -> None:
    """Holds each module's result to what defines it, given what it was handed."""
    x, before = inputs["input"], None
    for stage in pipeline.stages:
        module = pipeline.get_submodule(stage.name)
        result = results[f"{stage.name}.output"]
        place = f"{name}: {stage.name}"
        if isinstance(module, torch.nn.RNNBase):
            h_n = results[f"{stage.name}.h_n"]
            check_layout(place, module, inputs | {"input": x}, {"output": result, "h_n": h_n})
            x = handed_on(stage, module, result, h_n)
        else:
            if isinstance(module, DirectionMerge):
                holds = merge_holds(stage, before, results, result)
            else:
                holds = DEFINITIONS[type(module)](module, x, result)
            if not holds:
                raise BrokenContract(f"{place} is not {stage.module} of what it was handed")
            x = result
        before = stage


def merge_holds(stage: Stage, before: Stage, results: Named, result: torch.Tensor) -> bool:
    """In NumPy, from the recurrent module's own results, bit for bit."""
    if before.select == "h_n":
        forward, reverse = results[f"{before.name}.h_n"].numpy()[-2:]
    else:
        output = results[f"{before.name}.output"].numpy()
        half = output.shape[-1] // 2
        forward, reverse = output[..., :half], output[..., half:]
    expected = {
        "concat": lambda: np.concatenate([forward, reverse], axis=-1),
        "sum": lambda: forward + reverse,
        "ave": lambda: (forward + reverse) / 2,
        "mul": lambda: forward * reverse,
    }[stage.arguments["mode"]]()
    return np.array_equal(result.numpy(), expected)


def lookup_holds(module: torch.nn.Embedding, x: torch.Tensor, result: torch.Tensor) -> bool:
    rows = [module.weight[token] for token in x.flatten().tolist()]
    return same(result, torch.stack(rows).reshape(*x.shape, -1))


def linear_holds(module: torch.nn.Linear, x: torch.Tensor, result: torch.Tensor) -> bool:
    expected = torch.einsum("...i,oi->...o", x.double(), module.weight.double())
    if module.bias is not None:
        expected += module.bias.double()
    return close(result, expected, torch.finfo(x.dtype).eps)


def softmax_holds(module: torch.nn.Softmax, x: torch.Tensor, result: torch.Tensor) -> bool:
    return log_softmax_holds(module, x, result.log())


def log_softmax_holds(
    module: torch.nn.LogSoftmax | torch.nn.Softmax, x: torch.Tensor, result: torch.Tensor
) -> bool:
    """The shares add up to 1, and all are off from x by the same."""
    shift = x.double() - result.double()
    total = result.double().exp().sum(module.dim)
    eps = torch.finfo(x.dtype).eps
    return close(total, torch.ones_like(total), eps) and close(
        shift, shift.mean(module.dim, keepdim=True).expand_as(shift), eps)


def close(a: torch.Tensor, b: torch.Tensor, eps: float) -> bool:
    """Up to some roundings, for numbers around 1."""
    return torch.allclose(a.double(), b.double(), rtol=64 * eps, atol=64 * eps)


DEFINITIONS: dict[type, Callable[..., bool]] = {
    torch.nn.Embedding: lookup_holds,
    torch.nn.Linear: linear_holds,
    torch.nn.Softmax: softmax_holds,
    torch.nn.LogSoftmax: log_softmax_holds,
}
