"""Random chains of modules around recurrent ones, run by real PyTorch."""

import random
from dataclasses import replace

import torch

from catalogue.export_pipelines import run
from catalogue.fixture import Fixture, described
from catalogue.pipeline_cases import PipelineCase
from catalogue.torch_pipeline import Pipeline, Stage

MERGES = ("concat", "sum", "mul", "ave")


def chain(number: int) -> PipelineCase:
    """A chain of sizes, modules and weights that its number decides."""
    choose = random.Random(number)
    steps = choose.randint(1, 15)
    batch = choose.randint(1, 5)
    stages: list[Stage] = []
    features = choose.randint(1, 14)
    if choose.random() < 0.5:
        stages.append(Stage("embedding", "Embedding", {
            "num_embeddings": choose.randint(2, 30), "embedding_dim": features, "padding_idx": 0}))
    count = choose.randint(1, 2)
    for index in range(count):
        is_last = index == count - 1
        kind = choose.choice(("LSTM", "GRU", "RNN"))
        hidden = choose.randint(1, 24)
        both = choose.random() < 0.75
        select = choose.choice(("output", "h_n")) if is_last else "output"
        stages.append(Stage(f"recurrent_{index}", kind, {
            "input_size": features, "hidden_size": hidden, "batch_first": bool(stages) or
            choose.random() < 0.5, "bidirectional": both, "num_layers": choose.randint(1, 3),
        } | ({"nonlinearity": choose.choice(("tanh", "relu"))} if kind == "RNN" else {}), select))
        features = hidden * (2 if both and select == "output" else 1)
        if both and (select == "h_n" or choose.random() < 0.7):
            mode = choose.choice(MERGES)
            stages.append(Stage(f"merge_{index}", "DirectionMerge", {"mode": mode}))
            features = 2 * hidden if mode == "concat" else hidden
    if choose.random() < 0.8:
        out = choose.randint(1, 9)
        stages.append(Stage("linear", "Linear", {
            "in_features": features, "out_features": out, "bias": choose.random() < 0.8}))
        if choose.random() < 0.7:
            stages.append(Stage("softmax", choose.choice(("LogSoftmax", "Softmax")), {"dim": -1}))
    scale = choose.choice((0.3, 1.0, 1.0, 2.0, 3.0))

    @torch.no_grad()
    def prepare(pipeline: Pipeline) -> None:
        for parameter in pipeline.parameters():
            parameter *= scale

    sentences = tuple(sorted((choose.randint(1, steps) for _ in range(batch)), reverse=True))
    # By a generator of their own, so that the chains are those of before.
    beside = random.Random(f"{number}/beside")
    orders = {stage.arguments["batch_first"] for stage in stages if stage.select}
    # One that reads the batch's axis as the steps' has no use for lengths.
    can_pack = len(orders) == 1
    packed = {"enforce_sorted": False} if beside.random() < 0.4 and can_pack else None
    if packed and beside.random() < 0.4:
        packed["total_length"] = sentences[0] + beside.randint(0, 3)
    return PipelineCase(
        f"chain-{number:03}", "npz-stored", "random", stages, sentences=sentences, batch=batch,
        steps=steps, dtype=torch.float64 if choose.random() < 0.2 else torch.float32,
        intermediates=choose.random() < 0.7, prepare=prepare, packed=packed,
        initial_state=beside.random() < 0.4)


def right(number: int) -> Fixture:
    return run(chain(number), is_checked=False)


def wrong(number: int, relative: float) -> Fixture:
    """With results of other parameters: one's largest element is off by a share."""
    case = chain(number)

    @torch.no_grad()
    def spoil(pipeline: Pipeline) -> None:
        case.prepare(pipeline)
        parameters = [p for n, p in pipeline.named_parameters() if "recurrent" in n]
        parameter = random.Random(~number).choice(parameters).view(-1)
        parameter[parameter.abs().argmax()] *= 1 + relative

    good, bad = (run(made, is_checked=False) for made in (case, replace(case, prepare=spoil)))
    tensors = {
        name: (bad if name.startswith("outputs/") else good).tensors[name] for name in good.tensors
    }
    told = ("module", "modules", "packed", "description")
    own = {key: good.manifest[key] for key in told if key in good.manifest}
    return described(case.name, case.container, tensors, own, good.manifest["provenance"])
