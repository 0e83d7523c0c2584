"""Writes the sample files that the Swift readers are tested on.

They are made by NumPy, h5py and the formats' own libraries: what these write, and what they
write that the readers must refuse. Unless said otherwise a sample holds
`arange(24).reshape(2, 3, 4) / 8`.
"""

import gzip
import sys
import zipfile
from pathlib import Path

import h5py
import numpy as np

from catalogue import recording_samples
from catalogue.checkpoint_samples import write_checkpoints
from catalogue.containers import npy_bytes, write_npz_zip64

SAMPLES = Path(__file__).resolve().parent.parent.parent / "Tests" / "TensorArchivesTests" / "Samples"

EIGHTHS = np.arange(24).reshape(2, 3, 4) / 8
FLOATS = EIGHTHS.astype(np.float32)
INTEGERS = np.arange(24) - 5
MANIFEST = '{"text": "größe"}'
ZIP64_TENSORS = {"a": FLOATS, "folder/b": EIGHTHS, "n": INTEGERS}


def write_npy(folder: Path) -> None:
    def save(name: str, array: np.ndarray, version: tuple[int, int] | None = None) -> None:
        with open(folder / name, "wb") as file:
            np.lib.format.write_array(file, array, version=version, allow_pickle=True)

    save("float32.npy", FLOATS)
    save("float64.npy", EIGHTHS)
    save("int64.npy", INTEGERS)
    save("scalar.npy", np.float64(2.5))
    save("empty.npy", np.zeros((0, 3), np.float32))
    save("version2.npy", FLOATS, (2, 0))
    save("version3.npy", FLOATS, (3, 0))
    save("fortran.npy", np.asfortranarray(FLOATS))
    save("fortran-empty.npy", np.zeros((2, 0, 3), np.float32, order="F"))
    save("big-endian.npy", FLOATS.astype(">f4"))
    save("big-endian-fortran-float64.npy", np.asfortranarray(EIGHTHS.astype(">f8")))
    save("float16.npy", FLOATS.astype(np.float16))
    save("big-endian-float16.npy", FLOATS.astype(">f2"))
    save("int32.npy", INTEGERS.astype(np.int32))
    save("big-endian-int64.npy", INTEGERS.astype(">i8"))
    (folder / "float32.npy.gz").write_bytes(gzip.compress(npy_bytes(FLOATS), mtime=0))
    # To be refused.
    save("nameless.npy", np.zeros(3, "V2"))
    save("uint16.npy", np.zeros(3, np.uint16))
    save("complex64.npy", FLOATS.astype(np.complex64))
    save("structured.npy", np.zeros(3, [("a", "<f4"), ("b", "<i8")]))
    save("object.npy", np.array([1, "two"], dtype=object))


def write_npz(folder: Path) -> None:
    members = {
        "a.npy": npy_bytes(FLOATS),
        "folder/b.npy": npy_bytes(EIGHTHS),
        "n.npy": npy_bytes(INTEGERS),
        "manifest.json": MANIFEST.encode(),
    }
    for name, method in [("stored", zipfile.ZIP_STORED), ("deflated", zipfile.ZIP_DEFLATED)]:
        with zipfile.ZipFile(folder / f"{name}.npz", "w") as archive:
            for member, data in members.items():
                archive.writestr(zipfile.ZipInfo(member), data, method)
    write_npz_zip64(folder / "zip64", {"text": "größe"}, ZIP64_TENSORS)
    with zipfile.ZipFile(folder / "bzip2.npz", "w") as archive:
        archive.writestr(zipfile.ZipInfo("a.npy"), members["a.npy"], zipfile.ZIP_BZIP2)
    # As users write them: NumPy forces ZIP64, so that local headers have the
    # sizes in an extra field only.
    np.savez(folder / "savez.npz", output=FLOATS, h_n=EIGHTHS)
    np.savez_compressed(folder / "savez-compressed.npz", output=FLOATS, h_n=EIGHTHS)


def write_hdf5(folder: Path) -> None:
    def save(name: str, manifest: object = MANIFEST, **options: object) -> None:
        with h5py.File(folder / name, "w") as file:
            file.attrs["manifest"] = manifest
            for key, array in [("a", FLOATS), ("folder/b", EIGHTHS), ("n", INTEGERS)]:
                # Chunks that do not divide the shape, so that partial ones are met.
                chunks = (2, 2, 3)[: array.ndim]
                extra = {"chunks": chunks, **options} if options else {}
                file.create_dataset(key, data=array, track_times=False, **extra)

    save("contiguous.h5")
    save("chunked.h5", shuffle=False)
    save("gzip-shuffle.h5", compression="gzip", shuffle=True)
    save("fixed-string.h5", np.bytes_(MANIFEST.encode()))

    def single(name: str, data: object = None, **options: object) -> None:
        with h5py.File(folder / name, "w") as file:
            file.create_dataset("a", data=data, track_times=False, **options)

    single("float16.h5", FLOATS.astype(np.float16))
    write_bfloat16(folder / "bfloat16.h5")
    single("big-endian.h5", FLOATS.astype(">f4"))
    single("big-endian-float16.h5", FLOATS.astype(">f2"))
    single("int32.h5", INTEGERS.astype(np.int32))
    single("big-endian-int64.h5", INTEGERS.astype(">i8"))
    single("scalar.h5", np.float64(2.5))
    single("null.h5", h5py.Empty("f4"))
    single("empty.h5", np.zeros((0, 3), np.float32))

    def refused(name: str):
        return h5py.File(folder / name, "w")

    with refused("text.h5") as file:
        file.create_dataset("a", data="text", track_times=False)
    with refused("compound.h5") as file:
        file.create_dataset("a", data=np.zeros(3, [("a", "<f4")]), track_times=False)
    with refused("number-manifest.h5") as file:
        file.attrs["manifest"] = 3
        file.create_dataset("a", data=FLOATS, track_times=False)
    with refused("unallocated.h5") as file:
        # 64 GiB by its own word, and not a byte of data.
        shape, chunks = (1 << 20, 1 << 14), (1 << 10, 1 << 10)
        file.create_dataset("a", shape, np.float32, chunks=chunks, track_times=False)
    with refused("external.h5") as file:
        outside = [("outside.bin", 0, FLOATS.nbytes)]
        file.create_dataset("a", FLOATS.shape, np.float32, external=outside, track_times=False)
    with refused("soft-link.h5") as file:
        file.create_dataset("a", data=FLOATS, track_times=False)
        file["b"] = h5py.SoftLink("/a")
    with refused("external-link.h5") as file:
        file["a"] = h5py.ExternalLink("contiguous.h5", "/a")
    with refused("hard-link.h5") as file:
        file.create_dataset("a", data=FLOATS, track_times=False)
        file["b"] = file["a"]
    with refused("partly-written.h5") as file:
        dataset = file.create_dataset(
            "a", (5, 5), np.float32, chunks=(4, 4), compression="gzip", fillvalue=1,
            track_times=False,
        )
        dataset[:4, :4] = 2
    # A number that no filter has, in the place of LZF's.
    with refused("unknown-filter.h5") as file:
        file.create_dataset("a", data=FLOATS, compression="lzf", track_times=False)
    path = folder / "unknown-filter.h5"
    entry = b"\x00\x7d\x08\x00\x01\x00\x03\x00lzf"
    data = path.read_bytes()
    assert data.count(entry) == 1
    path.write_bytes(data.replace(entry, b"\xe7\x80" + entry[2:-3] + b"xyz"))
    with refused("cycle.h5") as file:
        file.create_group("g")
        file["g/again"] = file["g"]


def write_bfloat16(path: Path) -> None:
    """HDF5 describes floats by their fields; NumPy has no type for these."""
    type = h5py.h5t.IEEE_F32LE.copy()
    type.set_fields(15, 7, 8, 0, 7)
    type.set_size(2)
    type.set_ebias(127)
    options = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    options.set_obj_track_times(False)
    with h5py.File(path, "w") as file:
        space = h5py.h5s.create_simple(FLOATS.shape)
        dataset = h5py.h5d.create(file.id, b"a", type, space, options)
        dataset.write(h5py.h5s.ALL, h5py.h5s.ALL, FLOATS)


def main() -> None:
    write(Path(sys.argv[1]) if len(sys.argv) > 1 else SAMPLES)


def write(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    write_npy(folder)
    write_npz(folder)
    write_hdf5(folder)
    write_checkpoints(folder, MANIFEST)
    recording_samples.write(folder)
