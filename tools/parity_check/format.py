"""What a manifest and a set of tensors are in the fixture format `pytorch-parity/1`."""

import json
import zlib
from collections.abc import Mapping
from typing import Any

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
        checksum = zlib.crc32(numbers(array), checksum)
    return f"crc32:{checksum:08x}"


def manifest_text(manifest: Manifest) -> str:
    """The manifest as it stands in a file; the same manifest gives the same text."""
    # Sizes may be NumPy's integers.
    return json.dumps(manifest, indent=2, ensure_ascii=False, allow_nan=False,
                      default=lambda value: value.item()) + "\n"


def numbers(array: np.ndarray) -> np.ndarray:
    """The bytes of the array's numbers in little-endian order, where possible without a copy."""
    return little_endian(array).reshape(-1).view(np.uint8)


def little_endian(array: np.ndarray) -> np.ndarray:
    """The array in C order, its numbers in little-endian byte order."""
    return np.asarray(array, dtype=array.dtype.newbyteorder("<"), order="C")
