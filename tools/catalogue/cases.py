"""The catalogue of fixtures: each case as data.

Add a case here and run `tools/export_fixtures.py`; the article
`AddingACase.md` of Sources/ParityTesting tells the rest.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch

from parity_check.configurations import Configuration


@dataclass(frozen=True)
class Case(Configuration):
    """One module, run once on random input; `container` is one of `CONTAINERS` in
    `containers.py`, and `description` what the case catches that others do not.

    The sizes differ from each other wherever a case does not fix them, so that
    no two axes can be mistaken for each other.
    """

    #: Whether the module's cell is called in a loop in its place; with chunks of 1.
    cell_loop: bool = False
    tolerance: dict[str, Any] | None = None
    #: Changes the random inputs, in place.
    prepare: Callable[[dict[str, torch.Tensor]], None] | None = None
    #: The arguments that the manifest states; all of them where None. The others
    #: are left to the shapes.
    stated: tuple[str, ...] | None = None
    #: Whether the reference is exported without parameters and inputs.
    layout_only: bool = False


BIDIRECTIONAL = {"bidirectional": True}
BATCH_FIRST = {"batch_first": True}
RELU = {"nonlinearity": "relu"}


def nan_in_padding(inputs: dict[str, torch.Tensor]) -> None:
    """What nobody may read: `input` is batch_first."""
    for sequence, length in enumerate(inputs["lengths"]):
        inputs["input"][sequence, length:] = torch.nan


def special_values(inputs: dict[str, torch.Tensor]) -> None:
    """A sequence each for infinity, NaN at the end, subnormals and -0.0."""
    sequences = inputs["input"]  # (T, B, I)
    sequences[2, 0, 1] = torch.inf
    sequences[-2, 1, 0] = torch.nan
    sequences[:, 2] *= 1e-40
    sequences[:, 3] = -0.0
    sequences[1, 4, 2] = -torch.inf



def small_values(inputs: dict[str, torch.Tensor]) -> None:
    """Where a result's digits are lost unless it is relatively accurate."""
    for tensor in inputs.values():
        tensor *= 1e-4


def subnormal_values(inputs: dict[str, torch.Tensor]) -> None:
    """Below the smallest normal float32, 1.2e-38."""
    for tensor in inputs.values():
        tensor *= 1e-39


CASES: list[Case] = [
    Case("lstm", "npz-stored", "LSTM", "one direction, one layer: the gates and their order"),
    Case("gru", "npz-deflated", "GRU", "one direction, one layer: b_hn inside the reset product"),
    Case(
        "lstm-batch-first", "hdf5", "LSTM", "the batch axis first in input and output only",
        BATCH_FIRST, hidden_size=7,
    ),
    Case(
        "gru-batch-first", "hdf5-chunked", "GRU", "the batch axis first in input and output only",
        BATCH_FIRST, hidden_size=7,
    ),
    Case(
        "lstm-bidirectional", "hdf5-chunked", "LSTM",
        "the reverse half flipped back, and its state from step 0", BIDIRECTIONAL, hidden_size=7,
    ),
    Case(
        "gru-bidirectional", "hdf5", "GRU",
        "the reverse half flipped back, and its state from step 0", BIDIRECTIONAL, hidden_size=7,
    ),
    Case(
        "lstm-bidirectional-batch-first", "folder", "LSTM",
        "out[:, -1, :H] == h[0] and out[:, 0, H:] == h[1], as users type it",
        BIDIRECTIONAL | BATCH_FIRST, input_size=4, hidden_size=6, batch=3, steps=5,
    ),
    Case(
        "gru-bidirectional-batch-first", "npz-stored", "GRU",
        "out[:, -1, :H] == h[0] and out[:, 0, H:] == h[1], as users type it",
        BIDIRECTIONAL | BATCH_FIRST, input_size=4, hidden_size=6, batch=3, steps=5,
    ),
    Case(
        "lstm-two-layers", "npz-deflated", "LSTM", "the second layer loaded, and fed by the first",
        {"num_layers": 2},
    ),
    Case(
        "gru-three-layers", "folder", "GRU", "the order of the layers", {"num_layers": 3}, batch=2,
        steps=7,
    ),
    Case(
        "lstm-stacked-bidirectional", "npz-stored", "LSTM",
        "h_n ordered by layer, then direction; both halves feed the next layer",
        {"num_layers": 3} | BIDIRECTIONAL, hidden_size=8, steps=7,
    ),
    Case(
        "gru-stacked-bidirectional-batch-first", "hdf5", "GRU",
        "h_n ordered by layer, then direction; both halves feed the next layer",
        {"num_layers": 2} | BIDIRECTIONAL | BATCH_FIRST, steps=7,
    ),
    Case(
        "lstm-no-bias", "hdf5-chunked", "LSTM", "a module without biases",
        {"bias": False} | BIDIRECTIONAL,
    ),
    Case(
        "gru-no-bias", "npz-deflated", "GRU", "a module without biases",
        {"bias": False, "num_layers": 2},
    ),
    Case(
        "lstm-no-initial-state", "folder", "LSTM", "states that start at zero",
        {"num_layers": 2} | BIDIRECTIONAL, steps=7, initial_state=False,
    ),
    Case(
        "gru-no-initial-state", "npz-stored", "GRU", "b_hn at the first step, from a zero state",
        BIDIRECTIONAL, initial_state=False,
    ),
    Case(
        "lstm-unbatched", "hdf5", "LSTM", "input and states without a batch axis",
        {"num_layers": 2} | BIDIRECTIONAL, batch=None, steps=7,
    ),
    Case(
        "gru-unbatched-no-initial-state", "folder", "GRU",
        "batch_first, which unbatched input ignores", BATCH_FIRST, batch=None,
        initial_state=False,
    ),
    Case(
        "lstm-float64", "hdf5-chunked", "LSTM", "doubles, held to the tolerance of doubles",
        {"num_layers": 2} | BIDIRECTIONAL, steps=7, dtype=torch.float64,
    ),
    Case(
        "gru-float64", "npz-deflated", "GRU", "doubles, held to the tolerance of doubles",
        BIDIRECTIONAL | BATCH_FIRST, dtype=torch.float64,
    ),
    Case(
        "lstm-one-step", "npz-stored", "LSTM", "T = 1: both directions end where they start",
        BIDIRECTIONAL, steps=1,
    ),
    Case("gru-one-step", "hdf5", "GRU", "T = 1: the initial state alone", BATCH_FIRST, steps=1),
    Case(
        "lstm-one-sequence", "folder", "LSTM", "B = 1", BIDIRECTIONAL | BATCH_FIRST, batch=1,
    ),
    Case("gru-one-sequence", "hdf5", "GRU", "B = 1", {"num_layers": 2}, batch=1),
    Case("lstm-one-unit", "npz-stored", "LSTM", "H = 1", BIDIRECTIONAL, hidden_size=1),
    Case("gru-one-feature", "hdf5-chunked", "GRU", "I = 1", BATCH_FIRST, input_size=1),
    Case(
        "gru-one-unit", "npz-deflated", "GRU", "H = 1 and I = 1: every axis that can be 1",
        BIDIRECTIONAL, input_size=1, hidden_size=1, steps=6,
    ),
    Case(
        "lstm-long", "hdf5-chunked", "LSTM", "errors that build up over steps",
        BIDIRECTIONAL | BATCH_FIRST, input_size=11, hidden_size=17, steps=50,
        tolerance={"rule": "torch", "outputs": {"c_n": {"rtol": 1e-6, "atol": 1e-6}}},
    ),
    Case(
        "gru-long", "npz-deflated", "GRU", "errors that build up over steps", BIDIRECTIONAL,
        input_size=11, hidden_size=17, steps=50, tolerance={"rule": "torch"},
    ),
    Case(
        "lstm-dropout", "hdf5", "LSTM", "dropout, which eval() switches off",
        {"num_layers": 2, "dropout": 0.5} | BATCH_FIRST,
    ),
    Case(
        "lstm-projection", "npz-stored", "LSTM", "h of proj_size, c of hidden_size",
        {"proj_size": 2}, hidden_size=7,
    ),
    Case(
        "lstm-projection-stacked-bidirectional", "hdf5-chunked", "LSTM",
        "2·proj_size features between the layers",
        {"num_layers": 2, "proj_size": 6} | BIDIRECTIONAL | BATCH_FIRST, hidden_size=7, steps=9,
    ),
    Case(
        "lstm-packed", "npz-deflated", "LSTM",
        "each sequence's state from its own last step, reverse from its own end",
        BIDIRECTIONAL | BATCH_FIRST, steps=7, lengths=(4, 7, 2),
    ),
    Case(
        "gru-packed", "folder", "GRU",
        "each sequence's state from its own last step, reverse from its own end",
        {"num_layers": 2} | BIDIRECTIONAL, input_size=3, batch=5, steps=8,
        lengths=(1, 8, 3, 6, 3),
    ),
    Case(
        "lstm-packed-sorted", "hdf5", "LSTM", "enforce_sorted", {"num_layers": 2} | BIDIRECTIONAL,
        steps=7, lengths=(7, 4, 1), packed={"enforce_sorted": True},
    ),
    Case(
        "gru-packed-all-short", "npz-stored", "GRU",
        "output as long as the longest sequence, input longer", BATCH_FIRST, steps=9,
        lengths=(2, 7, 4),
    ),
    Case(
        "lstm-packed-total-length", "hdf5-chunked", "LSTM",
        "output padded to total_length", BIDIRECTIONAL, steps=7, lengths=(4, 7, 2),
        packed={"enforce_sorted": False, "total_length": 10},
    ),
    Case("rnn", "npz-stored", "RNN", "tanh, one direction, one layer"),
    Case("rnn-relu", "hdf5", "RNN", "ReLU, which nothing bounds", RELU, hidden_size=7),
    Case(
        "rnn-bidirectional-batch-first", "npz-deflated", "RNN",
        "the reverse half flipped back, and its state from step 0", BIDIRECTIONAL | BATCH_FIRST,
        hidden_size=7,
    ),
    Case(
        "rnn-relu-stacked-bidirectional", "folder", "RNN",
        "ReLU between the layers and the directions", {"num_layers": 2} | RELU | BIDIRECTIONAL,
        hidden_size=9, batch=8, steps=7,
    ),
    Case(
        "rnn-packed", "hdf5-chunked", "RNN", "each sequence's state from its own last step",
        {"num_layers": 2} | BIDIRECTIONAL | BATCH_FIRST, steps=9, lengths=(3, 9, 1),
    ),
    Case(
        "lstm-small-values", "npz-deflated", "LSTM",
        "small numbers: a tanh that is only absolutely accurate, as 2σ(2x)-1, loses their digits",
        {"bias": False}, steps=7, prepare=small_values),
    Case(
        "rnn-subnormals", "npz-stored", "RNN",
        "subnormal numbers, which an engine that flushes them makes 0",
        {"bias": False} | BIDIRECTIONAL, steps=7, prepare=subnormal_values),
    Case("rnn-no-bias", "npz-stored", "RNN", "a module without biases", {"bias": False}),
    Case(
        "rnn-unbatched-float64", "hdf5-big-endian", "RNN", "doubles without a batch axis",
        {"num_layers": 2} | RELU, batch=None, steps=7, dtype=torch.float64,
    ),
    Case("lstm-cell", "npz-deflated", "LSTMCell", "one step; parameters without a layer's number"),
    Case("gru-cell", "hdf5", "GRUCell", "one step; parameters without a layer's number"),
    Case("rnn-cell", "folder", "RNNCell", "one step; parameters without a layer's number"),
    Case(
        # So many that no unit is silent in all of them.
        "rnn-cell-relu", "npz-stored", "RNNCell", "ReLU", RELU, hidden_size=7, batch=12,
    ),
    Case(
        "lstm-cell-unbatched", "folder", "LSTMCell", "input and states of one axis", batch=None,
    ),
    Case(
        "gru-cell-no-initial-state", "npz-stored", "GRUCell", "b_hn from a zero state",
        initial_state=False,
    ),
    Case(
        "lstm-cell-no-bias-float64", "hdf5", "LSTMCell", "doubles, without biases",
        {"bias": False}, dtype=torch.float64,
    ),
    Case(
        "lstm-float16", "npz-stored", "LSTM", "16-bit storage, sums in float32",
        {"num_layers": 2} | BIDIRECTIONAL, steps=7, dtype=torch.float16,
    ),
    Case(
        "gru-float16", "hdf5-chunked", "GRU", "16-bit storage, sums in float32",
        BIDIRECTIONAL | BATCH_FIRST, dtype=torch.float16,
    ),
    Case(
        "rnn-cell-float16", "hdf5-big-endian", "RNNCell", "16-bit storage, other byte order",
        dtype=torch.float16,
    ),
    Case(
        "lstm-bfloat16", "npz-deflated", "LSTM",
        "bfloat16, which NumPy lacks: float32 tensors, and the manifest says the arithmetic",
        BIDIRECTIONAL, dtype=torch.bfloat16,
    ),
    Case(
        "gru-bfloat16-packed", "folder", "GRU", "bfloat16 on a ragged batch", BATCH_FIRST, steps=7,
        lengths=(2, 7, 4), dtype=torch.bfloat16,
    ),
    Case(
        "gru-packed-int32-lengths", "folder-gzip", "GRU", "lengths of 32 bits", BIDIRECTIONAL,
        steps=7, lengths=(4, 7, 1), lengths_dtype=torch.int32,
    ),
    Case(
        "lstm-packed-nan-padding", "npz-stored", "LSTM", "NaN in the padding, which nobody reads",
        {"num_layers": 2} | BIDIRECTIONAL | BATCH_FIRST, steps=7, lengths=(7, 3, 1),
        prepare=nan_in_padding,
    ),
    Case(
        "lstm-packed-projection", "folder-parts", "LSTM",
        "a projection on a ragged batch, no initial state", {"proj_size": 4} | BIDIRECTIONAL,
        hidden_size=7, steps=9, lengths=(9, 5, 8), initial_state=False,
    ),
    Case(
        "lstm-special-values", "hdf5", "LSTM", "infinity, NaN, subnormals and -0.0 in the input",
        BIDIRECTIONAL, hidden_size=7, batch=6, steps=8, prepare=special_values,
    ),
    Case(
        "gru-special-values", "npz-deflated", "GRU",
        "infinity, NaN, subnormals and -0.0 in the input", BIDIRECTIONAL, hidden_size=7, batch=6,
        steps=8, prepare=special_values,
    ),
    Case(
        "rnn-relu-special-values", "npz-stored", "RNN",
        "infinity and NaN through ReLU, which lets both pass", RELU | {"num_layers": 2},
        hidden_size=7, batch=6, steps=8, prepare=special_values,
    ),
    Case("gru-zero-batch", "hdf5", "GRU", "B = 0: shapes alone", BIDIRECTIONAL, batch=0),
    Case(
        "lstm-zero-batch", "npz-stored", "LSTM", "B = 0: shapes alone",
        {"num_layers": 2, "proj_size": 3} | BATCH_FIRST, batch=0,
    ),
    Case(
        "gru-layout-only", "npz-deflated", "GRU", "the layout of a ragged batch, no weights",
        {"num_layers": 2} | BIDIRECTIONAL | BATCH_FIRST, steps=7, lengths=(7, 2, 5),
        layout_only=True,
    ),
    Case(
        "lstm-inferred", "folder-fortran", "LSTM", "arguments that the shapes tell",
        {"num_layers": 2, "proj_size": 2, "bias": False} | BIDIRECTIONAL | BATCH_FIRST, steps=7,
        stated=("batch_first",),
    ),
    Case("gru-cell-inferred", "npz-stored", "GRUCell", "arguments that the shapes tell", stated=()),
    Case(
        "lstm-zip64", "npz-zip64", "LSTM", "the container's 64-bit fields", BATCH_FIRST,
    ),
    Case(
        "gru-fortran-order", "folder-fortran", "GRU", "Fortran order and big-endian",
        {"num_layers": 2} | BIDIRECTIONAL, steps=7,
    ),
    Case(
        "lstm-borrowed", "folder-borrowing", "LSTM",
        "parameters out of a checkpoint that holds more than this module", BIDIRECTIONAL,
        hidden_size=7,
    ),
    Case(
        "lstm-chunks", "npz-stored", "LSTM", "a stream: h and c handed over, in uneven chunks",
        steps=10, chunks=(4, 4, 2),
    ),
    Case(
        "gru-chunks-batch-first", "hdf5", "GRU",
        "a stream that starts from zeros, but no chunk behind the first does", BATCH_FIRST,
        hidden_size=7, steps=10, initial_state=False, chunks=4,
    ),
    Case(
        "lstm-chunks-two-layers", "folder", "LSTM",
        "a stream: the states of both layers handed over, a chunk of one step among them",
        {"num_layers": 2}, steps=8, chunks=(1, 5, 2),
    ),
    Case(
        "lstm-chunks-cell-loop", "npz-deflated", "LSTM",
        "nn.LSTMCell in a loop over the steps: chunks of 1", steps=7, chunks=1, cell_loop=True,
    ),
]
