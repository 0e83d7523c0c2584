"""`parity_check.replay` has PyTorch compute each stage from what an implementation gave it."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence

import parity_check
from trace_cases import Tagger, arrays, gates_exchanged, ids, ran, recorded, save, tagger, wrong

pytestmark = pytest.mark.filterwarnings("ignore::parity_check.RecordingWarning")


@pytest.fixture(scope="module")
def recording():
    return recorded(tagger(), ids())


def replayed(recording, values, model=None) -> dict:
    found = parity_check.replay(model or tagger(), recording, values, noise=4)
    return {stage.stage: stage for stage in found}


def test_right_stages_are_right(recording):
    found = replayed(recording, ran(tagger(), ids()))
    assert list(found) == ["embed", "conv", "lstm", "norm", "out"]
    assert all(stage.is_right for stage in found.values()), found
    assert str(found["lstm"]).startswith("lstm: right, given its input (z ")


@pytest.mark.parametrize(("stages", "change"), [
    ({"embed"}, lambda m: m.embed.weight[3:9].add_(0.01)),
    ({"conv"}, lambda m: m.conv.bias.zero_()),
    ({"lstm"}, gates_exchanged),
    ({"norm"}, lambda m: setattr(m.norm, "eps", 1e-2)),
    ({"conv", "out"}, lambda m: [m.conv.weight.mul_(1.001), m.out.bias.zero_()]),
])
def test_stages_that_are_wrong_by_themselves(stages, change, recording, tmp_path):
    values = ran(wrong(tagger(), change), ids())
    found = replayed(recording, values)
    assert {name for name, stage in found.items() if stage.is_right is False} == stages, found
    # The same from files, whose names have dots.
    dotted = save(tmp_path / "a.npz", {
        name.replace("/", "."): array for name, array in values.items()})
    again = parity_check.replay(tagger(), recording.save(tmp_path / "r.h5"), dotted, noise=4)
    assert {stage.stage for stage in again if stage.is_right is False} == stages


def test_what_is_not_there_is_told(recording):
    values = ran(tagger(), ids())
    for name in ("norm", "lstm/input.0"):
        del values[name]
    found = replayed(recording, values)
    assert found["norm"].remark == "no result of it is there"
    assert "its input norm" in found["out"].remark and "is not there" in found["out"].remark
    assert found["lstm"].is_right is None and "lstm/input.0" in found["lstm"].remark, found
    assert "not replayed, no result of it is there" in str(found["norm"])


def test_shapes_and_types_that_say_too_little(recording):
    values = ran(tagger(), ids())
    found = replayed(recording, values | {"norm": values["norm"][:, :-1]})
    assert found["norm"].remark == "norm has the shape (2, 8, 12), expected (2, 9, 12)"
    found = replayed(recording, values | {"norm": values["norm"].astype("f2")})
    assert "norm is stored as torch.float16, too coarse" in found["norm"].remark
    assert "too coarse" in found["out"].remark and found["lstm"].is_right
    # An axis of size 1 may be missing.
    one = recorded(tagger(), ids(1))
    alone = {name: array[0] for name, array in ran(tagger(), ids(1)).items()
             if array.ndim > 1 and array.shape[0] == 1}
    assert replayed(one, alone)["conv"].is_right


def test_another_model_is_told(recording):
    values = ran(tagger(), ids())
    other = wrong(tagger(), lambda m: m.norm.weight.mul_(2))
    assert "does not reproduce the recording" in replayed(recording, values, other)["norm"].remark

    class Smaller(Tagger):
        def __init__(self) -> None:
            super().__init__()
            del self.norm

    smaller = Smaller().eval()
    smaller.load_state_dict(tagger().state_dict(), strict=False)
    found = replayed(recording, values, smaller)
    assert found["norm"].remark == "the model has no such module" and found["out"].is_right


def test_packed_sequences_are_not_replayed_and_accuse_nobody():
    class Packed(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner, self.gru = nn.Linear(4, 4), nn.GRU(4, 6, batch_first=True)

        def forward(self, x: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
            packed = pack_padded_sequence(
                self.inner(x), lengths, batch_first=True, enforce_sorted=False)
            return self.gru(packed)[1]

    torch.manual_seed(3)
    model = Packed().eval()
    x, lengths = torch.randn(3, 7, 4), torch.tensor([4, 7, 2])
    recording = recorded(model, x, lengths)
    values = ran(model, x, lengths)
    values["gru/output"] = np.zeros_like(values["gru/output"])
    found = replayed(recording, values, model)
    assert found["inner"].is_right and found["gru"].is_right is None
    assert found["gru"].remark == "it was given packed sequences"


def test_states_and_keywords_are_handed_over():
    class Stateful(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.lstm, self.cell = nn.LSTM(4, 6), nn.GRUCell(6, 6)

        def forward(self, x: torch.Tensor, h: torch.Tensor, c: torch.Tensor) -> torch.Tensor:
            output, (h, _) = self.lstm(x, hx=(h, c))
            return self.cell(input=output[-1], hx=h[0])

    torch.manual_seed(4)
    model = Stateful().eval()
    given = torch.randn(5, 2, 4), torch.randn(1, 2, 6), torch.randn(1, 2, 6)
    recording = recorded(model, *given)
    values = arrays(recording)
    assert [stage.is_right for stage in replayed(recording, values, model).values()] == [True, True]
    for name, wanted in (("lstm/c_n", [False, True]), ("cell/h_n", [True, False])):
        changed = values | {name: values[name] + np.float32(1e-3)}
        found = replayed(recording, changed, model)
        assert [stage.is_right for stage in found.values()] == wanted, (name, found)


class Gate(torch.nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.sigmoid(x)


@pytest.mark.parametrize("activations", ["relative", "absolute"])
def test_activations_are_those_of_the_recording(activations):
    model, x = torch.nn.Sequential(Gate()).eval(), torch.linspace(-16, 4, 500)
    with parity_check.record(model, noise=16, activations=activations) as recording:
        model(x)
    # As libraries compute it whose sigmoid is accurate beside 1 alone.
    other = {"input": x, "0": 0.5 + 0.5 * torch.tanh(x / 2)}
    (stage,) = parity_check.replay(model, recording, other)
    assert stage.is_right is (activations == "absolute")
