"""Writing cases in the fixture format `pytorch-parity/1`.

A case is a manifest (JSON) and named tensors (NumPy arrays), in any of the
containers below. The same case gives the same bytes in every run.
"""

import gzip
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
        checksum = zlib.crc32(little_endian(array).tobytes(order="C"), checksum)
    return f"crc32:{checksum:08x}"


def manifest_text(manifest: Manifest) -> str:
    return json.dumps(manifest, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


Writer = Callable[[Path, Manifest, Tensors], Path]
Arrange = Callable[[np.ndarray], np.ndarray]


def little_endian(array: np.ndarray) -> np.ndarray:
    """In C order."""
    return np.asarray(array, dtype=array.dtype.newbyteorder("<"), order="C")


def big_endian(array: np.ndarray) -> np.ndarray:
    """In C order."""
    return np.asarray(array, dtype=array.dtype.newbyteorder(">"), order="C")


def fortran_big_endian(array: np.ndarray) -> np.ndarray:
    return np.asfortranarray(big_endian(array))


def npy_bytes(array: np.ndarray, arrange: Arrange = little_endian) -> bytes:
    buffer = io.BytesIO()
    np.lib.format.write_array(buffer, arrange(array), allow_pickle=False)
    return buffer.getvalue()


def write_zip(path: Path, members: Mapping[str, bytes], compression: int) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in members.items():
            # Without a date of its own a member has ZIP's earliest, 1980.
            archive.writestr(zipfile.ZipInfo(name), data, compression)


def npz_members(tensors: Tensors) -> dict[str, bytes]:
    return {f"{name}.npy": npy_bytes(array) for name, array in sorted(tensors.items())}


def write_npz(compression: int) -> Writer:
    def write(stem: Path, manifest: Manifest, tensors: Tensors) -> Path:
        path = stem.with_name(stem.name + ".npz")
        members = {"manifest.json": manifest_text(manifest).encode()} | npz_members(tensors)
        write_zip(path, members, compression)
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
        _write_file(stem / "manifest.json", manifest_text(manifest).encode())
        for name, array in sorted(tensors.items()):
            data = npy_bytes(array, arrange)
            if compress:
                # No name and no date in the header.
                _write_file(stem / f"{name}.npy.gz", gzip.compress(data, mtime=0))
            else:
                _write_file(stem / f"{name}.npy", data)
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


def _write_file(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


#: Container name to writer; a writer takes the path without an ending and
#: returns the path that it wrote.
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


def read(path: Path) -> tuple[Manifest, dict[str, np.ndarray]]:
    """The manifest and the tensors of a case, with NumPy's and h5py's own readers."""
    if not path.is_dir():
        tensors = read_tensors(path)
        if path.suffix == ".npz":
            # NumPy hands out what is no .npy as its bytes.
            return json.loads(tensors.pop("manifest.json")), tensors
        with h5py.File(path) as file:
            return json.loads(file.attrs["manifest"]), tensors
    manifest = json.loads((path / "manifest.json").read_text(encoding="utf-8"))
    tensors = {}
    for file in sorted(path.rglob("*")):
        name = file.relative_to(path).as_posix()
        if name.endswith(".npy"):
            tensors[name.removesuffix(".npy")] = np.load(file)
        elif name.endswith(".npy.gz"):
            data = io.BytesIO(gzip.decompress(file.read_bytes()))
            tensors[name.removesuffix(".npy.gz")] = np.load(data)
        elif file.suffix in {".npz", ".h5"}:
            tensors |= read_tensors(file)
    for group, source in manifest.get("tensors", {}).items():
        for name, array in read_tensors(path / source["file"]).items():
            if name.startswith(source["prefix"]):
                tensors[f"{group}/{name.removeprefix(source['prefix'])}"] = array
    return manifest, tensors


def read_tensors(path: Path) -> dict[str, np.ndarray]:
    """All that an `.npz` or `.h5` file holds, by name."""
    if path.suffix == ".npz":
        with np.load(path) as archive:
            return {name: archive[name] for name in archive.files}
    tensors: dict[str, np.ndarray] = {}
    with h5py.File(path) as file:
        file.visititems(
            lambda name, item: tensors.update({name: item[()]})
            if isinstance(item, h5py.Dataset)
            else None
        )
    return tensors


def _small_chunks(shape: tuple[int, ...]) -> tuple[int, ...]:
    """Chunks that do not divide the shape, so that readers meet partial ones."""
    return tuple(max(1, size // 2 + size % 2) for size in shape)
