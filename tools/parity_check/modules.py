"""The modules that parity-check computes, and how PyTorch is told to run them."""

from typing import Any

import torch

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


def is_recurrent(module: torch.nn.Module) -> bool:
    """Whether a module is one of PyTorch's own recurrent ones, and not one derived from it that
    may compute something else."""
    return any(isinstance(module, kind) and type(module).forward is kind.forward
               for kind in RECURRENT.values())


def kind(module: torch.nn.Module) -> str:
    """The name of the module's kind, of parametrized modules that of the class underneath."""
    from torch.nn.utils import parametrize

    if parametrize.is_parametrized(module):
        return type(module).__bases__[0].__name__
    return type(module).__name__


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
    if is_recurrent(module):
        return constructor_arguments(module)
    for name, stated in OTHERS.items():
        kind_of = getattr(torch.nn, name)
        if isinstance(module, kind_of) and type(module).forward is kind_of.forward:
            present = {key: getattr(module, key) for key in stated}
            return {key: value for key, value in present.items() if value is not None} | (
                {"bias": False} if name == "Linear" and module.bias is None else {})
    return None


def parameters(module: torch.nn.Module) -> dict[str, torch.Tensor]:
    """The weights and biases that the module computes with, by the names that they have in the
    state_dict of a plain module: of one under weight norm those that are made of its parts."""
    if isinstance(module, torch.nn.RNNBase):
        names = module._flat_weights_names
    elif isinstance(module, torch.nn.RNNCellBase):
        names = ["weight_ih", "weight_hh"] + (["bias_ih", "bias_hh"] if module.bias else [])
    else:
        names = [name for name in ("weight", "bias") if getattr(module, name, None) is not None]
    return {name: getattr(module, name) for name in names}
