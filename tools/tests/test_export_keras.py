"""The fixtures that Keras computed. With Keras installed, also their exporter."""

import filecmp
import importlib.util
from pathlib import Path

import numpy as np
import pytest

from catalogue.committed import committed, keras_names
from catalogue.contract import BrokenContract
from parity_check.containers import read
from parity_check.format import digest

MODES = {"concat", "sum", "ave", "mul"}


@pytest.fixture(scope="module")
def export_keras():
    # Not importorskip: export_keras says first which backend.
    if importlib.util.find_spec("keras") is None:
        pytest.skip("without Keras; see export_keras.py")
    from catalogue import export_keras

    return export_keras


def committed_files() -> dict[str, Path]:
    return {path.name: path for path in committed(keras_names()).values()}


def test_committed_ones_say_who_made_them_and_cover_every_mode():
    seen = set()
    for path in committed_files().values():
        manifest, tensors = read(path)
        layer, merge = manifest["modules"]
        assert manifest["provenance"]["keras"].startswith("3.")
        assert manifest["digest"] == digest(tensors), path.name
        seen.add((layer["module"], merge["arguments"]["mode"]))
        for name, array in tensors.items():
            # Keras' LSTM has one bias.
            zero = layer["module"] == "LSTM" and "bias_hh" in name
            assert np.count_nonzero(array) == (0 if zero else array.size), (path.name, name)
    assert seen == {(module, mode) for module in ("LSTM", "GRU") for mode in MODES}


def test_committed_ones_are_the_exporters(export_keras, tmp_path):
    """Up to what another processor may round otherwise."""
    export_keras.main([str(tmp_path)])
    fresh = {path.name: path for path in tmp_path.iterdir()}
    assert fresh.keys() == committed_files().keys()
    for name, path in fresh.items():
        manifest, tensors = read(path)
        old_manifest, old_tensors = read(committed_files()[name])
        for volatile in ("provenance", "digest"):
            manifest.pop(volatile), old_manifest.pop(volatile)
        assert manifest == old_manifest
        assert tensors.keys() == old_tensors.keys()
        for key, array in tensors.items():
            atol = 1e-5 if key.startswith("outputs/") else 0
            assert np.allclose(array, old_tensors[key], rtol=0, atol=atol), (name, key)


def test_a_rerun_gives_the_same_bytes(export_keras, tmp_path):
    folders = [tmp_path / "once", tmp_path / "twice"]
    for folder in folders:
        assert export_keras.main([str(folder)]) == 0
    files = [p.relative_to(folders[0]) for p in folders[0].rglob("*") if p.is_file()]
    assert len(files) >= len(export_keras.CASES)
    assert filecmp.cmpfiles(*folders, files, shallow=False)[1:] == ([], [])


@pytest.mark.parametrize("order", ["rzn", "rnz"])
def test_another_order_of_gates_is_refused(order, export_keras, monkeypatch):
    case = next(case for case in export_keras.CASES if case.layer == "GRU")
    monkeypatch.setitem(export_keras.KERAS_ORDER, "GRU", order)
    with pytest.raises(BrokenContract, match=case.name):
        export_keras.run(case)


def test_another_default_of_merge_mode_would_be_refused(export_keras, monkeypatch):
    case = next(case for case in export_keras.CASES if case.merge_mode is None)
    monkeypatch.setattr(export_keras.KerasCase, "mode", "sum")
    with pytest.raises(BrokenContract, match=case.name):
        export_keras.run(case)


def test_a_reverse_half_that_is_not_flipped_back_is_refused(export_keras, monkeypatch):
    case = next(case for case in export_keras.CASES if case.return_sequences)
    call = export_keras.call

    def unflipped(layer, x):
        results = call(layer, x)
        if len(results) > 2:
            results[1] = results[1][:, ::-1]
        return results

    monkeypatch.setattr(export_keras, "call", unflipped)
    with pytest.raises(BrokenContract, match="reverse half"):
        export_keras.run(case)
