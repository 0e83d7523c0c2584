"""The catalogue's pipelines, with real PyTorch."""

import numpy as np
import pytest
import torch

from catalogue import export_fixtures
from catalogue import export_pipelines
from catalogue import judge_with_torch
from catalogue.containers import CONTAINERS
from catalogue.contract import BrokenContract
from catalogue.pipeline_cases import PIPELINE_CASES, PipelineCase

BY_NAME = {case.name: case for case in PIPELINE_CASES}
RECURRENT = {"LSTM", "GRU", "RNN"}

each_case = pytest.mark.parametrize("case", PIPELINE_CASES, ids=lambda case: case.name)


def test_every_module_merge_and_selection_is_used():
    stages = [stage for case in PIPELINE_CASES for stage in case.stages]
    assert {stage.module for stage in stages} == RECURRENT | {
        "Embedding", "DirectionMerge", "Linear", "LogSoftmax", "Softmax"
    }
    merges = {stage.arguments["mode"] for stage in stages if stage.module == "DirectionMerge"}
    assert merges == {"concat", "sum", "ave", "mul"}
    assert {stage.select for stage in stages if stage.module in RECURRENT} == {
        None, "output", "h_n"
    }
    assert {case.intermediates for case in PIPELINE_CASES} == {True, False}


@each_case
def test_sizes_differ_from_each_other(case: PipelineCase):
    """Of what one module reads, makes and hands on, but where they have to agree."""
    tokens = case.stages[0].module == "Embedding"
    batch = len(case.sentences) if tokens else case.batch
    for stage in case.stages:
        if stage.module in RECURRENT:
            arguments = stage.arguments
            directions = 2 if arguments["bidirectional"] else 1
            sizes = [
                arguments["input_size"], arguments["hidden_size"], batch, case.steps,
                directions * arguments.get("num_layers", 1), arguments.get("proj_size"),
            ]
            free = [size for size in sizes if size is not None and size > 1]
            assert len(set(free)) == len(free), stage.name
        elif stage.module == "Linear":
            assert stage.arguments["out_features"] not in (batch, case.steps)


@each_case
def test_sentences_are_padded_and_ids_are_in_range(case: PipelineCase):
    tokens = export_pipelines.run(case).tensors["inputs/input"]
    if case.stages[0].module != "Embedding":
        assert tokens.dtype.kind == "f"
        return
    assert tokens.dtype == np.int64 and tokens.max() < 20
    assert tuple(np.count_nonzero(tokens, axis=1)) == case.sentences
    assert (tokens == 0).any() and len(np.unique(tokens)) > 8


@each_case
def test_every_result_is_written_once(case: PipelineCase):
    fixture = export_pipelines.run(case)
    outputs = {n: array for n, array in fixture.tensors.items() if n.startswith("outputs/")}
    last = case.stages[-1]
    expected = {"outputs/output"}
    if case.intermediates:
        for stage in case.stages:
            results = ["output"]
            if stage.module in RECURRENT:
                results += ["h_n", "c_n"] if stage.module == "LSTM" else ["h_n"]
            expected |= {f"outputs/{stage.name}.{result}" for result in results}
        if last.select != "h_n":
            expected.remove(f"outputs/{last.name}.output")
    assert outputs.keys() == expected
    for name, array in outputs.items():
        assert len(np.unique(array)) > 1, name


def test_the_padding_row_is_as_its_name_says():
    filled = export_pipelines.run(BY_NAME["sequential-padding-row"])
    assert filled.tensors["state_dict/word_embeddings.weight"][0].all()
    usual = export_pipelines.run(BY_NAME["sequential-gru-classifier"])
    assert not usual.tensors["state_dict/word_embeddings.weight"][0].any()


PLANTS = {
    "halves exchanged": ("merge.output", lambda t: t.roll(6, dims=-1)),
    "mean": ("merge.output", lambda t: t / 2),
    "one element": ("hidden2tag.output", lambda t: t + torch.eye(*t.shape) * 1e-3),
    "shares": ("softmax.output", lambda t: t * 1.001),
    "order of shares": ("softmax.output", lambda t: t.flip(1)),
    "states exchanged": ("bilstm.h_n", lambda t: t.flip(0)),
    "another row": ("word_embeddings.output", lambda t: t.roll(1, dims=1)),
}


@pytest.mark.parametrize("plant", PLANTS)
def test_what_does_not_hang_together_is_refused(plant, monkeypatch):
    forward = export_pipelines.forward
    result, change = PLANTS[plant]

    def planted(*given):
        results = forward(*given)
        return results | {result: change(results[result])} if result in results else results

    case = BY_NAME["sequential-lstm-classifier"]
    export_pipelines.run(case)
    monkeypatch.setattr(export_pipelines, "forward", planted)
    with pytest.raises(BrokenContract, match=case.name):
        export_pipelines.run(case)


def test_one_pipeline_alone(tmp_path):
    assert export_fixtures.main(["--only", "sequential-rnn-softmax", str(tmp_path)]) == 0
    assert [path.name for path in tmp_path.iterdir()] == ["sequential-rnn-softmax.h5"]


def test_pytorch_sees_a_changed_weight_in_a_pipeline(tmp_path):
    fixture = export_pipelines.run(BY_NAME["sequential-lstm-classifier"])
    changed = {name: np.array(array) for name, array in fixture.tensors.items()}
    changed["state_dict/hidden2tag.weight"][0, 0] += 0.1
    path = CONTAINERS["npz-stored"](tmp_path / "c", fixture.manifest, changed)
    with pytest.raises(AssertionError):
        judge_with_torch.judge(path)
