"""Records what a PyTorch model computes, module by module. One file, to copy where nothing can be
installed: it needs PyTorch alone.

    from record import record

    with record(model) as recording:
        model(batch)
    recording.save("model.pt")
    recording.case("encoder.lstm").save("lstm.pt")      # a fixture, for parity-check

`parity_check.record`, the package's, gives the same, and more: σ, gradients, other kinds of files,
a check that a second run gives the same bits, and warnings of what makes a weak reference. This
file is put together from the package by `tools/bundle_record.py`.
"""

import copy
import difflib
import json
import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import torch
from torch.nn.parallel import DataParallel, DistributedDataParallel
from torch.nn.utils import parametrize
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence, pad_packed_sequence
from torch.nn.utils.spectral_norm import SpectralNorm
from torch.nn.utils.weight_norm import WeightNorm
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_flatten, tree_leaves, tree_map
from torch.utils.weak import WeakIdKeyDictionary

FORMAT = "pytorch-parity/1"
Manifest = dict[str, Any]
Tensors = Mapping[str, Any]


class Case:
    """A fixture: a manifest with its tensors."""

    def __init__(self, manifest: Manifest, tensors: Any) -> None:
        self.manifest, self.tensors = manifest, tensors

    @classmethod
    def of(cls, own: Manifest, groups: Any, provenance: dict[str, Any]) -> "Case":
        manifest = {"format": FORMAT} | own | {"provenance": provenance}
        return cls({key: value for key, value in manifest.items() if value is not None},
                   {f"{group}/{name}": as_array(tensor)
                    for group, named in groups.items() for name, tensor in named.items()})

    def save(self, path: Path | str) -> Path:
        return write(path, self.manifest, self.tensors)


def as_array(tensor: torch.Tensor) -> torch.Tensor:
    return tensor.detach().cpu().contiguous()


def arithmetic_of(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")


def digest(tensors: Any) -> None:
    """Its bytes are NumPy's; a manifest need not have one."""


def write(path: Path | str, manifest: Manifest, tensors: Any) -> Path:
    """Writes a `.pt` file."""
    path = Path(path)
    if path.suffix != ".pt":
        raise ValueError(f"{path}: this file writes .pt alone; the package parity_check writes "
                         ".npz, .h5, .safetensors and folders too")
    text = json.dumps({key: value for key, value in manifest.items() if value is not None},
                      default=lambda value: value.item())
    new = path.with_name(f".{path.name}.new")
    torch.save({"manifest": text} | dict(tensors), new)
    new.replace(path)
    return path


# The modules that parity-check computes: what they were made with, and calling a recurrent one


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


# The tensors in what modules are given and give, by name.


def outputs_of(module: torch.nn.Module, result: Any) -> Named:
    """What a module gave, by the names that its tensors have behind its own: none for a single
    tensor, PyTorch's names for a recurrent module's, else positions and keys."""
    if not is_recurrent(module):
        return dict(tensors(result))
    if isinstance(module, torch.nn.RNNCellBase):
        return dict(zip(("h_n", "c_n"), result if isinstance(result, tuple) else (result,)))
    output, final = result
    if isinstance(output, PackedSequence):
        output, _ = pad_packed_sequence(output, batch_first=module.batch_first)
    states = final if isinstance(final, tuple) else (final,)
    return {"output": output} | dict(zip(("h_n", "c_n"), states))


def packed_in(module: torch.nn.Module, result: Any) -> Named:
    """The numbers of the packed sequences that a module gave, by the names of `outputs_of`."""
    if is_recurrent(module):
        is_packed = isinstance(result, tuple) and isinstance(result[0], PackedSequence)
        return {"output": result[0].data} if is_packed else {}
    return dict(packed_parts(result))


def inputs_of(module: torch.nn.Module, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Named:
    """What a module was given: of a recurrent one `input`, `h_0`, `c_0` and, where it was packed,
    `lengths`; of others the positions and keywords."""
    if is_recurrent(module):
        return recurrent_inputs(module, *args, **kwargs)
    return dict(tensors(args)) | dict(tensors(kwargs))


#: The positions of what a recurrent module is given.
RECURRENT_INPUTS = {"input": 0, "h_0": 1, "c_0": 2}


def recurrent_inputs(module: torch.nn.Module, input: Any, hx: Any = None) -> Named:
    named: Named = {"input": input}
    if isinstance(input, PackedSequence):
        padded, lengths = pad_packed_sequence(input, batch_first=module.batch_first)
        named = {"input": padded}
    if hx is not None:
        named |= dict(zip(("h_0", "c_0"), hx if isinstance(hx, tuple | list) else (hx,)))
    if isinstance(input, PackedSequence):
        named["lengths"] = lengths
    return named


def input_keys(given: Named) -> dict[str, str]:
    """What the values of a stage's inputs are called behind its name: `input.0` and so on by
    position, `input.NAME` of keyword arguments, and `lengths` of packed sequences."""
    return {name: name if name == "lengths" and "input" in given
            else f"input.{RECURRENT_INPUTS.get(name, name)}" for name in given}


def tensors(value: Any, name: str = "") -> Iterator[tuple[str, torch.Tensor]]:
    """All tensors in a value, by the keys and positions that lead to them, joined by dots."""
    if isinstance(value, torch.Tensor):
        yield name, value
    elif isinstance(value, PackedSequence):
        padded, lengths = pad_packed_sequence(value, batch_first=True)
        yield joined(name, "padded"), padded
        yield joined(name, "lengths"), lengths
    else:
        for key, item in parts(value):
            yield from tensors(item, joined(name, key))


def packed_parts(value: Any, name: str = "") -> Iterator[tuple[str, torch.Tensor]]:
    if isinstance(value, PackedSequence):
        yield joined(name, "padded"), value.data
    else:
        for key, item in parts(value):
            yield from packed_parts(item, joined(name, key))


def parts(value: Any) -> list[tuple[str, Any]]:
    if isinstance(value, Mapping):
        return [(str(key), item) for key, item in value.items()]
    if isinstance(value, tuple | list):
        fields = getattr(value, "_fields", range(len(value)))
        return [(str(key), item) for key, item in zip(fields, value, strict=True)]
    if hasattr(value, "__dataclass_fields__") and not isinstance(value, type):
        return [(key, getattr(value, key)) for key in value.__dataclass_fields__]
    return []


def joined(name: str, key: str) -> str:
    return f"{name}.{key}" if name else key


def is_transformed() -> bool:
    """Whether the code is called from within torch.vmap or a transform of torch.func, whose tensors
    stand for others."""
    return torch._C._functorch.peek_interpreter_stack() is not None


def unfit(tensor: torch.Tensor) -> str | None:
    """Why a tensor can't be kept; None of one that can."""
    if tensor.is_quantized:
        return f"a quantised tensor ({tensor.dtype})"
    if tensor.layout != torch.strided or tensor.is_nested:
        return "a sparse or nested tensor"
    if tensor.is_complex():
        return "complex numbers"
    if tensor.is_floating_point() and tensor.dtype.itemsize < 2:
        return f"numbers of the type {tensor.dtype}"
    return None


# Which value a tensor is: told by its storage, so that a view of a module's output is that


#: The element type, the offset in the storage, the shape and the strides.
Place = tuple[torch.dtype, int, tuple[int, ...], tuple[int, ...]]


class Flow:
    """The tensors that modules were given and gave, while they live.

    Each is held, since a storage that is given back would be another tensor's next.
    """

    def __init__(self) -> None:
        #: By storage and place in it: the name, the tensor, and its numbers when it was seen.
        self._values: dict[int, dict[Place, tuple[str, torch.Tensor, torch.Tensor]]] = {}

    def add(self, name: str, tensor: torch.Tensor, numbers: torch.Tensor) -> None:
        self._values.setdefault(storage(tensor), {})[place(tensor)] = name, tensor, numbers

    def find(self, tensor: torch.Tensor) -> tuple[str, bool] | None:
        """The value that the tensor is, or the smallest one that it is a view of, and whether it
        is all of that, element by element.

        None where it is no known one, and where what is known was changed in place since.
        """
        known = self._values.get(storage(tensor), {})
        if (same := known.get(place(tensor))) and same_numbers(same[1], same[2]):
            return same[0], True
        for name, whole, numbers in sorted(known.values(), key=lambda entry: entry[1].numel()):
            if covers(whole, tensor) and same_numbers(whole, numbers):
                return name, False
        return None


def storage(tensor: torch.Tensor) -> int:
    return tensor.untyped_storage()._cdata


def place(tensor: torch.Tensor) -> Place:
    return tensor.dtype, tensor.storage_offset(), tuple(tensor.shape), tensor.stride()


def covers(whole: torch.Tensor, part: torch.Tensor) -> bool:
    """Whether the elements of one tensor lie within the span of another in their storage."""
    (start, end), (first, last) = span(whole), span(part)
    return whole.dtype == part.dtype and start <= first and last <= end


def span(tensor: torch.Tensor) -> tuple[int, int]:
    """The places of its first and its last element, in elements."""
    start = tensor.storage_offset()
    steps = zip(tensor.shape, tensor.stride(), strict=True)
    return start, start + sum((size - 1) * stride for size, stride in steps if size > 0)


def same_numbers(a: torch.Tensor, b: torch.Tensor) -> bool:
    """Whether two tensors of one shape hold the same, NaN for NaN."""
    a = a.detach().to(b.device)
    return a.shape == b.shape and a.dtype == b.dtype and (
        torch.equal(a, b) or a.is_floating_point() and torch.equal(a.isnan(), b.isnan())
        and torch.equal(a.nan_to_num(), b.nan_to_num()))


# Which recorded values a tensor was made of, through what a model's own code does between its


class Lineage(TorchFunctionMode):
    """While it is entered, each tensor that a function of PyTorch makes inherits the values that
    the function's arguments were made of.

    It changes no result. Known tensors are held weakly.
    """

    def __init__(self) -> None:
        super().__init__()
        self._values: WeakIdKeyDictionary = WeakIdKeyDictionary()

    def name(self, tensor: torch.Tensor, value: str) -> None:
        """From now on, the tensor is this value."""
        self._values[tensor] = frozenset([value])

    def of(self, tensor: torch.Tensor) -> frozenset[str]:
        """The names of the values that a tensor is, or was made of."""
        return self._values.get(tensor, frozenset())

    def __torch_function__(
        self, function: Callable[..., Any], types: Iterable[type], args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        result = function(*args, **(kwargs or {}))
        given = [leaf for leaf in tree_leaves((args, kwargs)) if isinstance(leaf, torch.Tensor)]
        sources = frozenset().union(*(self.of(tensor) for tensor in given))
        if sources:
            made = [leaf for leaf in tree_leaves(result) if isinstance(leaf, torch.Tensor)]
            # x[0] = y gives nothing, and changes x.
            for tensor in made or (given[:1] if result is None else []):
                self._values[tensor] = sources
        return result


# Which modules of a model are its stages, and which models can't be recorded.


Choice = str | Iterable[str] | Callable[[str, torch.nn.Module], bool] | None


class RecordingError(Exception):
    """A model that can't be recorded, or a run of it that makes no reference; nothing is
    written."""


class RecordingWarning(UserWarning):
    """Something about a recording that makes it a weak reference."""


def chosen(model: torch.nn.Module, modules: Choice) -> dict[str, torch.nn.Module]:
    """The modules to record, by name: those that are named, or that a predicate takes; where
    nothing is said, each module without modules in it, and each recurrent one.

    A model that is such a module itself goes by the name of its class.
    """
    named = by_name(model)
    if modules is None:
        return {name: module for name, module in watched(model) if is_stage(module)}
    if callable(modules):
        taken = {name: module for name, module in watched(model) if modules(name, module)}
        if not taken:
            raise RecordingError(f"the predicate takes none of the {len(named)} modules")
        return taken
    names = [modules] if isinstance(modules, str) else list(modules)
    for name in names:
        if name not in named:
            near = difflib.get_close_matches(name, named, 3) or sorted(named)[:3]
            raise RecordingError(f"the model has no module {name!r}; it has {', '.join(near)}, …")
    return {name: named[name] for name in names}


def by_name(model: torch.nn.Module) -> dict[str, torch.nn.Module]:
    """All modules, those that have several names by each."""
    return {name or type(model).__name__: module
            for name, module in model.named_modules(remove_duplicate=False)}


def watched(model: torch.nn.Module) -> Iterable[tuple[str, torch.nn.Module]]:
    """All modules by name, but for those that make a parametrized module's weights."""
    for name, module in model.named_modules():
        if "parametrizations" not in name.split("."):
            yield name or type(model).__name__, module


def is_stage(module: torch.nn.Module) -> bool:
    """Some modules have others in them for their parameters, and never call them."""
    holders = torch.nn.ParameterList | torch.nn.ParameterDict
    return (is_recurrent(module) or isinstance(module, torch.nn.MultiheadAttention)
            or type(module).__module__.startswith("torch.ao.nn.")
            or not isinstance(module, holders) and all(
                name == "parametrizations" or isinstance(child, holders)
                for name, child in module.named_children()))


def check(model: torch.nn.Module, training: bool) -> None:
    """Raises RecordingError, with what to do, for a model that can't be recorded."""
    if not isinstance(model, torch.nn.Module):
        raise RecordingError(f"a torch.nn.Module is recorded, not {type(model).__name__}")
    if isinstance(model, torch.jit.ScriptModule):
        raise RecordingError("a scripted or traced model hides its modules: record the model "
                             "that torch.jit was given")
    for name, module in model.named_modules():
        own = f"model.{name}" if name else "model"
        if hasattr(module, "_orig_mod"):
            raise RecordingError("a compiled model hides its modules: record "
                                 f"{own}._orig_mod" + (" in its place" if name else ""))
        if getattr(module, "_compiled_call_impl", None) is not None:
            raise RecordingError(f"{own} is compiled, which hides its modules: record a model "
                                 "of which compile() was not called")
        if isinstance(module, DataParallel | DistributedDataParallel):
            raise RecordingError(f"a model on several devices at once: record {own}.module")
        if isinstance(module, torch.jit.ScriptModule):
            raise RecordingError(f"{name} is scripted or traced, which hides its modules")
        if module.training and not training:
            raise RecordingError(
                f"{name or 'the model'} is in training mode, where dropout and batch norms "
                "compute something else: call model.eval(), or say training=True")
    for name, tensor in [*model.named_parameters(), *model.named_buffers()]:
        if isinstance(tensor, torch.nn.parameter.UninitializedTensorMixin):
            raise RecordingError(f"{name} has no numbers yet: call the model once before")
        if tensor.is_meta:
            raise RecordingError(f"{name} is on the device meta and has no numbers")
        if hasattr(tensor, "device_mesh") or hasattr(tensor, "local_shards"):
            raise RecordingError(f"{name} is sharded over several devices: gather it first")


# The ways of computing that PyTorch chooses by itself, fixed while a reference is made.


@contextmanager
def as_written(tf32: bool = False) -> Iterator[None]:
    """Products in the precision of their operands, and encoders computed module by module.

    TF32 and the fused encoder of `nn.TransformerEncoderLayer`, which skips its modules, are off;
    with `tf32` products may use it. What was set before is set again.
    """
    with ExitStack() as stack:
        for holder, name, value in precisions(tf32):
            stack.callback(setattr, holder, name, getattr(holder, name))
            setattr(holder, name, value)
        fast = torch.backends.mha.get_fastpath_enabled()
        stack.callback(torch.backends.mha.set_fastpath_enabled, fast)
        torch.backends.mha.set_fastpath_enabled(False)
        yield


def precisions(tf32: bool) -> Iterator[tuple[Any, str, Any]]:
    """The settings of PyTorch that allow TF32, and what they are set to. Where somebody has used
    the newer ones, of each operator, PyTorch refuses to be asked in the older way."""
    backends = torch.backends
    older = [(backends.cuda.matmul, "allow_tf32", tf32), (backends.cudnn, "allow_tf32", tf32)]
    try:
        for holder, name, _ in older:
            getattr(holder, name)
        yield from older
    except RuntimeError:
        for holder in (backends.cuda.matmul, backends.cudnn.conv, backends.cudnn.rnn):
            yield holder, "fp32_precision", "tf32" if tf32 else "ieee"


def refuse_autocast(device: torch.device) -> None:
    """Raises RecordingError inside of an autocast, which rounds to another type unseen."""
    if torch.is_autocast_enabled(device.type):
        raise RecordingError(
            "autocast is on, so that modules compute in another type than their own: leave it "
            "out, or convert the model, as with model.bfloat16(), to record that arithmetic")


def provenance(tensors: list[torch.Tensor], training: bool, tf32: bool) -> dict[str, Any]:
    """Where and how a recording was made, for people to read."""
    devices = sorted({str(tensor.device) for tensor in tensors}) or ["cpu"]
    found = {
        "torch": torch.__version__.split("+")[0],
        "device": ", ".join(devices),
        "threads": torch.get_num_threads(),
        "onednn": torch.backends.mkldnn.is_available() and torch.backends.mkldnn.enabled,
        "training": training,
        "tf32": "on, as asked for" if tf32 else "off: it rounds what is multiplied to 11 bits",
        "fused_encoders": "off: they skip the modules",
    }
    if any(tensor.is_cuda for tensor in tensors):
        found["gpu"] = torch.cuda.get_device_name()
        found["cudnn"] = torch.backends.cudnn.version()
    return found


# Watching a model's modules while it runs, by hooks.


@dataclass(frozen=True)
class Call:
    """One call of one module."""

    #: The module's name in the model, and which of its calls this is, from 1.
    module_name: str
    number: int
    module: torch.nn.Module

    @property
    def name(self) -> str:
        """`encoder.lstm`, and `encoder.lstm#2` of its second call."""
        return self.module_name if self.number == 1 else f"{self.module_name}#{self.number}"


class Observer(Protocol):
    """What is told of a run."""

    def entered(self, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """A module is called from outside of the model: by the user's own code."""

    def before(self, call: Call, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None: ...

    def after(self, call: Call, outputs: Named, packed: Named) -> None:
        """`packed` are the numbers of the packed sequences among the outputs, as the module gave
        them."""

    def abandoned(self, call: Call) -> None:
        """A call ended with an exception, which the model may have caught."""


class Capture:
    """Tells an observer of each call of the chosen modules, as long as it is entered.

    Its hooks change nothing, and are gone when it is left; copies of the model that were made
    meanwhile keep them, where they do nothing.
    """

    def __init__(
        self, model: torch.nn.Module, chosen: Mapping[str, torch.nn.Module], observer: Observer
    ) -> None:
        self._model, self._chosen, self._observer = model, chosen, observer
        self._counts: Counter[str] = Counter()
        self._running: list[torch.nn.Module] = []
        self._open: list[Call] = []
        self._is_on = False

    def __enter__(self) -> "Capture":
        with ExitStack() as stack:
            def add(handle: torch.utils.hooks.RemovableHandle) -> None:
                stack.callback(handle.remove)

            for name, module in watched(self._model):
                add(module.register_forward_pre_hook(
                    self._entry_hook(name), with_kwargs=True, prepend=True))
            for name, module in self._chosen.items():
                add(module.register_forward_pre_hook(self._before_hook(name), with_kwargs=True))
                add(module.register_forward_hook(self._after))
            for _, module in watched(self._model):
                add(module.register_forward_hook(self._left, always_call=True))
            self._stack = stack.pop_all()
        self._is_on = True
        return self

    def __exit__(self, *error: object) -> None:
        self._is_on = False
        self._stack.close()

    def _entry_hook(self, name: str):
        def entry(module: torch.nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
            if self._is_on:
                self._running.append(module)
                if len(self._running) == 1:
                    self._observer.entered(name, args, kwargs)

        return entry

    def _left(self, module: torch.nn.Module, args: tuple[Any, ...], result: Any) -> None:
        if not self._is_on or not self._running:
            return
        self._running.pop()
        # A call that is still open here has failed.
        while self._open and self._open[-1].module is module and not any(
                running is module for running in self._running):
            self._observer.abandoned(self._open.pop())

    def _before_hook(self, name: str):
        def before(module: torch.nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
            if self._is_on:
                self._counts[name] += 1
                call = Call(name, self._counts[name], module)
                self._open.append(call)
                self._observer.before(call, args, kwargs)

        return before

    def _after(self, module: torch.nn.Module, args: tuple[Any, ...], result: Any) -> None:
        if self._is_on:
            self._observer.after(
                self._open.pop(), outputs_of(module, result), packed_in(module, result))


# A model as it was when its recording began, to run the same calls again.


def copied(value: Any) -> Any:
    """The value with copies of its tensors, one for each; what else it holds that may change is
    copied where that is possible."""
    memo: dict[int, Any] = {}

    def of(item: Any) -> Any:
        if id(item) not in memo:
            memo[id(item)] = copy_of(item)
        return memo[id(item)]

    return tree_map(of, value, is_leaf=lambda item: isinstance(item, PackedSequence))


def copy_of(item: Any) -> Any:
    if isinstance(item, torch.Tensor):
        return item.detach().clone().requires_grad_(item.requires_grad)
    if isinstance(item, PackedSequence):
        return item._replace(data=copy_of(item.data))
    try:
        return copy.deepcopy(item)
    except Exception:
        return item


# What was recorded, and how it is saved.


@dataclass
class Stage:
    """One call of a module."""

    #: `encoder.lstm`, and `encoder.lstm#2` of its second call.
    name: str
    module_name: str
    call: int
    #: The module's class.
    kind: str
    #: The names of the values that it was given, by position, and that it gave.
    inputs: list[str] = field(default_factory=list)
    outputs: list[str] = field(default_factory=list)
    #: The same by the names of keyword arguments.
    keywords: dict[str, str] = field(default_factory=dict)
    #: Where an input is a view of a part of the value, or in another order: by position or
    #: keyword the value that holds it as the module was given it.
    views: dict[str, str] = field(default_factory=dict)
    #: The value that holds the lengths of packed sequences.
    lengths: str | None = None
    packed: dict[str, Any] | None = None
    #: Of a module that parity-check computes: the constructor's arguments, the parameters, and
    #: what a case of it is made of.
    arguments: dict[str, Any] | None = None
    state_dict: Named = field(default_factory=dict)
    given: Named = field(default_factory=dict)
    results: Named = field(default_factory=dict)

    def __repr__(self) -> str:
        return f"<Stage {self.name} ({self.kind})>"

    @property
    def is_recurrent(self) -> bool:
        return bool(self.given)

    def entry(self) -> Manifest:
        """As the manifest lists it."""
        entry = {
            "name": self.module_name, "call": self.call if self.call > 1 else None,
            "module": self.kind, "arguments": self.arguments, "packed": self.packed,
            "inputs": self.inputs, "keywords": self.keywords or None,
            "views": self.views or None, "lengths": self.lengths, "outputs": self.outputs,
        }
        return {key: value for key, value in entry.items() if value is not None}


@dataclass
class Recording:
    """The values that went from module to module, with what they are by name."""

    provenance: dict[str, Any]
    tf32: bool = False
    #: What the errors of sigmoid, tanh and the like are taken to be small beside: their results
    #: ("relative"), or 1 ("absolute").
    activations: str = "relative"
    #: In the order of execution.
    stages: list[Stage] = field(default_factory=list)
    values: Named = field(default_factory=dict)
    #: For values that the model's own code made between its modules, those that they were made of.
    derived: dict[str, list[str]] = field(default_factory=dict)
    #: The rounding error to expect of each value, where it was measured.
    sigma: Named = field(default_factory=dict)
    #: Gradients of the loss by values and by parameters, and the rounding error of each.
    gradients: Named = field(default_factory=dict)
    gradient_sigma: Named = field(default_factory=dict)
    #: The number of replicas that σ was measured with; and why a value has no σ.
    replicas: int = 0
    without_sigma: dict[str, str] = field(default_factory=dict)
    #: Whether the block has ended, and nothing was refused.
    is_complete: bool = False

    def __repr__(self) -> str:
        sigma = f", σ by {self.replicas} replicas" if self.replicas else ""
        return f"<Recording of {len(self.stages)} stages, {len(self.values)} values{sigma}>"

    @property
    def arithmetic(self) -> str:
        """What most of the modules' results are computed in, by the manifest's names."""
        found = [self.values[name].dtype for stage in self.stages for name in stage.outputs]
        floating = [dtype for dtype in found if dtype.is_floating_point]
        # Of types that are as frequent, the first.
        most = Counter(floating).most_common(1)[0][0] if floating else torch.float32
        return "tf32" if self.tf32 and most == torch.float32 else arithmetic_of(most)

    def case(self, name: str, call: int = 1) -> Case:
        """One call of a recurrent module as a fixture that parity-check judges by itself.

        Raises KeyError where there is no such call, and ValueError for a module of another kind.
        """
        stage = next((s for s in self.stages if (s.module_name, s.call) == (name, call)), None)
        if stage is None:
            raise KeyError(self._absence(name, call))
        if not stage.is_recurrent:
            raise ValueError(f"{name} is {stage.kind}; a case is of a recurrent module")
        groups = {"state_dict": stage.state_dict, "inputs": stage.given,
                  "outputs": stage.results}
        dtype = stage.results["h_n"].dtype
        is_coarse = dtype == torch.bfloat16 or self.tf32 and dtype == torch.float32
        manifest = {
            "module": stage.kind, "arguments": stage.arguments, "packed": stage.packed,
            "arithmetic": None if not is_coarse else "tf32" if self.tf32 and dtype == torch.float32
            else arithmetic_of(dtype),
            "description": f"{stage.name}, as its model called it",
        }
        return Case.of(manifest, groups, self.provenance)

    def _absence(self, name: str, call: int) -> str:
        """Why there is no such call of a module."""
        calls = sum(stage.module_name == name for stage in self.stages)
        if calls:
            times = "once" if calls == 1 else f"{calls} times"
            return f"{name} was called {times}; there is no call {call}"
        recurrent = dict.fromkeys(s.module_name for s in self.stages if s.is_recurrent)
        return f"no module {name} was called; recurrent ones: {', '.join(recurrent) or 'none'}"

    def manifest(self) -> Manifest:
        return self.description() | {"digest": digest(self.arrays())}

    def description(self) -> Manifest:
        """The manifest without the digest, which takes as long as the recording is large."""
        return {
            "format": FORMAT, "module": "Recording",
            "stages": [stage.entry() for stage in self.stages], "derived": self.derived,
            "arithmetic": self.arithmetic,
            **({"activations": self.activations} if self.activations != "relative" else {}),
            **({"replicas": self.replicas} if self.replicas else {}),
            **({"without_sigma": self.without_sigma} if self.without_sigma else {}),
            "provenance": self.provenance,
        }

    def arrays(self) -> Tensors:
        """All that is saved, by name."""
        return {name: as_array(tensor) for name, tensor in self._tensors()}

    def _tensors(self) -> Iterator[tuple[str, torch.Tensor]]:
        groups = {"values": self.values, "sigma": self.sigma, "grad": self.gradients,
                  "grad_sigma": self.gradient_sigma}
        for group, named in groups.items():
            for name, tensor in named.items():
                yield f"{group}/{name}", tensor
        for stage in self.stages:
            if stage.call == 1:
                for name, tensor in stage.state_dict.items():
                    yield f"state_dict/{stage.module_name}.{name}", tensor

    def save(self, path: Path | str) -> Path:
        """Writes the recording to a file, or a folder, as the path's ending says: see
        `containers.write`.

        The recording of a recurrent module itself, called once, is written as a fixture. Raises
        RecordingError before the block has ended, and where it was refused.
        """
        if not self.is_complete:
            raise RecordingError("nothing to save: the block has not ended, or was refused")
        if len(self.stages) == 1 and self.stages[0].is_recurrent:
            return self.case(self.stages[0].module_name).save(path)
        return write(path, self.manifest(), self.arrays())


# What is kept of a run of a model.


#: How many stages back the value is looked for that was packed.
PACKED_WITHIN = 50


@dataclass(frozen=True)
class Entry:
    """A call that the user's code made of the model, or of one of its modules."""

    name: str
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    #: The values that it was given by the model before, by their places among its leaves.
    links: dict[int, str]
    #: Whether PyTorch kept what a backward pass needs: oneDNN computes otherwise then.
    with_gradients: bool
    #: The state of the random numbers on the CPU.
    random_state: torch.Tensor


class Recorder:
    """The observer that fills a recording."""

    def __init__(self, recording: Recording, chosen: Mapping[str, torch.nn.Module]) -> None:
        self.recording = recording
        self.entries: list[Entry] = []
        #: The names of values by those of a call and of its input or output.
        self.names: dict[tuple[str, str], str] = {}
        #: Told before there are hooks of ours: what somebody else's hooks change is no result of
        #: the module.
        self._arguments = {name: arguments(module) for name, module in chosen.items()}
        self._flow = Flow()
        #: To be entered while the model runs.
        self.lineage = Lineage()
        self._open: list[Stage] = []
        self._state_dicts: dict[str, Named] = {}

    def entered(self, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        if is_transformed():
            raise RecordingError(
                "the model is called from within torch.vmap or torch.func, whose tensors stand for "
                "others: call it without that in the block")
        number = len(self.entries) + 1
        links = {}
        for index, leaf in enumerate(leaves(args, kwargs)):
            found = self._flow.find(leaf) if fits(leaf) else None
            if found is not None and found[1]:
                links[index] = found[0]
        self.entries.append(Entry(name, *copied((args, kwargs)), links, torch.is_grad_enabled(),
                                  torch.get_rng_state()))
        named = dict(tensors(args)) | dict(tensors(kwargs))
        suffix = "" if number == 1 else f"#{number}"
        for key, tensor in named.items():
            is_alone = len(named) == 1 and key == "0"
            value = f"input{suffix}" if is_alone else f"input{suffix}.{key}"
            if fits(tensor) and self._flow.find(tensor) is None:
                self._keep_derived(value, tensor)

    def before(self, call: Call, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        if is_transformed():
            self._open.append(Stage(call.name, call.module_name, call.number, kind(call.module)))
            return
        given = {name: tensor for name, tensor in inputs_of(call.module, args, kwargs).items()
                 if fits(tensor)}
        for tensor in given.values():
            refuse_autocast(tensor.device)
        stage = Stage(call.name, call.module_name, call.number, kind(call.module))
        stage.arguments = self._arguments[call.module_name]
        if stage.arguments is not None and is_recurrent(call.module):
            # Before the module runs: an input may be changed in place later.
            stage.given = {name: kept_copy(tensor) for name, tensor in given.items()}
            stage.packed = packing(args, kwargs)
        for name, key in input_keys(given).items():
            self._feed(stage, key, given[name])
        self._open.append(stage)

    def after(self, call: Call, outputs: Named, packed: Named) -> None:
        stage = self._open.pop()
        if is_transformed():
            self._warn(f"{call.name} is called from within torch.vmap or torch.func, and is left "
                       "out")
            return
        results = {}
        for key, tensor in outputs.items():
            if reason := unfit(tensor):
                self._warn(f"{call.name} gives {reason}, which is left out")
                continue
            name = self._keep(f"{call.name}/{key}" if key else call.name, tensor)
            self.names[call.name, key] = name
            results[key] = self.recording.values[name]
            stage.outputs.append(name)
            if key in packed:
                self.lineage.name(packed[key], name)
        if not outputs:
            self._warn(f"{call.name} gives no tensor, and is left out")
        if not stage.outputs:
            return
        if stage.arguments is not None:
            stage.state_dict = self._state_dict(call)
            stage.results = results
        self.recording.stages.append(stage)

    def abandoned(self, call: Call) -> None:
        self._open.pop()

    def _feed(self, stage: Stage, key: str, tensor: torch.Tensor) -> None:
        """Adds an input to a stage: the value that it is or is a view of, or else a new one. A
        view in another order or of a part is kept as well, since its module can't be computed
        from the whole."""
        found = self._flow.find(tensor)
        if found is None and stage.packed is not None and key == "input.0":
            packed = self._packed(stage)
            found = (packed, True) if packed else None
        if found is None:
            found = self._keep_derived(f"{stage.name}/{key}", tensor), True
            self.names[stage.name, key] = found[0]
        name, is_whole = found
        position = key.removeprefix("input.")
        if key == "lengths":
            stage.lengths = name
        elif position.isdigit():
            stage.inputs.append(name)
        else:
            stage.keywords[position] = name
        if not is_whole:
            view = self._keep(f"{stage.name}/{key}", tensor, is_view=True)
            self.names[stage.name, key] = view
            stage.views[position] = view

    def _packed(self, stage: Stage) -> str | None:
        """The value whose sequences a stage was given: packing copies them, so that it is told by
        its numbers."""
        padded, lengths = stage.given["input"], stage.given["lengths"]
        batch = padded if stage.arguments["batch_first"] else padded.transpose(0, 1)
        for before in reversed(self.recording.stages[-PACKED_WITHIN:]):
            for name in before.outputs:
                value = self.recording.values[name]
                if value.dim() == 3 and (same_sequences(value, batch, lengths)
                                         or same_sequences(value.transpose(0, 1), batch, lengths)):
                    return name
        return None

    def _state_dict(self, call: Call) -> Named:
        """Copies of the parameters, the same as of the module's last call where they are equal."""
        now, last = parameters(call.module), self._state_dicts.get(call.module_name)
        if last is None or now.keys() != last.keys() or not all(
                same_numbers(now[name], last[name]) for name in now):
            last = {name: kept_copy(tensor) for name, tensor in now.items()}
            self._state_dicts[call.module_name] = last
        return last

    def _keep_derived(self, name: str, tensor: torch.Tensor) -> str:
        """Keeps a value that no module gave, and says what it was made of."""
        sources = self.lineage.of(tensor)
        name = self._keep(name, tensor)
        if sources:
            self.recording.derived[name] = sorted(sources)
        return name

    def _keep(self, name: str, tensor: torch.Tensor, is_view: bool = False) -> str:
        """Keeps a copy under this name, or under one with marks behind it where that is taken. A
        view stays known as one of what it is a view of."""
        while name in self.recording.values:
            name += "'"
        self.recording.values[name] = kept_copy(tensor)
        if not is_view:
            self._flow.add(name, tensor, self.recording.values[name])
            self.lineage.name(tensor, name)
        return name

    def _warn(self, text: str) -> None:
        warnings.warn(text, RecordingWarning, stacklevel=2)


def leaves(args: tuple[Any, ...], kwargs: dict[str, Any]) -> list[Any]:
    return tree_flatten((args, kwargs))[0]


def fits(value: Any) -> bool:
    return isinstance(value, torch.Tensor) and unfit(value) is None


def kept_copy(tensor: torch.Tensor) -> torch.Tensor:
    return tensor.detach().to("cpu", copy=True).contiguous()


def packing(args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> dict[str, Any] | None:
    """What a manifest says of packed sequences."""
    for value in (*args, *kwargs.values()):
        if isinstance(value, PackedSequence):
            return {"enforce_sorted": value.sorted_indices is None}
    return None


def same_sequences(a: torch.Tensor, b: torch.Tensor, lengths: torch.Tensor) -> bool:
    """Whether two padded batches (B, T, I) hold the same, up to each sequence's length."""
    steps = int(lengths.max())
    return (a.dtype == b.dtype and len(a) == len(b) == len(lengths)
            and min(a.shape[1], b.shape[1]) >= steps and a.shape[2] == b.shape[2]
            and all(torch.equal(x[:n], y[:n]) for x, y, n in zip(a, b, lengths.tolist())))


def check_calls(recording: Recording, modules: Choice, chosen: Iterable[str]) -> None:
    """Raises RecordingError where nothing was recorded, or nothing of a module that is named."""
    called = {stage.module_name for stage in recording.stages}
    if not called:
        raise RecordingError("no module of the model was called in the block, or none gave a "
                             "tensor that can be kept")
    if modules is not None and not callable(modules):
        for name in chosen:
            if name not in called:
                raise RecordingError(f"{name} was not called in the block, or gave no tensor "
                                     "that can be kept")


@contextmanager
def record(
    model: torch.nn.Module, modules: Choice = None, *, training: bool = False, tf32: bool = False,
) -> Iterator[Recording]:
    """Records what the modules of a model are given and give while the block runs.

    Recorded is each module without modules in it, each recurrent one, and each attention; with
    `modules` those that are named, or for which a function of name and module is true. All is
    copied when it is seen. Raises RecordingError for a model that can't be recorded, and where a
    module that is named is never called.
    """
    check(model, training)
    selected = chosen(model, modules)
    tensors = [*model.parameters(), *model.buffers()]
    recording = Recording(provenance(tensors, training, tf32), tf32)
    recorder = Recorder(recording, selected)
    with as_written(tf32), recorder.lineage, Capture(model, selected, recorder):
        yield recording
    check_calls(recording, modules, selected)
    recording.is_complete = True
