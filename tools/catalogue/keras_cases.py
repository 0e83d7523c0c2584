"""The catalogue's cases that Keras computes, each as data; needs no Keras."""

from dataclasses import dataclass

from catalogue.torch_pipeline import Stage

#: (B, T, I), and the units of a direction.
BATCH, STEPS, FEATURES, UNITS = 3, 7, 5, 6


@dataclass(frozen=True)
class KerasCase:
    """One layer in Bidirectional, run once."""

    name: str
    container: str
    layer: str
    #: None where it is left at its default.
    merge_mode: str | None
    return_sequences: bool
    description: str

    @property
    def mode(self) -> str:
        return self.merge_mode or "concat"

    @property
    def stages(self) -> list[Stage]:
        arguments = {"input_size": FEATURES, "hidden_size": UNITS, "batch_first": True,
                     "bidirectional": True}
        select = "output" if self.return_sequences else "h_n"
        return [Stage("layer", self.layer, arguments, select),
                Stage("merge", "DirectionMerge", {"mode": self.mode})]


CASES = [
    KerasCase("keras-lstm-default", "npz-deflated", "LSTM", None, True,
              "Bidirectional(LSTM) with merge_mode at its default, which is concat"),
    KerasCase("keras-lstm-concat-last", "folder", "LSTM", "concat", False,
              "the last output of each direction: reverse, that of step 0"),
    KerasCase("keras-lstm-sum", "npz-stored", "LSTM", "sum", True,
              "both directions of the same step added"),
    KerasCase("keras-lstm-ave-last", "hdf5", "LSTM", "ave", False,
              "the mean of each direction's last output"),
    KerasCase("keras-lstm-mul", "npz-deflated", "LSTM", "mul", True,
              "both directions of the same step multiplied"),
    KerasCase("keras-gru-concat", "npz-stored", "GRU", "concat", True,
              "z, r, h made r, z, n; reset_after=True with its two biases"),
    KerasCase("keras-gru-default-last", "npz-deflated", "GRU", None, False,
              "merge_mode at its default, which is concat, of the last outputs"),
    KerasCase("keras-gru-sum-last", "folder-gzip", "GRU", "sum", False,
              "each direction's last output added"),
    KerasCase("keras-gru-ave", "npz-stored", "GRU", "ave", True,
              "the mean of both directions of the same step"),
    KerasCase("keras-gru-mul-last", "npz-deflated", "GRU", "mul", False,
              "each direction's last output multiplied"),
]
