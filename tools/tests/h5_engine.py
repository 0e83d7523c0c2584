"""An engine that is handed its case as HDF5: h5py reads it, and NumPy computes."""

import json
import sys
from pathlib import Path

import h5py
import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "examples"))
import numpy_engine  # noqa: E402


def main() -> None:
    tensors: dict[str, np.ndarray] = {}
    with h5py.File(sys.argv[1]) as file:
        manifest = json.loads(file.attrs["manifest"])
        file.visititems(
            lambda name, item: tensors.update({name: item[()]})
            if isinstance(item, h5py.Dataset) else None)
    numpy_engine.write(Path(sys.argv[2]), numpy_engine.compute(manifest, tensors, None))


main()
