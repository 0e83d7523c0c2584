"""Runs the catalogue's pipelines with real PyTorch; `export_fixtures.py` writes them."""

from typing import Any

import torch

from catalogue.contract import check_pipeline
from catalogue.fixture import Fixture, described
from catalogue.pipeline_cases import PipelineCase
from catalogue.torch_pipeline import Pipeline
from parity_check.modules import Named
from parity_check.arrays import as_arrays
from parity_check.case import made_by_pytorch


def run(case: PipelineCase, is_checked: bool = True) -> Fixture:
    """A fixture whose modules' results hang together; no other is made, unless the numbers
    are too wild to say."""
    torch.manual_seed(case.seed)
    pipeline = Pipeline(case.stages, case.dtype).eval()
    if case.prepare:
        case.prepare(pipeline)
    inputs = random_inputs(case, pipeline)
    results = forward(pipeline, inputs, case.packed)
    if is_checked:
        with torch.no_grad():
            check_pipeline(case.name, pipeline, inputs, results)
    manifest = {
        "module": "Sequential",
        "modules": [stage.entry(case.stated) for stage in case.stages],
        "packed": case.packed,
        "description": case.description,
    }
    groups = {"inputs": inputs, "outputs": outputs(case, results)}
    if not case.layout_only:
        groups["state_dict"] = pipeline.state_dict()
    return described(
        case.name, case.container, as_arrays(groups), manifest, made_by_pytorch(case.seed))


def random_inputs(case: PipelineCase, pipeline: Pipeline) -> Named:
    """The input, and what the case has beside it for the first recurrent module."""
    inputs = {"input": random_input(case)}
    if case.packed is not None:
        inputs["lengths"] = torch.tensor(case.sentences)
    if case.initial_state:
        module = next(m for m in pipeline.children() if isinstance(m, torch.nn.RNNBase))
        rows = module.num_layers * (2 if module.bidirectional else 1)
        batch = len(case.sentences) if case.has_tokens or case.packed is not None else case.batch
        inputs["h_0"] = torch.randn(
            rows, batch, module.proj_size or module.hidden_size, dtype=case.dtype)
        if isinstance(module, torch.nn.LSTM):
            inputs["c_0"] = torch.randn(rows, batch, module.hidden_size, dtype=case.dtype)
    return inputs


def random_input(case: PipelineCase) -> torch.Tensor:
    """(B, T) token ids, or (T, B, I) and with batch_first (B, T, I) numbers."""
    arguments = case.stages[0].arguments
    if not case.has_tokens:
        axes = case.steps, case.batch if case.packed is None else len(case.sentences)
        if arguments["batch_first"]:
            axes = axes[::-1]
        return torch.randn(*axes, arguments["input_size"], dtype=case.dtype)
    tokens = torch.randint(1, arguments["num_embeddings"], (len(case.sentences), case.steps))
    for sentence, length in zip(tokens, case.sentences, strict=True):
        sentence[length:] = 0
    return tokens


@torch.no_grad()
def forward(pipeline: Pipeline, inputs: Named, packed: dict[str, Any] | None) -> Named:
    return pipeline(inputs, packed)


def outputs(case: PipelineCase, results: Named) -> Named:
    """All that the case writes; nothing twice."""
    last = results["output"]
    own = {name: tensor for name, tensor in results.items() if tensor is not last}
    return {"output": last} | (own if case.intermediates else {})
