"""The writer of fixtures, read back with NumPy's and h5py's own readers."""

import json
import zipfile
import zlib

import h5py
import numpy as np
import pytest

from catalogue.containers import CONTAINERS
from parity_check.containers import read
from parity_check.format import FORMAT, digest, manifest_text

TENSORS = {
    "state_dict/weight_ih_l0": np.arange(6, dtype=np.float32).reshape(2, 3) / 7,
    "inputs/lengths": np.array([3, 1]),
    "outputs/output": np.array([[0.1, -2.5]]),
}
MANIFEST = {"format": FORMAT, "description": "größer"}


@pytest.mark.parametrize("container", CONTAINERS)
def test_what_is_written_is_read_back(container, tmp_path):
    path = CONTAINERS[container](tmp_path / "case", MANIFEST, TENSORS)
    manifest, tensors = read(path)
    assert ("tensors" in manifest) == (container == "folder-borrowing")
    manifest.pop("tensors", None)
    assert manifest == MANIFEST
    assert tensors.keys() == TENSORS.keys()
    for name, array in TENSORS.items():
        assert tensors[name].dtype.name == array.dtype.name
        assert np.array_equal(tensors[name], array)


def test_chunked_hdf5_is_chunked_compressed_and_shuffled(tmp_path):
    path = CONTAINERS["hdf5-chunked"](tmp_path / "case", MANIFEST, TENSORS)
    with h5py.File(path) as file:
        weight = file["state_dict/weight_ih_l0"]
        assert weight.chunks is not None and weight.chunks != weight.shape
        assert weight.compression == "gzip" and weight.shuffle


@pytest.mark.parametrize(
    ("container", "method"),
    [("npz-stored", zipfile.ZIP_STORED), ("npz-deflated", zipfile.ZIP_DEFLATED)],
)
def test_npz_members_have_their_method_and_no_date(container, method, tmp_path):
    path = CONTAINERS[container](tmp_path / "case", MANIFEST, TENSORS)
    with zipfile.ZipFile(path) as archive:
        for member in archive.infolist():
            assert member.compress_type == method
            assert member.date_time == (1980, 1, 1, 0, 0, 0)


def test_zip64_has_the_64_bit_records(tmp_path):
    path = CONTAINERS["npz-zip64"](tmp_path / "case", MANIFEST, TENSORS)
    data = path.read_bytes()
    assert b"PK\x06\x06" in data and b"PK\x06\x07" in data
    # The limits that make it so are put back.
    assert zipfile.ZIP64_LIMIT > 1 << 30


def test_fortran_folders_are_big_endian_and_in_fortran_order(tmp_path):
    path = CONTAINERS["folder-fortran"](tmp_path / "case", MANIFEST, TENSORS)
    header = (path / "state_dict" / "weight_ih_l0.npy").read_bytes()[:128]
    assert b"'descr': '>f4'" in header and b"'fortran_order': True" in header


def test_a_checkpoint_holds_more_than_the_case(tmp_path):
    path = CONTAINERS["folder-borrowing"](tmp_path / "case", MANIFEST, TENSORS)
    with np.load(tmp_path / "checkpoints" / "case.npz") as checkpoint:
        assert set(checkpoint.files) == {"encoder.lstm.weight_ih_l0", "decoder.weight"}
    assert not (path / "state_dict").exists()


def test_digest_is_what_the_format_says():
    """Once more, by hand: name, type, shape, data, each name in its turn."""
    expected = b""
    for name in ["inputs/lengths", "outputs/output", "state_dict/weight_ih_l0"]:
        array = TENSORS[name]
        kind = {("i", 8): "int64", ("f", 4): "float32", ("f", 8): "float64"}[
            array.dtype.kind, array.itemsize
        ]
        shape = {1: "2", 2: "1,2" if "output" in name else "2,3"}[array.ndim]
        expected += name.encode() + b"\0" + kind.encode() + b"\0" + shape.encode() + b"\0"
        expected += array.tobytes()
    assert digest(TENSORS) == f"crc32:{zlib.crc32(expected):08x}"


def test_digest_sees_one_changed_bit():
    changed = {name: array.copy() for name, array in TENSORS.items()}
    changed["outputs/output"].view(np.uint64)[0, 0] ^= 1
    assert digest(changed) != digest(TENSORS)


def test_digest_does_not_depend_on_the_machines_byte_order():
    swapped = {name: array.astype(array.dtype.newbyteorder(">")) for name, array in TENSORS.items()}
    assert digest(swapped) == digest(TENSORS)


def test_manifest_is_strict_json():
    with pytest.raises(ValueError):
        manifest_text({"tolerance": {"rtol": float("nan")}})
    assert json.loads(manifest_text(MANIFEST)) == MANIFEST
