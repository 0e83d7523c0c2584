"""The containers that the catalogue's cases are written in: each that parity-check reads, and
within it the layouts that a reader must know, such as big-endian numbers.

A writer takes the path without an ending, and returns the path that it wrote.
"""

import gzip
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from parity_check import containers
from parity_check.containers import npy_bytes, npz_members, write_file, write_zip
from parity_check.format import Manifest, Tensors, little_endian, manifest_text

Writer = Callable[[Path, Manifest, Tensors], Path]
Arrange = Callable[[np.ndarray], np.ndarray]


def big_endian(array: np.ndarray) -> np.ndarray:
    """In C order."""
    return np.asarray(array, dtype=array.dtype.newbyteorder(">"), order="C")


def fortran_big_endian(array: np.ndarray) -> np.ndarray:
    return np.asfortranarray(big_endian(array))


def write_npz(compression: int) -> Writer:
    def write(stem: Path, manifest: Manifest, tensors: Tensors) -> Path:
        path = stem.with_name(stem.name + ".npz")
        containers.write_npz(path, manifest, tensors, compression)
        return path

    return write


def write_npz_zip64(stem: Path, manifest: Manifest, tensors: Tensors) -> Path:
    """With the 64-bit fields that files above 4 GiB need."""
    limits = {"ZIP64_LIMIT": 1 << 7, "ZIP_FILECOUNT_LIMIT": 1}
    saved = {name: getattr(zipfile, name) for name in limits}
    try:
        for name, limit in limits.items():
            setattr(zipfile, name, limit)
        return write_npz(zipfile.ZIP_STORED)(stem, manifest, tensors)
    finally:
        for name, limit in saved.items():
            setattr(zipfile, name, limit)


def write_hdf5(arrange: Arrange = little_endian, **options: Any) -> Writer:
    def write(stem: Path, manifest: Manifest, tensors: Tensors) -> Path:
        path = stem.with_name(stem.name + ".h5")
        with h5py.File(path, "w", track_order=False) as file:
            file.attrs["manifest"] = manifest_text(manifest)
            for name, array in sorted(tensors.items()):
                chunks = {"chunks": _small_chunks(array.shape)} if options else {}
                file.create_dataset(
                    name, data=arrange(array), track_times=False, **chunks, **options
                )
        return path

    return write


def write_folder(compress: bool = False, arrange: Arrange = little_endian) -> Writer:
    def write(stem: Path, manifest: Manifest, tensors: Tensors) -> Path:
        write_file(stem / "manifest.json", manifest_text(manifest).encode())
        for name, array in sorted(tensors.items()):
            data = npy_bytes(array, arrange)
            if compress:
                # No name and no date in the header.
                write_file(stem / f"{name}.npy.gz", gzip.compress(data, mtime=0))
            else:
                write_file(stem / f"{name}.npy", data)
        return stem

    return write


def write_folder_of_parts(stem: Path, manifest: Manifest, tensors: Tensors) -> Path:
    """A file for the parameters, one for the inputs, and the outputs one by one."""
    parameters = {n: a for n, a in tensors.items() if n.startswith("state_dict/")}
    inputs = {n: a for n, a in tensors.items() if n.startswith("inputs/")}
    outputs = {n: a for n, a in tensors.items() if n.startswith("outputs/")}
    write_folder()(stem, manifest, outputs)
    write_zip(stem / "parameters.npz", npz_members(parameters), zipfile.ZIP_DEFLATED)
    with h5py.File(stem / "inputs.h5", "w", track_order=False) as file:
        for name, array in sorted(inputs.items()):
            file.create_dataset(name, data=little_endian(array), track_times=False)
    return stem


def write_borrowing_folder(stem: Path, manifest: Manifest, tensors: Tensors) -> Path:
    """The parameters in a checkpoint beside the folder, among those of other modules."""
    prefix = "encoder.lstm."
    checkpoint = {"decoder.weight": np.arange(6, dtype=np.float32).reshape(2, 3)}
    own = {}
    for name, array in tensors.items():
        group, _, key = name.partition("/")
        if group == "state_dict":
            checkpoint[prefix + key] = array
        else:
            own[name] = array
    file = Path("checkpoints") / f"{stem.name}.npz"
    (stem.parent / file).parent.mkdir(parents=True, exist_ok=True)
    write_zip(stem.parent / file, npz_members(checkpoint), zipfile.ZIP_DEFLATED)
    borrowed = {"state_dict": {"file": str(".." / file), "prefix": prefix}}
    return write_folder()(stem, manifest | {"tensors": borrowed}, own)


#: By the name that a case gives.
CONTAINERS: dict[str, Writer] = {
    "npz-stored": write_npz(zipfile.ZIP_STORED),
    "npz-deflated": write_npz(zipfile.ZIP_DEFLATED),
    "npz-zip64": write_npz_zip64,
    "hdf5": write_hdf5(),
    "hdf5-chunked": write_hdf5(compression="gzip", shuffle=True),
    "hdf5-big-endian": write_hdf5(big_endian),
    "folder": write_folder(),
    "folder-gzip": write_folder(compress=True),
    "folder-fortran": write_folder(arrange=fortran_big_endian),
    "folder-parts": write_folder_of_parts,
    "folder-borrowing": write_borrowing_folder,
}


def _small_chunks(shape: tuple[int, ...]) -> tuple[int, ...]:
    """Chunks that do not divide the shape, so that readers meet partial ones."""
    return tuple(max(1, size // 2 + size % 2) for size in shape)
