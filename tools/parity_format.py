"""Writing cases in the fixture format `pytorch-parity/1`.

A case is a manifest (JSON) and named tensors (NumPy arrays), in any of the
containers below. The same case gives the same bytes in every run.
"""

import io
import json
import zipfile
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np

FORMAT = "pytorch-parity/1"

Manifest = dict[str, Any]
Tensors = Mapping[str, np.ndarray]


def digest(tensors: Tensors) -> str:
    """The CRC-32 over all tensors, sorted by name, as a manifest states it."""
    checksum = 0
    for name, array in sorted(tensors.items(), key=lambda item: item[0].encode()):
        shape = ",".join(map(str, array.shape))
        checksum = zlib.crc32(f"{name}\0{array.dtype.name}\0{shape}\0".encode(), checksum)
        checksum = zlib.crc32(_little_endian(array).tobytes(order="C"), checksum)
    return f"crc32:{checksum:08x}"


def manifest_text(manifest: Manifest) -> str:
    return json.dumps(manifest, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def npy_bytes(array: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    np.lib.format.write_array(buffer, _little_endian(array), allow_pickle=False)
    return buffer.getvalue()


def write_npz(compression: int) -> Callable[[Path, Manifest, Tensors], Path]:
    def write(stem: Path, manifest: Manifest, tensors: Tensors) -> Path:
        path = stem.with_name(stem.name + ".npz")
        members = {"manifest.json": manifest_text(manifest).encode()}
        members |= {f"{name}.npy": npy_bytes(array) for name, array in sorted(tensors.items())}
        with zipfile.ZipFile(path, "w") as archive:
            for name, data in members.items():
                # Without a date of its own a member has ZIP's earliest, 1980.
                archive.writestr(zipfile.ZipInfo(name), data, compression)
        return path

    return write


def write_hdf5(**options: Any) -> Callable[[Path, Manifest, Tensors], Path]:
    def write(stem: Path, manifest: Manifest, tensors: Tensors) -> Path:
        path = stem.with_name(stem.name + ".h5")
        with h5py.File(path, "w", track_order=False) as file:
            file.attrs["manifest"] = manifest_text(manifest)
            for name, array in sorted(tensors.items()):
                chunks = {"chunks": _small_chunks(array.shape)} if options else {}
                file.create_dataset(
                    name, data=_little_endian(array), track_times=False, **chunks, **options
                )
        return path

    return write


def write_folder(stem: Path, manifest: Manifest, tensors: Tensors) -> Path:
    stem.mkdir(exist_ok=True)
    (stem / "manifest.json").write_text(manifest_text(manifest), encoding="utf-8")
    for name, array in sorted(tensors.items()):
        path = stem / f"{name}.npy"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(npy_bytes(array))
    return stem


#: Container name to writer; a writer takes the path without an ending and
#: returns the path that it wrote.
CONTAINERS: dict[str, Callable[[Path, Manifest, Tensors], Path]] = {
    "npz-stored": write_npz(zipfile.ZIP_STORED),
    "npz-deflated": write_npz(zipfile.ZIP_DEFLATED),
    "hdf5": write_hdf5(),
    "hdf5-chunked": write_hdf5(compression="gzip", shuffle=True),
    "folder": write_folder,
}


def read(path: Path) -> tuple[Manifest, dict[str, np.ndarray]]:
    """The manifest and the tensors of a case, with NumPy's and h5py's own readers."""
    if path.is_dir():
        manifest = json.loads((path / "manifest.json").read_text(encoding="utf-8"))
        names = sorted(path.rglob("*.npy"))
        return manifest, {
            str(name.relative_to(path).with_suffix("").as_posix()): np.load(name) for name in names
        }
    if path.suffix == ".npz":
        with np.load(path) as archive:
            # NumPy hands out what is no .npy as its bytes.
            manifest = json.loads(archive["manifest.json"])
            return manifest, {n: archive[n] for n in archive.files if n != "manifest.json"}
    with h5py.File(path) as file:
        tensors: dict[str, np.ndarray] = {}
        file.visititems(
            lambda name, item: tensors.update({name: item[()]})
            if isinstance(item, h5py.Dataset)
            else None
        )
        return json.loads(file.attrs["manifest"]), tensors


def _little_endian(array: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<"))


def _small_chunks(shape: tuple[int, ...]) -> tuple[int, ...]:
    """Chunks that do not divide the shape, so that readers meet partial ones."""
    return tuple(max(1, size // 2 + size % 2) for size in shape)
