"""An engine that keeps its states to itself: what it hands out as h_n and c_n is 0."""

import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "examples"))
import numpy_engine  # noqa: E402


def main() -> None:
    results = numpy_engine.compute(*numpy_engine.read(Path(sys.argv[1])), None)
    numpy_engine.write(Path(sys.argv[2]), {
        name: tensor if name == "output" else np.zeros_like(tensor)
        for name, tensor in results.items()})


main()
