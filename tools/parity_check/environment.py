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
        before = torch.get_float32_matmul_precision()
        stack.callback(torch.set_float32_matmul_precision, before)
        torch.set_float32_matmul_precision("high" if tf32 else "highest")
        cudnn = torch.backends.cudnn.allow_tf32
        stack.callback(setattr, torch.backends.cudnn, "allow_tf32", cudnn)
        torch.backends.cudnn.allow_tf32 = tf32
        fast = torch.backends.mha.get_fastpath_enabled()
        stack.callback(torch.backends.mha.set_fastpath_enabled, fast)
        torch.backends.mha.set_fastpath_enabled(False)
        yield


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
