"""Damages fixtures at random, and counts what parity-check makes of them: crashes, hangs,
memory, and passes that are none.

Each batch holds ten fixtures as they are, which must pass, beside the damaged ones. The
same seed gives the same files. Exit status 1 where something was found.
"""

import argparse
import functools
import io
import os
import random
import re
import resource
import shutil
import subprocess
import tempfile
import time
import zipfile
from collections import Counter
from pathlib import Path

import numpy as np

from measure import mutant_sources
from measure.mutant_sources import CONTAINERS, PARITY_CHECK

#: Damaged fixtures in a batch, beside as many good ones as CONTROLS says.
BATCH, CONTROLS = 90, 10
#: What a batch may take, in seconds and in bytes. One takes a second or two, so that a file that
#: takes long is seen.
SECONDS, MEMORY = 20, 512 << 20
#: Sizes and offsets at which code goes wrong.
EDGES = [0, 1, 2, 0x7F, 0x80, 0xFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF,
         1 << 40, (1 << 61) - 1, 1 << 61, (1 << 63) - 1, 1 << 63, (1 << 64) - 1]
#: What stands where a format's structure does.
MARKS = [b"PK\x01\x02", b"PK\x03\x04", b"PK\x05\x06", b"\x93NUMPY", b"shape", b"descr",
         b"data_offsets", b"dtype", b"TREE", b"HEAP", b"SNOD", b"OHDR", b"GCOL", b"\x80\x02",
         b"storage", b"arguments", b"hidden_size", b"manifest", b"GGUF", b"tokens", b"encoder",
         b"direction"]
MARK = re.compile(b"|".join(map(re.escape, MARKS)))


def damaged(data: bytes, r: random.Random) -> bytes:
    """The bytes with one to four mistakes, a part of them near the marks of a structure."""
    data = bytearray(data)
    for _ in range(r.choice([1, 1, 2, 4])):
        if not data:
            break
        place = r.randrange(len(data))
        found = [m.start() for m in MARK.finditer(data)]
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


def write_mutant(source: Path, target: Path, r: random.Random) -> None:
    """A damaged copy of a file; of a folder, one where one of its files is damaged, missing, or
    another's. Where a folder borrows its parameters, the file with them is damaged."""
    if source.is_dir():
        shutil.copytree(source, target)
        files = sorted(path for path in target.rglob("*") if path.is_file())
        source = target = next(target.glob("model.*"), None) or r.choice(files)
        arrays = [path for path in files if path.name != "manifest.json"]
        if target in arrays and r.random() < 0.1:
            target.write_bytes(r.choice(arrays).read_bytes())
            return
        if target in arrays and r.random() < 0.03:
            target.unlink()
            return
    data = source.read_bytes()
    is_within = data.startswith(b"PK") and r.random() < 0.7
    target.write_bytes(damaged_within(data, r) if is_within else damaged(data, r))


@functools.cache
def sound(path: Path) -> tuple[dict, dict[str, np.ndarray]]:
    return mutant_sources.contents(path)


def is_spoiled(original: Path, mutant: Path) -> bool:
    """Whether nothing but reference outputs differs, visibly: what must not pass. Of a folder that
    borrows its parameters, these may differ too."""
    try:
        manifest, right = sound(original)
        other_manifest, wrong = mutant_sources.contents(mutant)
        if manifest != other_manifest or right.keys() != wrong.keys():
            return False
        if not any(name.startswith("state_dict/") for name in right):
            return False  # Of such a case the layout alone is judged.
        if "arithmetic" in manifest:
            return False  # What is visible here may be the rounding of bfloat16.
        differing = [name for name in right if not np.array_equal(
            right[name], wrong[name], equal_nan=True)]
        judged = ("outputs/", "state_dict/") if any(original.glob("model.*")) else "outputs/"
        if "tolerance" in manifest and any(name.startswith("state_dict/") for name in differing):
            return False  # What another parameter changes may lie within what is allowed.
        return bool(differing) and all(
            name.startswith(judged) and right[name].shape == wrong[name].shape
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
        write_mutant(source, folder / (name + source.suffix), r)
        origins[name] = source
    for index, source in enumerate(r.choices(sources, k=CONTROLS)):
        copy = shutil.copytree if source.is_dir() else shutil.copy
        copy(source, folder / f"good{index}{source.suffix}")
    return origins


def run(folder: Path, tool: Path) -> tuple[int, str, float, int]:
    """The exit status, what was printed, the seconds and the most bytes of memory."""
    start = time.monotonic()
    with subprocess.Popen(
            [tool, folder, "--diagnose", "off"], stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, errors="replace") as process:
        try:
            printed, _ = process.communicate(timeout=5 * SECONDS)
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
    statuses = mutant_sources.statuses(printed)
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
    os.environ.pop("PARITY_CHECK_WATCH", None)
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tool", type=Path, default=PARITY_CHECK)
    parser.add_argument("--containers", nargs="+", default=CONTAINERS, choices=CONTAINERS)
    parser.add_argument("--batches", type=int, default=2, help=f"of {BATCH} files each")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", type=Path, help="where to keep batches with findings")
    options = parser.parse_args()
    status = 0
    for container in options.containers:
        with tempfile.TemporaryDirectory() as given:
            (Path(given) / "good").mkdir()
            sources = mutant_sources.good(Path(given) / "good", container)
            counts, slowest = Counter(), 0.0
            for number in range(options.batches):
                folder = Path(given) / "batch"
                folder.mkdir()
                origins = batch(folder, sources, number, options.seed)
                exit_status, printed, seconds, memory = run(folder, options.tool)
                found = findings(folder, origins, exit_status, printed)
                if memory > MEMORY:
                    found.append(f"{memory >> 20} MB of memory")
                if seconds > SECONDS:
                    found.append(f"{seconds:.0f} s")
                counts += Counter(line.split()[0] for line in printed.splitlines() if line[:1] > " ")
                slowest = max(slowest, seconds)
                for finding in found:
                    print(f"{container} batch {number} of seed {options.seed}: {finding}")
                if found:
                    status = 1
                    if options.keep:
                        shutil.copytree(folder, options.keep / f"{container.strip('.')}-{number}")
                shutil.rmtree(folder)
            kinds = ", ".join(f"{counts[kind]} {kind}" for kind in (
                "passed", "failed", "invalid", "unreadable", "inconclusive", "skipped"))
            print(f"{container}: {options.batches * BATCH} damaged files and "
                  f"{options.batches * CONTROLS} good ones: {kinds}; "
                  f"at most {slowest:.1f} s a batch, {memory >> 20} MB", flush=True)
    return status
