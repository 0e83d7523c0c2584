"""`tools/export_fixtures.py --check`, and when the exporter refuses to write."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from catalogue import check_fixtures
from catalogue import export_fixtures
from catalogue.cases import CASES
from catalogue.committed import committed
from catalogue.containers import CONTAINERS
from catalogue.fixture import FIXTURES
from parity_check import judging
from parity_check.containers import read
from parity_check.format import digest

#: One in each kind of container, and a chain.
NAMES = ["gru", "gru-three-layers", "lstm-batch-first", "lstm-borrowed", "gru-float16",
         "sequential-merge-sum"]


@pytest.fixture
def exported(tmp_path) -> Path:
    """A few cases, just made on this machine."""
    folder = tmp_path / "exported"
    assert export_fixtures.main([str(folder), *only()]) == 0
    return folder


def only() -> list[str]:
    return [argument for name in NAMES for argument in ("--only", name)]


def check(folder: Path, capsys) -> tuple[int, list[str]]:
    capsys.readouterr()
    before = {file: file.read_bytes() for file in folder.rglob("*") if file.is_file()}
    status = export_fixtures.main([str(folder), "--check", *only()])
    assert before == {file: file.read_bytes() for file in folder.rglob("*") if file.is_file()}
    return status, capsys.readouterr().out.splitlines()


def change(folder: Path, name: str, how) -> None:
    path = folder / f"{name}.npz"
    manifest, tensors = read(path)
    tensors = {key: np.array(tensor) for key, tensor in tensors.items()}
    how(manifest, tensors)
    manifest["digest"] = digest(tensors)
    CONTAINERS["npz-deflated"](folder / name, manifest, tensors)


def test_nothing_would_change_in_what_was_just_made(exported, capsys):
    assert check(exported, capsys) == (0, ["nothing would change"])


def test_a_result_that_rounds_otherwise_is_told_in_sigmas(exported, capsys):
    def plant(manifest, tensors):
        tensors["outputs/output"][0, 0, 0] += 1e-7

    change(exported, "gru", plant)
    status, lines = check(exported, capsys)
    assert status == 1 and lines[0] == "gru"
    assert lines[1].startswith("    outputs/output: 1 of 72 elements differ, by up to ")
    assert lines[1].endswith("σ of rounding noise")
    assert 0.1 < float(lines[1].split()[-4].removesuffix("σ")) < 8
    # The digest follows from the tensors.
    assert lines[2:] == [f"1 of {len(NAMES)} cases would change"]


def test_weights_are_told_in_units_of_the_last_place(exported, capsys):
    def plant(manifest, tensors):
        weight = tensors["state_dict/weight_ih_l0"]
        weight[0, :2] = np.nextafter(weight[0, :2], np.float32(np.inf))
        tensors["inputs/input"][1, 1, 1] = np.nan

    change(exported, "gru", plant)
    status, lines = check(exported, capsys)
    assert status == 1
    (weight,) = [line for line in lines if "weight_ih_l0" in line]
    assert "2 of 90 elements differ" in weight and weight.endswith("(1 units in the last place)")
    (x,) = [line for line in lines if "inputs/input" in line]
    assert "1 of 60 elements differ, the first nan becomes " in x


def test_keys_of_the_manifest_and_tensors_are_named(exported, capsys):
    def plant(manifest, tensors):
        manifest["description"] = "something else"
        manifest["provenance"]["torch"] = "1.0.0"
        manifest["tolerance"] = {"rule": "exact"}
        del tensors["outputs/h_n"]
        tensors["outputs/c_n"] = tensors["outputs/output"]
        tensors["inputs/h_0"] = tensors["inputs/h_0"][:, :2]

    change(exported, "gru", plant)
    status, lines = check(exported, capsys)
    assert status == 1
    text = "\n".join(lines)
    assert 'manifest: description: "something else" becomes "one direction' in text
    assert 'manifest: provenance.torch: "1.0.0" becomes "' in text
    assert 'manifest: tolerance.rule: "exact" becomes nothing' in text
    assert "outputs/h_n: is new" in text and "outputs/c_n: is no longer there" in text
    assert "inputs/h_0: float32 (1, 2, 6) becomes float32 (1, 3, 6)" in text
    assert "digest" not in text


def test_a_file_that_is_missing_damaged_or_packed_otherwise(exported, capsys):
    (exported / "gru.npz").unlink()
    (exported / "sequential-merge-sum.npz").write_bytes(b"PK no archive")
    folder = exported / "gru-three-layers"
    (folder / "manifest.json").write_text((folder / "manifest.json").read_text() + "\n")
    status, lines = check(exported, capsys)
    assert status == 1
    assert lines[lines.index("gru") + 1] == "    file: gru.npz is new"
    assert "can't be read" in lines[lines.index("sequential-merge-sum") + 1]
    assert "other bytes of the same" in lines[lines.index("gru-three-layers") + 1]


def test_without_parity_check_there_are_no_sigmas(exported, capsys, monkeypatch, tmp_path):
    monkeypatch.setattr(judging, "program", lambda: None)
    monkeypatch.setenv("PATH", str(tmp_path))
    change(exported, "gru", lambda m, t: t["outputs/output"].__imul__(np.float32(1.001)))
    status, lines = check(exported, capsys)
    assert status == 1 and "tools/check" in lines[0]
    assert lines[2].endswith("units in the last place)")


def test_the_repositorys_own_folder_is_compared_and_not_written(capsys):
    """Up to rounding, which may be another on another processor."""
    before = {file: file.read_bytes() for file in FIXTURES.rglob("*") if file.is_file()}
    export_fixtures.main(["--check"])
    assert before == {file: file.read_bytes() for file in FIXTURES.rglob("*") if file.is_file()}
    lines = capsys.readouterr().out.splitlines()
    assert lines[-1] == "nothing would change" or lines[-1].endswith("cases would change")
    assert not [line for line in lines if "is new" in line or "no longer" in line]
    sigmas = [float(line.split()[-4].removesuffix("σ")) for line in lines if "σ of" in line]
    assert all(sigma < 8 for sigma in sigmas)


def test_in_ci_only_a_folder_of_ones_own_is_written(monkeypatch, capsys, tmp_path):
    def never(*arguments):
        raise AssertionError("written")

    monkeypatch.setenv("CI", "true")
    with monkeypatch.context() as patched:
        patched.setattr(export_fixtures.Fixture, "write", never)
        for folder in ([], [str(FIXTURES)], [str(FIXTURES / "gru-three-layers")]):
            assert export_fixtures.main([*folder, "--only", "gru"]) == 1
            said = capsys.readouterr().err
            assert said.count("\n") == 1 and "--check" in said and "of your own" in said
    assert export_fixtures.main([str(tmp_path), "--only", "gru"]) == 0
    assert [path.name for path in tmp_path.iterdir()] == ["gru.npz"]
    assert export_fixtures.main([str(tmp_path), "--check", "--only", "gru"]) == 0


def test_two_cases_of_one_name_are_refused(monkeypatch, capsys, tmp_path):
    monkeypatch.setattr(export_fixtures, "CASES", [*CASES[:3], CASES[1]])
    assert export_fixtures.main([str(tmp_path / "new")]) == 1
    said = capsys.readouterr().err
    assert said == f"refused, and nothing written: two cases are named {CASES[1].name}\n"
    assert not (tmp_path / "new").exists()


def test_cases_of_ones_own_are_left_alone(exported, capsys):
    """Neither the tests nor the exporter take them for the catalogue's."""
    shutil.copy(exported / "gru.npz", exported / "mine.npz")
    (exported / "my-case").mkdir()
    (exported / "my-case" / "manifest.json").write_text("{}")
    (exported / "keras-mine.npz").write_bytes(b"")
    assert sorted(committed(folder=exported)) == sorted(NAMES)
    assert check(exported, capsys)[0] == 0


def test_elements_are_compared_bit_by_bit():
    zeros = np.zeros(3, np.float32)
    assert check_fixtures.tensor_changes({"a": zeros}, {"a": zeros.copy()}) == {}
    (said,) = check_fixtures.tensor_changes({"a": zeros}, {"a": -zeros}).values()
    assert said.startswith("3 of 3 elements differ, by up to 0.00e+00 (0 units")
    (said,) = check_fixtures.tensor_changes(
        {"a": np.array([1, 2])}, {"a": np.array([1, 3])}).values()
    assert said == "1 of 2 elements differ, the first 2 becomes 3"
