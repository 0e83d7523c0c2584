"""The block in which a PyTorch model is recorded, module by module."""

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch

from parity_check import weaknesses
from parity_check.capture import Capture
from parity_check.environment import as_written
from parity_check.recorder import Recorder
from parity_check.recording import Recording
from parity_check.rerun import add_gradients, check_determinism, measure
from parity_check.selection import Choice, RecordingError, check, chosen


class RecordingWarning(UserWarning):
    """Something about a recording that makes it a weak reference."""


@contextmanager
def record(
    model: torch.nn.Module, modules: Choice = None, *, noise: int = 0,
    loss: Callable[[Any], torch.Tensor] | None = None, training: bool = False,
    tf32: bool = False, deterministic: bool = True,
) -> Iterator[Recording]:
    """Records what the modules of a model are given and give while the block runs.

        with parity_check.record(model) as recording:
            model(batch)
        recording.save("model.safetensors")

    Recorded is each module without modules in it, each recurrent one, and each attention; with
    `modules` those that are named, or for which a function of name and module is true. All is
    copied when it is seen. The calls that the block makes of the model run once more at its end,
    and where a module then gives other bits the recording is refused.

    - `noise`: so many replicas, 16 say, of these calls measure σ, the rounding error that is to
      be expected of each number; each takes a few times as long as a call in float64.
    - `loss`: takes what the model gives to a scalar; its gradients by the outputs of modules and
      by parameters are recorded too.
    - `training`: records a model in training mode; `tf32`: lets a GPU round what it multiplies to
      11 bits; `deterministic=False`: keeps what differs from run to run.

    Raises RecordingError for a model that can't be recorded, where a module that is named is never
    called, and where the calls are not deterministic. RecordingWarning names what makes a weak
    reference. Results of the model are the same bits as without, but for `as_written`.
    """
    check(model, training)
    selected = chosen(model, modules)
    recorder = Recorder(model, tf32=tf32, training=training)
    with as_written(tf32):
        with Capture(model, selected, recorder):
            yield recorder.recording
        if modules is not None and not callable(modules):
            for name in selected:
                if not any(call.module_name == name for call in recorder.calls):
                    raise RecordingError(f"{name} was not called in the block")
        if not recorder.calls:
            raise RecordingError("no module of the model was called in the block")
        if deterministic:
            check_determinism(recorder, selected)
        if loss:
            add_gradients(recorder, selected, loss)
        if noise:
            try:
                measure(recorder, selected, noise, loss)
            except Exception as error:  # Whatever a model does that has no float64.
                warnings.warn(f"no σ: in float64 the model fails with {type(error).__name__}: "
                              f"{error}", RecordingWarning, stacklevel=3)
    recording = recorder.recording
    for finding in weaknesses.findings(recording.manifest(), recording.arrays()):
        warnings.warn(finding, RecordingWarning, stacklevel=3)
