"""The catalogue's pipelines, each as data: chains around a recurrent module, as
users build them.

Add a case here and run `tools/export_fixtures.py`; the article
`AddingACase.md` of Sources/ParityTesting tells the rest.
"""

import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch

from catalogue.torch_pipeline import Pipeline, Stage


@dataclass(frozen=True)
class PipelineCase:
    """One chain, run once: on sentences of token ids where an Embedding comes first,
    else on random numbers. The sizes differ from each other, as in `cases.py`.
    """

    name: str
    container: str
    #: What the case catches that others do not.
    description: str
    stages: list[Stage]
    #: Words in each sentence; the rest, up to the longest, is the id 0. The lengths, where
    #: sequences are packed.
    sentences: tuple[int, ...] = (7, 3, 5, 4)
    #: Of input that is no sentences.
    batch: int = 3
    steps: int = 7
    dtype: torch.dtype = torch.float32
    #: Whether every module's own results are written beside the last one's.
    intermediates: bool = True
    #: Whether the manifest states the arguments that the shapes tell.
    stated: bool = True
    #: Changes the parameters, in place.
    prepare: Callable[[Pipeline], None] | None = None
    #: Whether the first recurrent module starts from random states.
    initial_state: bool = False
    #: The manifest's `packed`; None for sequences that are not packed.
    packed: dict[str, Any] | None = None
    #: Whether the parameters are left out.
    layout_only: bool = False

    @property
    def seed(self) -> int:
        """Out of the name, so that a new case changes no other."""
        return zlib.crc32(self.name.encode())

    @property
    def has_tokens(self) -> bool:
        return self.stages[0].module == "Embedding"


def embedding(**arguments: Any) -> Stage:
    sizes = {"num_embeddings": 20, "embedding_dim": 5}
    return Stage("word_embeddings", "Embedding", sizes | arguments)


def recurrent(
    kind: str, select: str | None = None, name: str | None = None, **arguments: Any
) -> Stage:
    """Bidirectional and batch_first, unless told otherwise."""
    usual = {"input_size": 5, "hidden_size": 6, "batch_first": True, "bidirectional": True}
    return Stage(name or f"bi{kind.lower()}", kind, usual | arguments, select)


def merge(mode: str) -> Stage:
    return Stage("merge", "DirectionMerge", {"mode": mode})


def linear(in_features: int, out_features: int = 3, **arguments: Any) -> Stage:
    sizes = {"in_features": in_features, "out_features": out_features}
    return Stage("hidden2tag", "Linear", sizes | arguments)


def log_softmax(dim: int) -> Stage:
    return Stage("softmax", "LogSoftmax", {"dim": dim})


@torch.no_grad()
def fill_padding_row(pipeline: Pipeline) -> None:
    """As when vectors trained elsewhere are copied into the module."""
    pipeline.word_embeddings.weight[0].normal_()


PADDING = {"padding_idx": 0}

PIPELINE_CASES: list[PipelineCase] = [
    PipelineCase(
        "sequential-lstm-classifier", "npz-deflated",
        "a classifier of sentences on the two final states, forward first",
        [embedding(**PADDING), recurrent("LSTM", "h_n"), merge("concat"), linear(12),
         log_softmax(1)],
    ),
    PipelineCase(
        "sequential-gru-classifier", "folder",
        "a classifier of sentences on the two final states, forward first",
        [embedding(**PADDING), recurrent("GRU", "h_n"), merge("concat"), linear(12),
         log_softmax(1)],
    ),
    PipelineCase(
        "sequential-padding-row", "npz-stored",
        "padding_idx concerns training: its row is looked up as any other",
        [embedding(**PADDING), recurrent("GRU", "h_n"), merge("concat"), linear(12),
         log_softmax(1)],
        prepare=fill_padding_row,
    ),
    PipelineCase(
        "sequential-lstm-tagger", "npz-stored",
        "a tag for each word: both directions of every step, `select` left out",
        [embedding(), recurrent("LSTM"), merge("concat"), linear(12), log_softmax(2)],
    ),
    PipelineCase(
        "sequential-merge-sum", "npz-deflated", "the directions of output added",
        [embedding(), recurrent("LSTM", "output"), merge("sum"), linear(6, bias=False),
         log_softmax(-1)],
    ),
    PipelineCase(
        "sequential-merge-ave", "npz-stored", "the mean of the two final states",
        [embedding(**PADDING), recurrent("GRU", "h_n"), merge("ave"), linear(6), log_softmax(1)],
    ),
    PipelineCase(
        "sequential-merge-mul", "npz-deflated", "the directions of output multiplied",
        [embedding(), recurrent("GRU", "output"), merge("mul"), linear(6), log_softmax(-1)],
    ),
    PipelineCase(
        "sequential-rnn-softmax", "hdf5",
        "a distribution at every step of a module with one direction; numbers, no tokens",
        [recurrent("RNN", "output", "rnn", bidirectional=False, batch_first=False),
         Stage("softmax", "Softmax", {"dim": -1})],
    ),
    PipelineCase(
        "sequential-softmax-over-steps", "npz-stored",
        "weights that sum to 1 over the steps of a sequence, as attention has",
        [embedding(), recurrent("GRU", "output"), merge("sum"), linear(6), log_softmax(1)],
    ),
    PipelineCase(
        "sequential-float64", "npz-stored", "doubles through every module",
        [embedding(**PADDING), recurrent("LSTM", "h_n"), merge("concat"), linear(12),
         log_softmax(1)],
        dtype=torch.float64,
    ),
    PipelineCase(
        "sequential-two-layers", "folder-gzip",
        "h_n of a stacked module: the last layer's rows are handed on",
        [embedding(**PADDING), recurrent("LSTM", "h_n", num_layers=2), merge("concat"),
         linear(12, 8), log_softmax(1)],
        sentences=(2, 7, 5),
    ),
    PipelineCase(
        "sequential-one-direction", "npz-deflated",
        "h_n of one direction keeps its first axis, (1, B, H)",
        [embedding(**PADDING), recurrent("LSTM", "h_n", "lstm", bidirectional=False), linear(6),
         log_softmax(2)],
    ),
    PipelineCase(
        "sequential-square-linear", "npz-stored",
        "a Linear whose weight's transpose has its shape",
        [embedding(**PADDING), recurrent("GRU", "h_n"), merge("sum"), linear(6, 6),
         log_softmax(1)],
    ),
    PipelineCase(
        "sequential-projection", "npz-stored",
        "states of proj_size joined; numbers, time first",
        [recurrent("LSTM", "h_n", hidden_size=8, proj_size=6, batch_first=False), merge("mul"),
         linear(6, 4), Stage("softmax", "Softmax", {"dim": 1})],
    ),
    PipelineCase(
        "sequential-two-modules", "npz-deflated",
        "one recurrent module feeds another of other sizes",
        [recurrent("GRU", "output", "encoder"), merge("sum"),
         recurrent("LSTM", "h_n", "reader", input_size=6, hidden_size=4),
         Stage("join", "DirectionMerge", {"mode": "ave"})],
        batch=8,
    ),
    PipelineCase(
        "sequential-inferred", "npz-stored", "arguments that the shapes tell",
        [embedding(), recurrent("GRU", "h_n", num_layers=2), merge("sum"), linear(6, 8),
         log_softmax(1)],
        sentences=(2, 7, 5), stated=False,
    ),
    PipelineCase(
        "sequential-last-result-only", "folder-fortran",
        "the last result alone, no module's own",
        [embedding(**PADDING), recurrent("LSTM", "h_n"), merge("concat"), linear(12),
         log_softmax(1)],
        intermediates=False,
    ),
    PipelineCase(
        "sequential-packed", "npz-deflated",
        "sentences packed: the reverse direction starts at a sentence's own last word",
        [embedding(**PADDING), recurrent("LSTM"), merge("concat"), linear(12), log_softmax(2)],
        sentences=(3, 7, 5, 4), packed={"enforce_sorted": False, "total_length": 9},
    ),
    PipelineCase(
        "sequential-packed-modules", "folder",
        "each of two recurrent modules is packed; numbers, time first",
        [recurrent("GRU", "output", "encoder", batch_first=False), merge("sum"),
         recurrent("RNN", "h_n", "reader", input_size=6, hidden_size=4, batch_first=False),
         Stage("join", "DirectionMerge", {"mode": "concat"})],
        sentences=(2, 7, 1, 6, 3), steps=8, packed={"enforce_sorted": False},
    ),
    PipelineCase(
        "sequential-initial-states", "hdf5",
        "the first of two recurrent modules starts from given states, the second from zeros",
        [embedding(**PADDING), recurrent("LSTM", "output", "encoder", num_layers=2),
         merge("ave"), recurrent("LSTM", "h_n", "reader", input_size=6, hidden_size=4),
         Stage("join", "DirectionMerge", {"mode": "concat"})],
        sentences=(2, 7, 5), initial_state=True,
    ),
    PipelineCase(
        "sequential-layout-only", "npz-stored",
        "no parameters: how the results of two recurrent modules hang together",
        [recurrent("GRU", "output", "encoder", num_layers=2), merge("sum"),
         recurrent("LSTM", "h_n", "reader", input_size=6, hidden_size=7, bidirectional=False)],
        sentences=(8, 5, 3), steps=8, packed={"enforce_sorted": True}, layout_only=True,
    ),
]
