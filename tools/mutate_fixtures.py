#!/usr/bin/env python3
"""Damages fixtures at random, and counts what parity-check makes of them: crashes, hangs,
memory, and passes that are none.

Each batch holds ten fixtures as they are, which must pass, beside the damaged ones. The
same seed gives the same files. Exit status 1 where something was found.
"""

import argparse
import io
import json
import os
import random
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
from collections import Counter
from pathlib import Path

import numpy as np
import safetensors
import safetensors.numpy
import torch

import parity_format

ROOT = Path(__file__).resolve().parent.parent
PARITY_CHECK = ROOT / ".build" / "release" / "parity-check"
ENDINGS = [".npz", ".h5", ".safetensors", ".pt"]
#: The ways in which this repository's exporter writes a container.
WRITERS = {".npz": ["npz-stored", "npz-deflated", "npz-zip64"],
           ".h5": ["hdf5", "hdf5-chunked", "hdf5-big-endian"]}

#: Damaged fixtures in a batch, beside as many good ones as CONTROLS says.
BATCH, CONTROLS = 90, 10
#: What a batch may take: in seconds for each file beyond a second for all, and in bytes.
SECONDS, MEMORY = 5, 512 << 20
#: Sizes and offsets at which code goes wrong.
EDGES = [0, 1, 2, 0x7F, 0x80, 0xFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF,
         1 << 40, (1 << 61) - 1, 1 << 61, (1 << 63) - 1, 1 << 63, (1 << 64) - 1]
#: What stands where a format's structure does.
MARKS = [b"PK\x01\x02", b"PK\x03\x04", b"PK\x05\x06", b"\x93NUMPY", b"shape", b"descr",
         b"data_offsets", b"dtype", b"TREE", b"HEAP", b"SNOD", b"OHDR", b"GCOL", b"\x80\x02",
         b"storage", b"arguments", b"hidden_size", b"manifest"]


def damaged(data: bytes, r: random.Random) -> bytes:
    """The bytes with one to four mistakes, a part of them near the marks of a structure."""
    data = bytearray(data)
    for _ in range(r.choice([1, 1, 2, 4])):
        if not data:
            break
        place = r.randrange(len(data))
        found = [m.start() for mark in MARKS for m in re.finditer(re.escape(mark), data)]
        if found and r.random() < 0.6:
            place = min(len(data) - 1, max(0, r.choice(found) + r.randint(-8, 40)))
        kind = r.randrange(7)
        if kind == 0:
            data[place] ^= 1 << r.randrange(8)
        elif kind == 1:
            data[place] = r.randrange(256)
        elif kind == 2:
            width = r.choice([1, 2, 4, 8])
            edge = r.choice(EDGES) & ((1 << 8 * width) - 1)
            data[place:place + width] = edge.to_bytes(width, "little")
        elif kind == 3:
            del data[place:place + r.choice([1, 4, 64, 4096])]
        elif kind == 4:
            size = r.choice([1, 8, 64])
            data[place:place] = data[place:place + size]
        elif kind == 5 and r.random() < 0.5:
            del data[place:]
        else:
            digits = [m.start() for m in re.finditer(rb"[0-9]", data)]
            if digits:
                data[r.choice(digits)] = r.choice(b"0123456789-.e")
    return bytes(data)


def damaged_within(data: bytes, r: random.Random) -> bytes:
    """A ZIP file with one damaged member, and checksums that fit."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = [(info, archive.read(info)) for info in archive.infolist()]
    chosen = r.randrange(len(members))
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for index, (info, content) in enumerate(members):
            archive.writestr(
                info, damaged(content, r) if index == chosen else content, info.compress_type)
    return target.getvalue()


def is_spoiled(original: Path, mutant: Path) -> bool:
    """Whether nothing but reference outputs differs, visibly: what must not pass."""
    try:
        manifest, right = contents(original)
        other_manifest, wrong = contents(mutant)
        if manifest != other_manifest or right.keys() != wrong.keys():
            return False
        if not any(name.startswith("state_dict/") for name in right):
            return False  # Of such a case the layout alone is judged.
        differing = [name for name in right if not np.array_equal(
            right[name], wrong[name], equal_nan=True)]
        return bool(differing) and all(
            name.startswith("outputs/") and right[name].shape == wrong[name].shape
            and not np.allclose(right[name], wrong[name], rtol=1e-2, atol=1e-2, equal_nan=True)
            for name in differing)
    except Exception:  # Whatever the other readers think of it.
        return False


def batch(folder: Path, sources: list[Path], number: int, seed: int) -> dict[str, Path]:
    """Damaged files by their names, with good ones beside them."""
    r = random.Random(f"{seed}/{number}")
    origins = {}
    for index in range(BATCH):
        source = r.choice(sources)
        name = f"m{index:03}"
        data = source.read_bytes()
        is_within = data.startswith(b"PK") and r.random() < 0.7
        mutant = damaged_within(data, r) if is_within else damaged(data, r)
        (folder / f"{name}{source.suffix}").write_bytes(mutant)
        origins[name] = source
    for index, source in enumerate(r.choices(sources, k=CONTROLS)):
        shutil.copy(source, folder / f"good{index}{source.suffix}")
    return origins


def run(folder: Path, tool: Path, files: int) -> tuple[int, str, float, int]:
    """The exit status, what was printed, the seconds and the most bytes of memory."""
    start = time.monotonic()
    limit = SECONDS * files
    with subprocess.Popen(
            [tool, folder, "--diagnose", "off"], stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, errors="replace") as process:
        try:
            printed, _ = process.communicate(timeout=limit)
        except subprocess.TimeoutExpired:
            process.kill()
            printed, _ = process.communicate()
            printed += "\nhang"
    most = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024
    return process.returncode, printed, time.monotonic() - start, most


def findings(folder: Path, origins: dict[str, Path], status: int, printed: str) -> list[str]:
    found = []
    if status not in (0, 1, 2):
        found.append(f"status {status}: {printed.strip()[-200:]}")
    statuses = dict(reversed(line.split()[:2]) for line in printed.splitlines()
                    if re.match(r"(passed|failed|invalid|unreadable|inconclusive|skipped) ", line))
    found += [f"control {name} is {statuses.get(name)}" for name in
              (f"good{index}" for index in range(CONTROLS)) if statuses.get(name) != "passed"]
    found += [line.strip() for line in printed.splitlines() if "parity-check crashed" in line
              or "parity-check was killed" in line or "internal error" in line]
    for name, source in origins.items():
        if statuses.get(name) is None:
            found.append(f"{name} is not reported")
        elif statuses[name] == "passed" and is_spoiled(source, folder / f"{name}{source.suffix}"):
            found.append(f"{name} passes though its reference is another")
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tool", type=Path, default=PARITY_CHECK)
    parser.add_argument("--endings", nargs="+", default=ENDINGS, choices=ENDINGS)
    parser.add_argument("--batches", type=int, default=2, help=f"of {BATCH} files, for each ending")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", type=Path, help="where to keep batches with findings")
    options = parser.parse_args()
    status = 0
    for ending in options.endings:
        with tempfile.TemporaryDirectory() as given:
            sources = good(Path(given), ending)
            counts, slowest = Counter(), 0.0
            for number in range(options.batches):
                folder = Path(given) / "batch"
                folder.mkdir()
                origins = batch(folder, sources, number, options.seed)
                exit_status, printed, seconds, memory = run(folder, options.tool, BATCH)
                found = findings(folder, origins, exit_status, printed)
                if memory > MEMORY:
                    found.append(f"{memory >> 20} MB of memory")
                counts += Counter(line.split()[0] for line in printed.splitlines() if line[:1] > " ")
                slowest = max(slowest, seconds)
                for finding in found:
                    print(f"{ending} batch {number} of seed {options.seed}: {finding}")
                if found:
                    status = 1
                    if options.keep:
                        shutil.copytree(folder, options.keep / f"{ending[1:]}-{number}")
                shutil.rmtree(folder)
            kinds = ", ".join(f"{counts[kind]} {kind}" for kind in (
                "passed", "failed", "invalid", "unreadable", "inconclusive", "skipped"))
            print(f"{ending}: {options.batches * BATCH} damaged files and "
                  f"{options.batches * CONTROLS} good ones: {kinds}; "
                  f"at most {slowest:.1f} s a batch, {memory >> 20} MB", flush=True)
    return status


def good(folder: Path, ending: str) -> list[Path]:
    """The small fixtures of this repository that pass, in the container of this ending."""
    made = folder / "good"
    made.mkdir()
    for path in sorted((ROOT / "Fixtures").iterdir()):
        if path.is_file() and path.stat().st_size < 60_000 and path.suffix in WRITERS:
            write(path, made / f"{path.stem}{ending}")
    return sorted(path for path in made.iterdir() if passes(path))


def write(source: Path, path: Path) -> None:
    """The same without the digest, which would catch all that is damaged."""
    manifest, tensors = parity_format.read(source)
    manifest.pop("digest", None)
    tensors = {name: np.ascontiguousarray(tensor.astype(tensor.dtype.newbyteorder("=")))
               for name, tensor in tensors.items()}
    if path.suffix in WRITERS:
        writer = parity_format.CONTAINERS[random.Random(path.stem).choice(WRITERS[path.suffix])]
        writer(path.with_suffix(""), manifest, tensors)
    elif path.suffix == ".safetensors":
        safetensors.numpy.save_file(
            tensors, path, metadata={"manifest": json.dumps(manifest)})
    else:
        torch.save({name: torch.from_numpy(tensor) for name, tensor in tensors.items()}
                   | {"manifest": json.dumps(manifest)}, path)


def contents(path: Path) -> tuple[dict, dict[str, np.ndarray]]:
    """The manifest and the tensors, as the containers' own libraries read them."""
    if path.suffix in WRITERS:
        return parity_format.read(path)
    if path.suffix == ".safetensors":
        with safetensors.safe_open(path, "np") as file:
            return json.loads(file.metadata()["manifest"]), {
                name: file.get_tensor(name) for name in file.keys()}
    tensors = torch.load(path, weights_only=True)
    manifest = json.loads(tensors.pop("manifest"))
    return manifest, {name: tensor.numpy() for name, tensor in tensors.items()}


def passes(path: Path) -> bool:
    run = subprocess.run([PARITY_CHECK, path], capture_output=True, text=True, check=False)
    return run.stdout.startswith("passed ")


if __name__ == "__main__":
    os.environ.pop("PARITY_CHECK_WATCH", None)
    sys.exit(main())
