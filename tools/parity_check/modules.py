"""The modules that parity-check computes: what they were made with, and calling a recurrent one
as a manifest says, at once, on packed sequences or on one chunk of steps after the other.
"""

from typing import Any

import torch
from torch.nn.utils import parametrize
from torch.nn.utils.spectral_norm import SpectralNorm
from torch.nn.utils.weight_norm import WeightNorm
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

#: By the names that a manifest gives them.
RECURRENT = {
    name: getattr(torch.nn, name)
    for name in ("LSTM", "GRU", "RNN", "LSTMCell", "GRUCell", "RNNCell")
}
#: Others that may stand in a chain, with the arguments that a manifest states.
OTHERS: dict[str, tuple[str, ...]] = {
    "Embedding": ("num_embeddings", "embedding_dim", "padding_idx"),
    "Linear": ("in_features", "out_features"),
    "Softmax": ("dim",),
    "LogSoftmax": ("dim",),
}

Module = torch.nn.RNNBase | torch.nn.RNNCellBase
Named = dict[str, torch.Tensor]


def plain_class(module: torch.nn.Module) -> str | None:
    """PyTorch's own class whose forward pass a module has, of those that parity-check computes:
    of a class derived from `nn.LSTM` that computes the same `LSTM`."""
    for name in (*RECURRENT, *OTHERS):
        own = getattr(torch.nn, name)
        if isinstance(module, own) and type(module).forward is own.forward:
            return name
    return None


def is_recurrent(module: torch.nn.Module) -> bool:
    """Whether a module's forward pass is that of one of PyTorch's own recurrent ones."""
    return plain_class(module) in RECURRENT


def is_changed(module: torch.nn.Module) -> bool:
    """Whether something that is no part of its class may change what a module computes: hooks,
    but for those that put a weight together, and a forward pass of its own."""
    makes_weights = (WeightNorm, SpectralNorm)
    return ("forward" in vars(module) or bool(module._forward_hooks)
            or any(not isinstance(hook, makes_weights)
                   for hook in module._forward_pre_hooks.values()))


def kind(module: torch.nn.Module) -> str:
    """The name of the module's class: PyTorch's own where that computes the same."""
    if parametrize.is_parametrized(module):
        return plain_class(module) or type(module).__bases__[0].__name__
    return plain_class(module) or type(module).__name__


def constructor_arguments(module: Module) -> dict[str, Any]:
    """All arguments that a recurrent module was made with, by PyTorch's names."""
    names = ["input_size", "hidden_size", "bias"]
    if isinstance(module, torch.nn.RNNBase):
        names[2:2] = ["num_layers"]
        names += ["batch_first", "dropout", "bidirectional"]
    if isinstance(module, torch.nn.LSTM):
        names.append("proj_size")
    if isinstance(module, torch.nn.RNN | torch.nn.RNNCell):
        names.append("nonlinearity")
    return {name: getattr(module, name) for name in names}


def arguments(module: torch.nn.Module) -> dict[str, Any] | None:
    """The constructor's arguments of a module that parity-check computes; None of others."""
    name = plain_class(module)
    if name is None or is_changed(module):
        return None
    if name in RECURRENT:
        return constructor_arguments(module)
    present = {key: getattr(module, key) for key in OTHERS[name]}
    return {key: value for key, value in present.items() if value is not None} | (
        {"bias": False} if name == "Linear" and module.bias is None else {})


def parameters(module: torch.nn.Module) -> Named:
    """The weights and biases that the module computes with, by the names that they have in the
    state_dict of a plain module: of one under weight norm those that are made of its parts."""
    if isinstance(module, torch.nn.RNNBase):
        names = module._flat_weights_names
    elif isinstance(module, torch.nn.RNNCellBase):
        names = ["weight_ih", "weight_hh"] + (["bias_ih", "bias_hh"] if module.bias else [])
    else:
        names = [name for name in ("weight", "bias") if getattr(module, name, None) is not None]
    return {name: getattr(module, name) for name in names}


def run_recurrent(
    module: torch.nn.RNNBase, inputs: Named, packed: dict[str, Any] | None
) -> Named:
    """`output`, `h_n` and of an LSTM `c_n`, from `input`, and from `h_0`, `c_0` and
    `lengths` as far as they are given.
    """
    x, state = inputs["input"], inputs.get("h_0")
    if "c_0" in inputs:
        state = (state, inputs["c_0"])
    if "lengths" in inputs:
        sequences = pack_padded_sequence(
            x, inputs["lengths"].long(), batch_first=module.batch_first,
            enforce_sorted=packed.get("enforce_sorted", True),
        )
        output, final = module(sequences, state)
        output, _ = pad_packed_sequence(
            output, batch_first=module.batch_first, total_length=packed.get("total_length"))
    else:
        output, final = module(x, state)
    return {"output": output} | states(final)


def states(final: torch.Tensor | tuple[torch.Tensor, torch.Tensor]) -> Named:
    return dict(zip(("h_n", "c_n"), final if isinstance(final, tuple) else (final,)))


def chunk_sizes(chunks: int | tuple[int, ...], steps: int) -> list[int]:
    """The number of steps of each chunk; of a size alone the last one has what is left."""
    if not isinstance(chunks, int):
        return list(chunks)
    return [min(chunks, steps - start) for start in range(0, steps, chunks)]


def run_in_chunks(module: torch.nn.RNNBase, inputs: Named, chunks: int | tuple[int, ...]) -> Named:
    """`output` of all steps, and `h_n` and of an LSTM `c_n` after the last."""
    axis = step_axis(module, inputs["input"])
    sizes = chunk_sizes(chunks, inputs["input"].shape[axis])
    results, given = [], dict(inputs)
    for x in inputs["input"].split(sizes, dim=axis):
        results.append(run_recurrent(module, given | {"input": x}, None))
        given |= {"h_0": results[-1]["h_n"]}
        if "c_n" in results[-1]:
            given |= {"c_0": results[-1]["c_n"]}
    return results[-1] | {"output": torch.cat([part["output"] for part in results], dim=axis)}


def step_axis(module: torch.nn.RNNBase, x: torch.Tensor) -> int:
    return 1 if module.batch_first and x.dim() == 3 else 0
