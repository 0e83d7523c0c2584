"""What parity-check reads, written from Python; the wheel holds the program `parity-check` too.

Imports neither NumPy nor PyTorch by itself.
"""


def __getattr__(name: str) -> str:
    if name == "__version__":
        from parity_check.version import version
        return version()
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
