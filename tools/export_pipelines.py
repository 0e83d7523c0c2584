"""Runs the catalogue's pipelines with real PyTorch; `export_fixtures.py` writes them."""

import torch

from contract import check_pipeline
from fixture import Fixture, Named, as_arrays, described, made_by_pytorch
from pipeline_cases import PipelineCase
from torch_pipeline import Pipeline


def run(case: PipelineCase, is_checked: bool = True) -> Fixture:
    """A fixture whose modules' results hang together; no other is made, unless the numbers
    are too wild to say."""
    torch.manual_seed(case.seed)
    pipeline = Pipeline(case.stages, case.dtype).eval()
    if case.prepare:
        case.prepare(pipeline)
    x = random_input(case)
    results = forward(pipeline, x)
    if is_checked:
        with torch.no_grad():
            check_pipeline(case.name, pipeline, x, results)
    manifest = {
        "module": "Sequential",
        "modules": [stage.entry(case.stated) for stage in case.stages],
        "description": case.description,
    }
    groups = {
        "inputs": {"input": x}, "outputs": outputs(case, results),
        "state_dict": pipeline.state_dict(),
    }
    return described(
        case.name, case.container, as_arrays(groups), manifest, made_by_pytorch(case.seed))


def random_input(case: PipelineCase) -> torch.Tensor:
    """(B, T) token ids, or (T, B, I) and with batch_first (B, T, I) numbers."""
    arguments = case.stages[0].arguments
    if case.stages[0].module != "Embedding":
        axes = case.steps, case.batch
        if arguments["batch_first"]:
            axes = axes[::-1]
        return torch.randn(*axes, arguments["input_size"], dtype=case.dtype)
    tokens = torch.randint(1, arguments["num_embeddings"], (len(case.sentences), case.steps))
    for sentence, length in zip(tokens, case.sentences, strict=True):
        sentence[length:] = 0
    return tokens


@torch.no_grad()
def forward(pipeline: Pipeline, x: torch.Tensor) -> Named:
    return pipeline(x)


def outputs(case: PipelineCase, results: Named) -> Named:
    """All that the case writes; nothing twice."""
    last = results["output"]
    own = {name: tensor for name, tensor in results.items() if tensor is not last}
    return {"output": last} | (own if case.intermediates else {})
