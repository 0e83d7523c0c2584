"""The ways of computing that PyTorch chooses by itself, fixed while a reference is made."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import torch

from parity_check.selection import RecordingError


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


@contextmanager
def without_libraries() -> Iterator[None]:
    """Without oneDNN and cuDNN, which do the work of several operators at once."""
    onednn, cudnn = torch._C._get_mkldnn_enabled(), torch._C._get_cudnn_enabled()
    try:
        torch._C._set_mkldnn_enabled(False)
        torch._C._set_cudnn_enabled(False)
        yield
    finally:
        torch._C._set_mkldnn_enabled(onednn)
        torch._C._set_cudnn_enabled(cudnn)


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
