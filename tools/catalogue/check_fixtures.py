"""What writing the catalogue anew would change in a folder of fixtures; it writes nothing there.

Another processor or another PyTorch rounds otherwise. A changed result is therefore given in
units of σ, the rounding error that is expected of it, where parity-check can tell; any other
tensor in units of its last place.
"""

import json
import re
import tempfile
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from catalogue.fixture import Fixture
from parity_check.containers import read
from parity_check.format import Manifest, Tensors, little_endian
from parity_check.judging import CASE, NotJudged, report

#: A result's line under `--verbose`.
LARGEST_Z = re.compile(r" +(\S+) +outputs against reference .* largest z ([^,]+),")


def check(fixtures: Sequence[Fixture], folder: Path) -> int:
    """Prints what would change in the folder; returns 1 where anything would."""
    with tempfile.TemporaryDirectory(prefix="check-fixtures-") as name:
        new = Path(name)
        changed = {fixture.name: changes(fixture, folder, new) for fixture in fixtures}
        changed = {name: found for name, found in changed.items() if found}
        try:
            sigmas = in_sigmas(folder, [f for f in fixtures if f.name in changed])
        except NotJudged as error:
            print(f"without units of σ: {error}")
            sigmas = {}
    for name, found in changed.items():
        print(name)
        for part, what in found.items():
            z = sigmas.get((name, part.removeprefix("outputs/")))
            # Under a tolerance of its own a case has no σ.
            print(f"    {part}: {what}" + (f", {z}σ of rounding noise" if z else ""))
    print(f"{len(changed)} of {len(fixtures)} cases would change" if changed
          else "nothing would change")
    return 1 if changed else 0


def changes(fixture: Fixture, folder: Path, new: Path) -> dict[str, str]:
    """What is different, by tensor or key of the manifest."""
    path = fixture.write(new)
    old = folder / path.relative_to(new)
    if not old.exists():
        return {"file": f"{old.name} is new"}
    try:
        (manifest, tensors), (own, fresh) = read(old), read(path)
    except (ValueError, OSError, KeyError, EOFError, zipfile.BadZipFile) as error:
        return {"file": f"can't be read, and would be written anew: {error}"}
    found = tensor_changes(tensors, fresh)
    # The digest follows from the tensors.
    left_out = {"digest"} if found else set()
    found |= manifest_changes(manifest, own, left_out)
    if not found and contents(old) != contents(path):
        return {"file": "other bytes of the same manifest and tensors"}
    return found


def contents(path: Path) -> dict[str, bytes]:
    files = [path] if path.is_file() else [file for file in path.rglob("*") if file.is_file()]
    return {str(file.relative_to(path)): file.read_bytes() for file in files}


def tensor_changes(old: Tensors, new: Tensors) -> dict[str, str]:
    found = {name: "is no longer there" for name in old.keys() - new.keys()}
    found |= {name: "is new" for name in new.keys() - old.keys()}
    for name in sorted(old.keys() & new.keys()):
        before, after = (little_endian(tensors[name]) for tensors in (old, new))
        kinds = [f"{tensor.dtype.name} {tensor.shape}" for tensor in (before, after)]
        if kinds[0] != kinds[1]:
            found[name] = f"{kinds[0]} becomes {kinds[1]}"
        elif before.tobytes() != after.tobytes():
            found[name] = by_how_much(before, after)
    return found


def by_how_much(before: np.ndarray, after: np.ndarray) -> str:
    bits = np.dtype(f"u{before.dtype.itemsize}")
    differ = before.view(bits) != after.view(bits)
    old, new = before[differ], after[differ]
    text = f"{differ.sum()} of {differ.size} elements differ"
    if before.dtype.kind != "f" or not (np.isfinite(old) & np.isfinite(new)).all():
        return f"{text}, the first {old[0]} becomes {new[0]}"
    apart = np.abs(new.astype(np.float64) - old.astype(np.float64))
    places = apart / np.spacing(np.maximum(np.abs(old), np.abs(new))).astype(np.float64)
    return f"{text}, by up to {apart.max():.2e} ({places.max():.0f} units in the last place)"


def manifest_changes(old: Manifest, new: Manifest, left_out: set[str]) -> dict[str, str]:
    def flat(manifest: Manifest, prefix: str = "") -> dict[str, Any]:
        keys: dict[str, Any] = {}
        for key, value in manifest.items():
            keys |= flat(value, f"{prefix}{key}.") if isinstance(value, dict) else {
                f"{prefix}{key}": json.dumps(value, ensure_ascii=False)}
        return keys

    before, after = flat(old), flat(new)
    return {
        f"manifest: {key}": f"{before.get(key, 'nothing')} becomes {after.get(key, 'nothing')}"
        for key in sorted((before.keys() | after.keys()) - left_out)
        if before.get(key) != after.get(key)
    }


def in_sigmas(folder: Path, fixtures: Sequence[Fixture]) -> dict[tuple[str, str], str]:
    """How far the new results are from the old ones, by case and result. Raises NotJudged where
    there is no parity-check."""
    names = "|".join(re.escape(f.name) for f in fixtures)
    sigmas: dict[tuple[str, str], str] = {}
    with tempfile.TemporaryDirectory(prefix="check-fixtures-") as actual:
        for fixture in fixtures:
            outputs = {name.removeprefix("outputs/"): tensor for name, tensor in
                       fixture.tensors.items() if name.startswith("outputs/")}
            np.savez(Path(actual) / f"{fixture.name}.npz", **outputs)
        options = ["--filter", f"^({names})$", "--actual", actual, "--verbose", "--diagnose", "off"]
        lines = report(folder, options).stdout.splitlines() if fixtures else []
    case = ""
    for line in lines:
        if start := CASE.fullmatch(line):
            case = start[2]
        elif z := LARGEST_Z.match(line):
            sigmas[case, z[1]] = z[2]
    return sigmas
