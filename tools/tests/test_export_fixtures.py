"""The exporter and its catalogue, with real PyTorch, against Fixtures/."""

import filecmp
from pathlib import Path

import numpy as np
import pytest
import torch

from catalogue import article
from catalogue import export_fixtures
from catalogue import export_reported
from catalogue import export_samples
from catalogue import index
from catalogue.committed import committed, keras_names, pytorch_names
from catalogue.containers import CONTAINERS
from catalogue.contract import BrokenContract
from parity_check.containers import read
from parity_check.format import digest
from catalogue.cases import CASES, Case

MANIFEST_KEYS = {
    "format", "module", "arguments", "modules", "packed", "chunks", "arithmetic", "tolerance",
    "tensors", "expected_failure", "description", "provenance", "digest",
}


def files(folder: Path) -> dict[str, Path]:
    return {str(p.relative_to(folder)): p for p in sorted(folder.rglob("*")) if p.is_file()}


def is_case(path: Path) -> bool:
    return path.suffix in {".npz", ".h5"} or (path / "manifest.json").exists()


@pytest.fixture(scope="module")
def exported(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("exported")
    assert export_fixtures.main([str(folder)]) == 0
    return folder


def test_a_rerun_gives_the_same_bytes(exported, tmp_path):
    export_fixtures.main([str(tmp_path)])
    assert len(files(tmp_path)) > 0
    assert files(exported).keys() == files(tmp_path).keys()
    for name, path in files(exported).items():
        assert filecmp.cmp(path, files(tmp_path)[name], shallow=False), name


def test_samples_are_the_committed_ones(tmp_path):
    export_samples.write(tmp_path)
    committed = files(export_samples.SAMPLES)
    assert files(tmp_path).keys() == committed.keys()
    for name, path in files(tmp_path).items():
        # Another build of zlib may compress otherwise; PyTorch's older format has addresses; and
        # a pickle writes a string once where two are one object, which depends on the process;
        # and a recording has the machine's own rounding in it.
        words = ("deflated", "compressed", "gzip", "bzip2", "stream", "module", "recording")
        if not any(word in name for word in words):
            assert filecmp.cmp(path, committed[name], shallow=False), name


def test_reported_cases_are_the_committed_ones(tmp_path):
    export_reported.write(tmp_path)
    committed = files(export_reported.CASES)
    assert files(tmp_path).keys() == committed.keys()
    for name in committed.keys() - {"unreadable.npz"}:
        own, other = np.load(tmp_path / name), np.load(committed[name])
        assert set(own) == set(other), name
        # Another processor rounds otherwise, and amplifies that where the case is to show it.
        for tensor in set(own) - {"manifest.json", "outputs/output", "outputs/h_n"}:
            np.testing.assert_allclose(own[tensor], other[tensor], atol=1e-5, err_msg=name)


def test_fixtures_are_the_catalogues(exported):
    """Nothing is missing, and nothing was changed by hand."""
    # Keras makes its own: test_export_keras.py.
    present = {path.name: path for path in committed(pytorch_names()).values()}
    exports = {path.name: path for path in exported.iterdir() if is_case(path)}
    assert present.keys() == exports.keys()
    assert len(present) >= 50
    for name, path in present.items():
        manifest, tensors = read(path)
        fresh_manifest, fresh_tensors = read(exports[name])
        for volatile in ("provenance", "digest"):
            manifest.pop(volatile), fresh_manifest.pop(volatile)
        assert manifest == fresh_manifest, name
        assert tensors.keys() == fresh_tensors.keys(), name
        for key, array in tensors.items():
            fresh = fresh_tensors[key]
            assert (array.dtype, array.shape) == (fresh.dtype, fresh.shape), (name, key)
            # Another processor may round otherwise, random draws and initial
            # weights too; lengths differ by a whole one if they differ.
            # A processor of another kind may round four times otherwise.
            stored = "bfloat16" if "arithmetic" in manifest else array.dtype.name
            is_coarse = stored in ("float16", "bfloat16")
            atol = 4 * torch.finfo(getattr(torch, stored)).eps if is_coarse else 1e-5
            assert np.allclose(array, fresh, rtol=0, atol=atol, equal_nan=True), (name, key)


def test_manifests_have_the_formats_keys_and_the_right_digest(exported):
    for path in [*filter(is_case, exported.iterdir()), *committed().values()]:
        manifest, tensors = read(path)
        assert manifest.keys() <= MANIFEST_KEYS, path.name
        assert manifest["digest"] == digest(tensors), path.name


def test_fixtures_stay_small():
    sizes = [file.stat().st_size for path in committed().values()
             for file in (files(path).values() if path.is_dir() else [path])]
    assert len(sizes) >= 100 and sum(sizes) < 3 << 20


def test_every_container_and_module_is_used():
    assert {case.container for case in CASES} == set(CONTAINERS)
    modules = {"LSTM", "GRU", "RNN", "LSTMCell", "GRUCell", "RNNCell"}
    assert {case.module for case in CASES} == modules
    assert {case.dtype for case in CASES} == {
        torch.float16, torch.bfloat16, torch.float32, torch.float64
    }


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_sizes_differ_from_each_other(case: Case):
    """I, H, B, T, D·L and P: no axis can be taken for another."""
    directions = 2 if case.arguments.get("bidirectional") else 1
    sizes = [
        case.input_size, case.hidden_size, case.batch, case.steps,
        directions * case.arguments.get("num_layers", 1), case.arguments.get("proj_size"),
    ]
    free = [size for size in sizes if size is not None and size > 1]
    assert len(set(free)) == len(free)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_weights_can_tell_gates_layers_and_directions_apart(case: Case):
    """No two gates of any parameters are alike; nothing random is zero."""
    tensors = export_fixtures.run(case).tensors
    gates = {"LSTM": 4, "GRU": 3, "RNN": 1}[case.module.removesuffix("Cell")]
    blocks = []
    for name, array in tensors.items():
        if not name.startswith("state_dict/"):
            continue
        assert np.count_nonzero(array) > 0.9 * array.size, name
        blocks += np.split(array, 1 if "weight_hr" in name else gates)
    assert case.layout_only or len(blocks) >= 2 * gates
    assert len({(block.shape, block.tobytes()) for block in blocks}) == len(blocks)
    for name in ("inputs/h_0", "inputs/c_0", "inputs/input"):
        if name in tensors and not case.prepare:
            assert np.count_nonzero(tensors[name]) == tensors[name].size, name


@pytest.mark.parametrize("case", [case for case in CASES if case.batch != 0],
                         ids=lambda case: case.name)
def test_references_are_not_constant(case: Case):
    for name, array in export_fixtures.run(case).tensors.items():
        finite = array[np.isfinite(array)]
        assert len(np.unique(finite)) > 1 or array.size == 1, name


def swap_halves(outputs: dict[str, torch.Tensor]) -> None:
    outputs["output"] = outputs["output"].roll(outputs["h_n"].shape[-1], dims=-1)


@pytest.mark.parametrize(
    "plant",
    [
        swap_halves,
        lambda outputs: outputs["h_n"][0].add_(1e-6),
        lambda outputs: outputs["h_n"][1].add_(1e-6),
    ],
    ids=["halves swapped", "forward state alone", "reverse state alone"],
)
def test_a_reference_that_breaks_the_contract_is_refused(plant, monkeypatch):
    forward = export_fixtures.forward

    def planted(case, module, inputs):
        outputs = forward(case, module, inputs)
        plant(outputs)
        return outputs

    case = next(case for case in CASES if case.name == "lstm-bidirectional-batch-first")
    export_fixtures.run(case)
    monkeypatch.setattr(export_fixtures, "forward", planted)
    with pytest.raises(BrokenContract, match=case.name):
        export_fixtures.run(case)


def test_the_articles_results_are_held_to_the_contract(monkeypatch):
    monkeypatch.setitem(article.PRINTED, "h_n", -article.PRINTED_H_N)
    with pytest.raises(BrokenContract, match="article-printed"):
        list(export_fixtures.article_fixtures())


def test_a_refused_case_writes_nothing_at_all(monkeypatch, tmp_path, capsys):
    monkeypatch.setitem(article.PRINTED, "h_n", -article.PRINTED_H_N)
    assert export_fixtures.main([str(tmp_path / "new")]) == 1
    assert "article-printed" in capsys.readouterr().err
    assert not (tmp_path / "new").exists()


def test_leaking_padding_is_refused(monkeypatch):
    forward = export_fixtures.forward

    def leaking(case, module, inputs):
        outputs = forward(case, module, inputs)
        outputs["output"][2, -1, 0] = 1e-30
        return outputs

    case = next(case for case in CASES if case.name == "lstm-packed")
    monkeypatch.setattr(export_fixtures, "forward", leaking)
    with pytest.raises(BrokenContract):
        export_fixtures.run(case)


def test_some_cases_alone(tmp_path):
    assert export_fixtures.main(["--only", "gru", "--only", "lstm", str(tmp_path)]) == 0
    assert {path.name for path in tmp_path.iterdir()} == {"gru.npz", "lstm.npz"}


def test_an_unknown_name_is_wrong_usage(tmp_path, capsys):
    with pytest.raises(SystemExit) as exit:
        export_fixtures.main([str(tmp_path), "--only", "no-such-case"])
    assert exit.value.code == 2
    assert "no-such-case" in capsys.readouterr().err


def test_list_writes_nothing(tmp_path, capsys):
    assert export_fixtures.main([str(tmp_path / "new"), "--list"]) == 0
    assert "lstm-bidirectional" in capsys.readouterr().out.splitlines()
    assert not (tmp_path / "new").exists()


def test_references_are_made_in_eval(monkeypatch):
    case = next(case for case in CASES if case.name == "lstm-dropout")
    assert case.arguments["dropout"] == 0.5
    # With dropout active, the global generator's state would show.
    forward, outputs = export_fixtures.forward, []
    for seed in (1, 2):
        def reseeded(case, module, inputs, seed=seed):
            torch.manual_seed(seed)
            return forward(case, module, inputs)

        monkeypatch.setattr(export_fixtures, "forward", reseeded)
        outputs.append(export_fixtures.run(case).tensors["outputs/output"])
    assert np.array_equal(*outputs)


def test_the_list_of_cases_is_the_catalogue():
    assert index.README.read_text(encoding="utf-8") == index.text()
    listed = {line.split("|")[1].strip() for line in index.text().splitlines()[8:]}
    assert listed == pytorch_names() | keras_names()


def test_the_list_is_written_with_the_catalogue_and_nowhere_else(tmp_path, monkeypatch):
    monkeypatch.setattr(index, "README", tmp_path / "README.md")
    export_fixtures.main([str(tmp_path), "--only", "gru"])
    assert not index.README.exists()
    index.update(index.FIXTURES)
    assert index.README.read_text(encoding="utf-8") == index.text()
