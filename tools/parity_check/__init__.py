"""Making references from PyTorch models, for parity-check to hold other implementations to.

    with parity_check.record(model) as recording:
        model(batch)
    recording.save("model.safetensors")
"""

from importlib import import_module
from typing import Any

#: What is imported when it is first used: most of it needs PyTorch, and the rest does not.
_MODULES = {
    "record": "record_block", "RecordingWarning": "record_block", "RecordingError": "selection",
    "Recording": "recording", "Case": "case", "lint": "weaknesses",
}

__all__ = list(_MODULES)


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module 'parity_check' has no attribute {name!r}")
    return getattr(import_module(f"parity_check.{_MODULES[name]}"), name)
