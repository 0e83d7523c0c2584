"""Records what a PyTorch model computes, module by module. One file, to copy where nothing can be
installed: it needs PyTorch alone.

    from record import record

    with record(model) as recording:
        model(batch)
    recording.save("model.pt")

`parity_check.record`, the package's, writes the same, and more: σ, gradients, other kinds of
files, and warnings of what makes a weak reference.
"""

import json
from contextlib import contextmanager

import torch
from torch import nn
from torch.nn.utils.rnn import PackedSequence, pad_packed_sequence

RECURRENT = (nn.LSTM, nn.GRU, nn.RNN, nn.LSTMCell, nn.GRUCell, nn.RNNCell)
#: Modules that parity-check computes beside those, with what a manifest says of them.
OTHERS = {nn.Embedding: ("num_embeddings", "embedding_dim", "padding_idx"),
          nn.Linear: ("in_features", "out_features"), nn.Softmax: ("dim",), nn.LogSoftmax: ("dim",)}


@contextmanager
def record(model, modules=None):
    """Records each module without modules in it, each recurrent one and each attention, or those
    whose names are given, while the block runs."""
    if model.training:
        raise ValueError("the model is in training mode: call model.eval()")
    recording = Recording(model)
    named = {name or type(model).__name__: module for name, module in model.named_modules()
             if "parametrizations" not in name.split(".")}
    handles = [model.register_forward_pre_hook(recording.entered, with_kwargs=True)]
    for name, module in named.items():
        if name in modules if modules else is_stage(module):
            handles += recording.hooks(name, module)
    fast = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)  # It would skip an encoder's modules.
    try:
        yield recording
    finally:
        torch.backends.mha.set_fastpath_enabled(fast)
        for handle in handles:
            handle.remove()


def is_stage(module):
    return (isinstance(module, (*RECURRENT, nn.MultiheadAttention))
            or all(name == "parametrizations" for name, _ in module.named_children()))


class Recording:
    """The values that went from module to module, by name, and the modules' calls in order."""

    def __init__(self, model):
        self.values, self.stages, self.state_dict = {}, [], {}
        self._known, self._open, self._entries = {}, [], 0
        self._device = next((str(p.device) for p in model.parameters()), "cpu")

    def save(self, path):
        """Writes a `.pt` file that parity-check reads."""
        dtypes = [self.values[name].dtype for stage in self.stages for name in stage["outputs"]]
        floating = [dtype for dtype in dtypes if dtype.is_floating_point] or [torch.float32]
        manifest = {
            "format": "pytorch-parity/1", "module": "Recording", "stages": self.stages,
            "arithmetic": str(max(set(floating), key=floating.count)).removeprefix("torch."),
            "provenance": {"torch": torch.__version__.split("+")[0], "device": self._device,
                           "threads": torch.get_num_threads()}}
        tensors = {f"values/{name}": tensor for name, tensor in self.values.items()}
        tensors |= {f"state_dict/{name}": tensor for name, tensor in self.state_dict.items()}
        torch.save({"manifest": json.dumps(manifest)} | tensors, path)

    def entered(self, model, args, kwargs):
        self._entries += 1
        suffix = "" if self._entries == 1 else f"#{self._entries}"
        named = dict(tensors(args)) | dict(tensors(kwargs))
        for key, tensor in named.items():
            is_alone = len(named) == 1 and key == "0"
            if self._name(tensor) is None:
                self._keep(f"input{suffix}" if is_alone else f"input{suffix}.{key}", tensor)

    def hooks(self, name, module):
        calls = []

        def before(module, args, kwargs):
            calls.append(name if not calls else f"{name}#{len(calls) + 1}")
            stage = {"name": name, "call": len(calls), "module": kind(module),
                     "arguments": arguments(module), "packed": packing(args, kwargs)}
            given = inputs(module, args, kwargs)
            names = {}
            for index, (key, tensor) in enumerate(given.items()):
                names[key] = self._name(tensor)
                if names[key] is None and stage["packed"] and key == "input":
                    names[key] = self._packed(module, tensor, given["lengths"])
                if names[key] is None:
                    end = key if key == "lengths" else f"input.{index}"
                    names[key] = self._keep(f"{calls[-1]}/{end}", tensor)
            stage["lengths"] = names.pop("lengths", None) if stage["packed"] else None
            self._open.append((calls[-1], stage | {"inputs": list(names.values())}))

        def after(module, args, kwargs, result):
            call, stage = self._open.pop()
            stage["outputs"] = [self._keep(f"{call}/{key}" if key else call, tensor)
                                for key, tensor in outputs(module, result).items()]
            if not stage["outputs"]:
                return
            if stage["arguments"] is not None and stage["call"] == 1:
                self.state_dict |= {f"{name}.{key}": copy(tensor)
                                    for key, tensor in parameters(module).items()}
            if stage["call"] == 1:
                stage["call"] = None
            self.stages.append({key: value for key, value in stage.items() if value is not None})

        return [module.register_forward_pre_hook(before, with_kwargs=True),
                module.register_forward_hook(after, with_kwargs=True)]

    def _keep(self, name, tensor):
        self.values[name] = copy(tensor)
        # Held, since a storage that is given back would be another tensor's next.
        self._known[tensor.untyped_storage()._cdata] = (name, tensor, version(tensor))
        return name

    def _name(self, tensor):
        """The value that a tensor is a view of, if it was not changed since."""
        found = self._known.get(tensor.untyped_storage()._cdata)
        is_same = found is not None and found[2] is not None and found[2] == version(tensor)
        return found[0] if is_same else None

    def _packed(self, module, padded, lengths):
        """The value whose sequences were packed, which copies them."""
        padded = copy(padded if module.batch_first else padded.transpose(0, 1))
        for stage in reversed(self.stages):
            for name in stage["outputs"]:
                value = self.values[name]
                for batch in (value, value.transpose(0, 1)) if value.dim() == 3 else ():
                    if (batch.dtype == padded.dtype and len(batch) == len(padded)
                            and batch.shape[1] >= max(lengths) and batch.shape[2] == padded.shape[2]
                            and all(torch.equal(a[:n], b[:n])
                                    for a, b, n in zip(batch, padded, lengths.tolist()))):
                        return name
        return None


def copy(tensor):
    return tensor.detach().to("cpu", copy=True).contiguous()


def version(tensor):
    return None if tensor.is_inference() else tensor._version


def kind(module):
    is_parametrized = hasattr(module, "parametrizations")
    return (type(module).__bases__[0] if is_parametrized else type(module)).__name__


def arguments(module):
    """The constructor's arguments of a module that parity-check computes."""
    if isinstance(module, RECURRENT):
        names = ["input_size", "hidden_size", "num_layers", "bias", "batch_first", "dropout",
                 "bidirectional", "proj_size", "nonlinearity"]
        if not isinstance(module, nn.LSTM):
            names.remove("proj_size")
        return {name: getattr(module, name) for name in names if hasattr(module, name)}
    for other, names in OTHERS.items():
        if isinstance(module, other):
            found = {name: getattr(module, name) for name in names}
            found = {name: value for name, value in found.items() if value is not None}
            return found | ({"bias": False} if other is nn.Linear and module.bias is None else {})
    return None


def parameters(module):
    """The weights and biases that a module computes with, by their names in a state_dict."""
    if isinstance(module, nn.RNNBase):
        return {name: getattr(module, name) for name in module._flat_weights_names}
    names = ["weight", "bias", "weight_ih", "weight_hh", "bias_ih", "bias_hh"]
    found = {name: getattr(module, name, None) for name in names}
    return {name: tensor for name, tensor in found.items() if isinstance(tensor, torch.Tensor)}


def inputs(module, args, kwargs):
    if not isinstance(module, RECURRENT):
        return dict(tensors(args)) | dict(tensors(kwargs))
    given = dict(zip(("input", "hx"), args)) | kwargs
    x, state = given["input"], given.get("hx")
    lengths = {}
    if isinstance(x, PackedSequence):
        x, lengths["lengths"] = pad_packed_sequence(x, batch_first=module.batch_first)
    states = () if state is None else state if isinstance(state, (tuple, list)) else (state,)
    return {"input": x} | dict(zip(("h_0", "c_0"), states)) | lengths


def outputs(module, result):
    if not isinstance(module, RECURRENT):
        return dict(tensors(result))
    if isinstance(module, nn.RNNCellBase):
        return dict(zip(("h_n", "c_n"), result if isinstance(result, tuple) else (result,)))
    output, final = result
    if isinstance(output, PackedSequence):
        output, _ = pad_packed_sequence(output, batch_first=module.batch_first)
    return {"output": output} | dict(zip(("h_n", "c_n"),
                                         final if isinstance(final, tuple) else (final,)))


def packing(args, kwargs):
    for value in (*args, *kwargs.values()):
        if isinstance(value, PackedSequence):
            return {"enforce_sorted": value.sorted_indices is None}
    return None


def tensors(value, name=""):
    """All tensors in a value, by the keys and positions that lead to them."""
    if isinstance(value, torch.Tensor):
        yield name, value
    elif isinstance(value, PackedSequence):
        padded, lengths = pad_packed_sequence(value, batch_first=True)
        yield f"{name}.padded".lstrip("."), padded
        yield f"{name}.lengths".lstrip("."), lengths
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from tensors(item, f"{name}.{key}".lstrip("."))
    elif isinstance(value, (tuple, list)):
        for key, item in zip(getattr(value, "_fields", range(len(value))), value):
            yield from tensors(item, f"{name}.{key}".lstrip("."))
