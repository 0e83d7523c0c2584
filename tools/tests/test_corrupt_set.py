"""A hundred good fixtures with twenty corrupt ones among them: each of these costs itself one line,
and none of the good ones anything."""

import json
import os
import re
import shutil
import subprocess
import zipfile
from pathlib import Path

import h5py
import numpy as np

from catalogue.committed import committed
from catalogue.containers import CONTAINERS
from parity_check.containers import read

ROOT = Path(__file__).resolve().parent.parent.parent
PARITY_CHECK = ROOT / ".build" / "release" / "parity-check"
FIXTURES = ROOT / "Fixtures"


def gru(change=lambda manifest, tensors: None) -> tuple[dict, dict[str, np.ndarray]]:
    manifest, tensors = read(FIXTURES / "gru.npz")
    manifest.pop("digest")
    change(manifest, tensors)
    return manifest, tensors


def fixture(folder: Path, name: str, change) -> None:
    CONTAINERS["npz-stored"](folder / name, *gru(change))


def file(folder: Path, name: str, data: bytes) -> None:
    (folder / name).write_bytes(data)


def corrupt(folder: Path) -> None:
    """Twenty, each wrong in a way of its own."""
    npz = (FIXTURES / "gru.npz").read_bytes()
    h5 = (FIXTURES / "gru-cell.h5").read_bytes()
    file(folder, "bad-empty.npz", b"")
    file(folder, "bad-cut.npz", npz[:len(npz) // 2])
    file(folder, "bad-text.npz", b"this is no archive, but a text of some length\n" * 4)
    file(folder, "bad-html.h5", b"<!DOCTYPE html><html><body>404</body></html>")
    file(folder, "bad-cut.h5", h5[:len(h5) // 2])
    fixture(folder, "bad-checksum", lambda m, t: None)
    flipped = bytearray((folder / "bad-checksum.npz").read_bytes())
    flipped[flipped.index(b"\x93NUMPY") + 130] ^= 1
    file(folder, "bad-checksum.npz", bytes(flipped))
    file(folder, "bad-lfs.npz", b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n")
    file(folder, "bad-header.safetensors", (1 << 60).to_bytes(8, "little") + b"{}")
    file(folder, "bad-pickle.pt", b"\x80\x02cos\nsystem\n(S'false'\ntR.")
    fixture(folder, "bad-format", lambda m, t: m.update(format="pytorch-parity/9"))
    fixture(folder, "bad-module", lambda m, t: m.update(module="Transformer"))
    fixture(folder, "bad-key", lambda m, t: m.update(tolerence="torch"))
    fixture(folder, "bad-size", lambda m, t: m["arguments"].update(hidden_size=7))
    fixture(folder, "bad-shape", lambda m, t: t.update({"inputs/input": t["inputs/input"][..., :4]}))
    fixture(folder, "bad-missing", lambda m, t: t.pop("state_dict/bias_hh_l0"))
    fixture(folder, "bad-extra", lambda m, t: t.update({"state_dict/weight_hr_l0": np.ones(3)}))
    fixture(folder, "bad-type", lambda m, t: t.update(
        {"outputs/h_n": t["outputs/h_n"].astype(np.float64)}))
    fixture(folder, "bad-digest", lambda m, t: m.update(digest="crc32:00000000"))
    with zipfile.ZipFile(folder / "bad-json.npz", "w") as archive:
        archive.writestr("manifest.json", '{"format": ')
    with h5py.File(folder / "bad-strings.h5", "w") as archive:
        archive.attrs["manifest"] = json.dumps(gru()[0])
        archive["outputs/output"] = "a text in the place of numbers"


def test_a_hundred_good_and_twenty_corrupt(tmp_path):
    folder = tmp_path / "set"
    shutil.copytree(FIXTURES / "checkpoints", folder / "checkpoints")
    for path in committed().values():
        (shutil.copytree if path.is_dir() else shutil.copy)(path, folder / path.name)
    corrupt(folder)
    ended = subprocess.run(
        [PARITY_CHECK, folder], capture_output=True, text=True, env=os.environ | {"COLUMNS": "300"})
    assert ended.returncode == 2, ended
    lines = ended.stdout.splitlines()
    passed = [line for line in lines if line.startswith("passed ")]
    assert len(passed) >= 100 and not any("bad-" in line for line in passed)
    bad = [line for line in lines if re.match(r"(invalid|unreadable) ", line)]
    assert len(bad) == 20, ended.stdout
    assert all("bad-" in line and ("expected" in line or "found" in line) for line in bad), bad
    # What is said is another thing for each, the names left aside.
    assert len({re.sub(r"\S*bad-\S+", "", line) for line in bad}) == 20
    assert not [line for line in lines if line.startswith("failed ")]
