"""An engine that never reads the states that it is given: numpy_engine.py without them."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "examples"))
import numpy_engine  # noqa: E402


def main() -> None:
    manifest, tensors = numpy_engine.read(Path(sys.argv[1]))
    assert "chunks" not in manifest, "a chunk is a case of its own"
    for name in "inputs/h_0", "inputs/c_0":
        tensors.pop(name, None)
    numpy_engine.write(Path(sys.argv[2]), numpy_engine.compute(manifest, tensors, None))


main()
