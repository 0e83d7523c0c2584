"""Reading and writing a manifest with its tensors, in each kind of file that parity-check
reads. The same manifest and tensors give the same bytes.
"""

import gzip
import io
import json
import os
import shutil
import tempfile
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from parity_check.format import Manifest, Tensors, little_endian, manifest_text, numbers


def write(path: Path | str, manifest: Manifest, tensors: Tensors) -> Path:
    """Writes a case or a recording.

    The ending of the path says how: `.npz`, `.h5` or `.hdf5`, `.safetensors`, `.pt`; a path
    without an ending becomes a folder of `.npy` files. What was at the path is replaced, all at
    once: an interrupted call leaves it as it was. Raises ValueError for another ending,
    and FileExistsError where a folder with something else is at the path.
    """
    path = Path(path)
    if path.suffix not in WRITERS:
        known = ", ".join(ending for ending in WRITERS if ending)
        raise ValueError(f"{path}: can't write {path.suffix}; give {known}, or no ending for a "
                         "folder")
    if path.is_dir() and not (path / "manifest.json").exists() and any(path.iterdir()):
        raise FileExistsError(f"{path} is a folder of something else: give another path")
    with replacing(path) as new:
        WRITERS[path.suffix](new, manifest, tensors)
    return path


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A path beside the given one, whose file or folder takes the other's place at the end."""
    path.parent.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix=f".{path.name}-", dir=path.parent))
    try:
        new = folder / path.name
        yield new
        if path.is_dir() and not path.is_symlink():
            path.rename(folder / "old")
            try:
                new.rename(path)
            except BaseException:
                (folder / "old").rename(path)
                raise
        else:
            os.replace(new, path)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def write_npz(
    path: Path, manifest: Manifest, tensors: Tensors, compression: int = zipfile.ZIP_STORED
) -> None:
    """The manifest is the member `manifest.json`."""
    write_zip(path, {"manifest.json": manifest_text(manifest).encode()} | npz_members(tensors),
              compression)


def write_zip(path: Path, members: Mapping[str, bytes], compression: int) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in members.items():
            # Without a date of its own a member has ZIP's earliest, 1980.
            archive.writestr(zipfile.ZipInfo(name), data, compression)


def npz_members(tensors: Tensors) -> dict[str, bytes]:
    return {f"{name}.npy": npy_bytes(array) for name, array in sorted(tensors.items())}


def npy_bytes(
    array: np.ndarray, arrange: Callable[[np.ndarray], np.ndarray] = little_endian
) -> bytes:
    buffer = io.BytesIO()
    np.lib.format.write_array(buffer, arrange(array), allow_pickle=False)
    return buffer.getvalue()


def write_hdf5(path: Path, manifest: Manifest, tensors: Tensors) -> None:
    """The manifest is an attribute of the root.

    A name leads to a dataset or to a group, and never to both: where `a` is a tensor, `a/b` is
    the dataset `a%2Fb`.
    """
    import h5py

    with h5py.File(path, "w", track_order=False) as file:
        file.attrs["manifest"] = manifest_text(manifest)
        for name, array in sorted(tensors.items()):
            file.create_dataset(
                hdf5_name(name, tensors), data=little_endian(array), track_times=False)


def hdf5_name(name: str, tensors: Tensors) -> str:
    parts = name.split("/")
    for count in range(1, len(parts)):
        if "/".join(parts[:count]) in tensors:
            return "/".join(parts[:count]) + "%2F" + "%2F".join(parts[count:])
    return name


#: safetensors' names of the element types.
SAFETENSORS_TYPES = {
    "bool": "BOOL", "uint8": "U8", "uint16": "U16", "uint32": "U32", "uint64": "U64",
    "int8": "I8", "int16": "I16", "int32": "I32", "int64": "I64",
    "float16": "F16", "float32": "F32", "float64": "F64",
}


def write_safetensors(path: Path, manifest: Manifest, tensors: Tensors) -> None:
    """The manifest is in the header's `__metadata__`.

    The format: the header's size in 8 bytes, the header as JSON, padded with spaces to a
    multiple of 8, and the tensors' bytes (https://github.com/huggingface/safetensors). The
    widest numbers stand first, so that each tensor begins at a multiple of its numbers' size.
    """
    ordered = sorted(tensors.items(), key=lambda item: (-item[1].dtype.itemsize, item[0]))
    header: Manifest = {"__metadata__": {"manifest": manifest_text(manifest)}}
    offset = 0
    for name, array in ordered:
        if array.dtype.name not in SAFETENSORS_TYPES:
            raise ValueError(f"{name}: safetensors has no {array.dtype.name}")
        header[name] = {
            "dtype": SAFETENSORS_TYPES[array.dtype.name], "shape": list(array.shape),
            "data_offsets": [offset, offset + array.nbytes]}
        offset += array.nbytes
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with path.open("wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        for _, array in ordered:
            file.write(numbers(array))


def write_torch(path: Path, manifest: Manifest, tensors: Tensors) -> None:
    """A dictionary of tensors by name with the text `manifest`, saved by `torch.save`."""
    import torch

    saved = {name: torch.from_numpy(np.array(array)) for name, array in sorted(tensors.items())}
    torch.save({"manifest": manifest_text(manifest)} | saved, path)


def write_folder(path: Path, manifest: Manifest, tensors: Tensors) -> None:
    write_file(path / "manifest.json", manifest_text(manifest).encode())
    for name, array in sorted(tensors.items()):
        write_file(path / f"{name}.npy", npy_bytes(array))


def write_file(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


#: By the path's ending.
WRITERS: dict[str, Callable[[Path, Manifest, Tensors], None]] = {
    ".npz": write_npz,
    ".h5": write_hdf5,
    ".hdf5": write_hdf5,
    ".safetensors": write_safetensors,
    ".pt": write_torch,
    "": write_folder,
}


def read(path: Path | str) -> tuple[Manifest, dict[str, np.ndarray]]:
    """The manifest and the tensors of a case or a recording."""
    path = Path(path)
    if not path.is_dir():
        return read_file(path)
    manifest = json.loads((path / "manifest.json").read_text(encoding="utf-8"))
    tensors = {}
    for file in sorted(path.rglob("*")):
        name = file.relative_to(path).as_posix()
        if name.endswith(".npy"):
            tensors[name.removesuffix(".npy")] = np.load(file)
        elif name.endswith(".npy.gz"):
            data = io.BytesIO(gzip.decompress(file.read_bytes()))
            tensors[name.removesuffix(".npy.gz")] = np.load(data)
        elif file.suffix in WRITERS:
            if file.is_file():
                tensors |= read_tensors(file)
    for group, source in manifest.get("tensors", {}).items():
        for name, array in read_tensors(path / source["file"]).items():
            if name.startswith(source["prefix"]):
                tensors[f"{group}/{name.removeprefix(source['prefix'])}"] = array
    return manifest, tensors


def read_file(path: Path) -> tuple[Manifest, dict[str, np.ndarray]]:
    """The same of one file; raises ValueError where it has no manifest."""
    text, tensors = contents(path)
    if text is None:
        raise ValueError(f"{path}: no manifest in it")
    return json.loads(text), tensors


def read_tensors(path: Path) -> dict[str, np.ndarray]:
    """All tensors that a file holds, by name."""
    return contents(path)[1]


def contents(path: Path) -> tuple[str | bytes | None, dict[str, np.ndarray]]:
    """The text of the manifest, if a file has one, and its tensors.

    Raises ValueError for an ending that is none of a container's.
    """
    reader = READERS.get(path.suffix)
    if reader is None:
        raise ValueError(f"{path}: can't read {path.suffix}; give {', '.join(READERS)}")
    return reader(path)


def read_npz(path: Path) -> tuple[bytes | None, dict[str, np.ndarray]]:
    with np.load(path) as archive:
        # NumPy hands out what is no .npy as its bytes.
        tensors = {name: archive[name] for name in archive.files}
    return tensors.pop("manifest.json", None), tensors


def read_hdf5(path: Path) -> tuple[str | None, dict[str, np.ndarray]]:
    import h5py

    tensors: dict[str, np.ndarray] = {}
    with h5py.File(path) as file:
        file.visititems(
            lambda name, item: tensors.update({name.replace("%2F", "/"): item[()]})
            if isinstance(item, h5py.Dataset)
            else None
        )
        return file.attrs.get("manifest"), tensors


def read_safetensors(path: Path) -> tuple[str | None, dict[str, np.ndarray]]:
    data = path.read_bytes()
    start = 8 + int.from_bytes(data[:8], "little")
    header = json.loads(data[8:start])
    text = header.pop("__metadata__", {}).get("manifest")
    types = {own: name for name, own in SAFETENSORS_TYPES.items()}
    tensors = {}
    for name, entry in header.items():
        lower, upper = entry["data_offsets"]
        dtype = np.dtype(types[entry["dtype"]]).newbyteorder("<")
        tensors[name] = np.frombuffer(data[start + lower:start + upper], dtype).reshape(
            entry["shape"])
    return text, tensors


def read_torch(path: Path) -> tuple[str | None, dict[str, np.ndarray]]:
    import torch

    saved = torch.load(path, weights_only=True)
    return saved.pop("manifest", None), {name: tensor.numpy() for name, tensor in saved.items()}


READERS: dict[str, Callable[[Path], tuple[str | bytes | None, dict[str, np.ndarray]]]] = {
    ".npz": read_npz,
    ".h5": read_hdf5,
    ".hdf5": read_hdf5,
    ".safetensors": read_safetensors,
    ".pt": read_torch,
}
