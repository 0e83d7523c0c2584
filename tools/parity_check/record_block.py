"""The block in which a PyTorch model is recorded, module by module."""

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch

from parity_check.capture import Capture
from parity_check.environment import as_written, provenance
from parity_check.recorder import Recorder, check_calls
from parity_check.recording import Recording
from parity_check.rerun import Rerun
from parity_check.selection import Choice, RecordingError, RecordingWarning, check, chosen
from parity_check.snapshot import Snapshot
from parity_check.weaknesses import findings


@contextmanager
def record(
    model: torch.nn.Module, modules: Choice = None, *, noise: int = 0,
    loss: Callable[[Any], torch.Tensor] | None = None, training: bool = False,
    tf32: bool = False, deterministic: bool = True, activations: str = "relative",
) -> Iterator[Recording]:
    """Records what the modules of a model are given and give while the block runs.

        with parity_check.record(model) as recording:
            model(batch)
        recording.save("model.safetensors")

    Recorded is each module without modules in it, each recurrent one, and each attention; with
    `modules` those that are named, or for which a function of name and module is true. All is
    copied when it is seen. The calls that the block makes of the model run once more at its end,
    of a copy of the model, and where a module then gives other bits the recording is refused.

    - `noise`: so many replicas, 16 say, of these calls measure σ, the rounding error that is to
      be expected of each number; each takes many times as long as a call.
    - `loss`: takes what the model gives to a scalar; its gradients by the outputs of modules and
      by parameters are recorded too.
    - `training`: records a model in training mode; `tf32`: lets a GPU round what it multiplies to
      11 bits; `deterministic=False`: keeps what differs from run to run, which then has no σ.
    - `activations="absolute"`: σ is for an implementation whose sigmoid, tanh and the like are
      accurate beside 1, and not beside small results, as ONNX Runtime's are.

    Raises RecordingError for a model that can't be recorded, where a module that is named is never
    called, and where the calls are not deterministic. RecordingWarning names what makes a weak
    reference. Results of the model are the same bits as without, but for `as_written`.
    """
    check(model, training)
    if noise < 0:
        raise ValueError(f"noise={noise}: give a number of replicas, such as 16, or 0 for none")
    if activations not in ("relative", "absolute"):
        raise ValueError(f"activations={activations!r}: give 'relative' or 'absolute'")
    selected = chosen(model, modules)
    tensors = [*model.parameters(), *model.buffers()]
    if tf32 and not any(tensor.is_cuda for tensor in tensors):
        raise RecordingError("tf32=True is for a model on a GPU: on a CPU nothing rounds to TF32")
    recording = Recording(provenance(tensors, training, tf32), tf32, activations)
    recorder, snapshot = Recorder(recording, selected), Snapshot(model)
    with as_written(tf32):
        with recorder.lineage, Capture(model, selected, recorder):
            yield recording
        check_calls(recording, modules, selected)
        rerun = Rerun(recorder, snapshot, list(selected), loss)
        differing = []
        if deterministic:
            refuse(rerun.check_determinism())
        elif noise:
            differing = rerun.check_determinism()
        if loss:
            if len(recorder.entries) > 1:
                raise RecordingError("a loss is of one call of the model, and the block made "
                                     f"{len(recorder.entries)}")
            rerun.add_gradients()
        if differing:
            recording.without_sigma = {name: "differs from run to run" for name in differing}
        elif noise:
            measured(rerun, noise)
    recording.is_complete = True
    for finding in findings(recording.description(), recording.arrays()):
        warnings.warn(finding, RecordingWarning, stacklevel=3)


def refuse(differing: list[str]) -> None:
    if differing:
        more = f" and {len(differing) - 3} more" if len(differing) > 3 else ""
        raise RecordingError(
            f"not deterministic: {', '.join(differing[:3])}{more} came out otherwise when the "
            "same calls ran once more. Dropout, random numbers, an input that is used up, and a "
            "state that the model keeps outside of itself do that; deterministic=False records it "
            "all the same")


def measured(rerun: Rerun, noise: int) -> None:
    try:
        rerun.measure(noise)
    except Exception as error:  # Whatever a model does that has no float64.
        warnings.warn(f"no σ: in float64 the model fails with {type(error).__name__}: {error}",
                      RecordingWarning, stacklevel=5)
