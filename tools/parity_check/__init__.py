"""Making references from PyTorch models, for parity-check to hold other implementations to.

    with parity_check.record(model) as recording:
        model(batch)
    recording.save("model.safetensors")

The wheel holds the program `parity-check` too. Nothing is imported before it is used: most needs
PyTorch, the format needs NumPy alone, and the program needs neither.
"""

from importlib import import_module
from typing import Any

#: Where the names are that a user writes behind `parity_check.`.
_MODULES = {
    "record": "record_block", "RecordingWarning": "selection", "RecordingError": "selection",
    "Recording": "recording", "Case": "case", "lint": "weaknesses",
    "live": "live_parity", "replay": "stage_replay",
}

__all__ = list(_MODULES)


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from parity_check.version import version
        return version()
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"parity_check.{_MODULES[name]}"), name)
