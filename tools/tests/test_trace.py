"""`parity-check trace` finds the stage of a PyTorch model that is wrong by itself."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from parity_check.containers import write
from trace_cases import (ROOT, Tagger, arrays, gates_exchanged, ids, ran, recorded, save, statuses,
                         tagger, trace, wrong)

pytestmark = pytest.mark.filterwarnings("ignore::parity_check.RecordingWarning")

STAGES = ["embed", "conv", "lstm/input.0", "lstm", "norm", "out"]


@pytest.fixture(scope="module")
def reference(tmp_path_factory):
    return recorded(tagger(), ids(), noise=16).save(tmp_path_factory.mktemp("r") / "r.safetensors")


@pytest.fixture(scope="module")
def with_gradients(tmp_path_factory):
    return recorded(tagger(), ids(), noise=16, loss=lambda y: y[..., 0].square().sum()).save(
        tmp_path_factory.mktemp("g") / "g.h5")


def starts(text: str) -> list[str]:
    return [name for name, status in statuses(text).items() if status.startswith("starts here")]


def test_the_same_model_on_another_path_agrees(reference, tmp_path):
    status, text = trace(reference, save(tmp_path / "a.npz", ran(tagger(), ids())))
    found = statuses(text)
    assert status == 0 and set(found.values()) == {"agrees"}, text
    assert [name for name in found if name in STAGES] == STAGES


@pytest.mark.parametrize(("stage", "change", "told"), [
    ("lstm", gates_exchanged, "with the gates in the order i, f, o, g"),
    ("embed", lambda m: m.embed.weight[3:9].add_(0.01), "it differs at"),
    ("conv", lambda m: m.conv.bias.zero_(), ""),
    ("conv", lambda m: [p.neg_() for p in m.conv.parameters()], "its sign is reversed"),
    ("lstm", lambda m: m.lstm.bias_hh_l0_reverse.zero_(), "bias_hh"),
    ("norm", lambda m: setattr(m.norm, "eps", 1e-2), ""),
    ("norm", lambda m: m.norm.weight.mul_(3), "3.0 times what is expected"),
    ("norm", lambda m: m.norm.bias.add_(0.5), "0.5 more than what is expected, in each element"),
    ("out", lambda m: [p.zero_() for p in m.out.parameters()], "all 0"),
    ("out", lambda m: m.out.bias[2].fill_(float("nan")), "NaN at 18 of 90 elements"),
])
def test_the_stage_of_a_mistake_is_named(stage, change, told, reference, tmp_path):
    values = ran(wrong(tagger(), change), ids())
    status, text = trace(reference, save(tmp_path / "a.npz", values))
    found = statuses(text)
    assert status == 1 and starts(text) == [stage], text
    assert f"the first stage that is wrong by itself is {stage} (" in text and told in text, text
    behind = STAGES[STAGES.index(stage) + 1:]
    assert {found[name] for name in behind} <= {"follows"}, text
    assert {found[name] for name in STAGES[:STAGES.index(stage)]} <= {"agrees"}, text


@pytest.mark.parametrize(("name", "change", "told"), [
    ("lstm/output", lambda y: y[:, ::-1], "in reverse order along axis 1"),
    ("conv", lambda y: np.roll(y, 1, axis=2) * (np.arange(9) > 0), "1 late along axis 2"),
    ("norm", lambda y: y * (np.arange(12) < 6), "cut off: right up to index 5 of axis 2"),
    ("norm", lambda y: np.concatenate([y[..., 6:], y[..., :6]], 2), "its halves along axis 2"),
    ("conv", lambda y: y.astype("f2").astype("f4"), "off by the rounding of float16 or TF32: if"),
    ("out", lambda y: y.astype("f2").astype("f4"), "every number of the outputs is a float16"),
])
def test_what_a_wrong_stage_looks_like(name, change, told, reference, tmp_path):
    values = ran(tagger(), ids())
    values[name] = np.ascontiguousarray(change(values[name])).astype("f4")
    status, text = trace(reference, save(tmp_path / "a.npz", values))
    assert status == 1 and name.split("/")[0] in starts(text) and told in text, text


def test_a_capture_that_was_overwritten(reference, tmp_path):
    values = ran(tagger(), ids())
    values["norm"] = values["lstm/output"]
    text = trace(reference, save(tmp_path / "a.npz", values))[1]
    assert "it holds what lstm/output is in the reference" in text


def test_two_mistakes_are_two_starts(reference, tmp_path):
    def change(model: nn.Module) -> None:
        gates_exchanged(model)
        model.out.bias.zero_()

    status, text = trace(reference, save(tmp_path / "a.npz", ran(wrong(tagger(), change), ids())))
    found = statuses(text)
    assert status == 1 and found["lstm"] == "starts here" and found["norm"] == "follows", text
    assert found["out"] == "starts here too" and "; so is out" in text, text


def test_a_stage_that_is_missing_hands_on(reference, tmp_path):
    values = ran(wrong(tagger(), gates_exchanged), ids())
    for name in [name for name in values if name.startswith("norm")]:
        del values[name]
    found = statuses(trace(reference, save(tmp_path / "a.npz", values))[1])
    assert found["norm"] == "missing" and found["out"] == "follows"
    assert found["lstm"] == "starts here"


def test_the_model_s_own_code_is_a_stage(reference, tmp_path):
    class WithoutReLU(Tagger):
        def forward(self, ids: torch.Tensor) -> torch.Tensor:
            x = self.conv(self.embed(ids).transpose(1, 2)).transpose(1, 2)
            return self.out(self.norm(self.lstm(x)[0]))

    model = WithoutReLU().eval()
    model.load_state_dict(tagger().state_dict())
    text = trace(reference, save(tmp_path / "a.npz", ran(model, ids())))[1]
    assert starts(text) == ["lstm/input.0"], text


def test_another_input_is_the_first_difference(reference, tmp_path):
    text = trace(reference, save(tmp_path / "a.npz", ran(tagger(), ids() + 1 - ids() // 10)))[1]
    assert "the model's input is not the same" in text, text


def test_without_sigma_errors_are_relative(tmp_path):
    reference = recorded(tagger(), ids()).save(tmp_path / "r.npz")
    assert trace(reference, save(tmp_path / "a.npz", ran(tagger(), ids())))[0] == 0
    values = ran(wrong(tagger(), lambda m: m.norm.weight.mul_(1.01)), ids())
    status, text = trace(reference, save(tmp_path / "b.npz", values), "--no-replay")
    assert status == 1 and starts(text) == ["norm"] and "norm: no σ was recorded" in text, text


def test_gradients_are_gone_through_backwards(with_gradients, tmp_path):
    loss = {"loss": lambda y: y[..., 0].square().sum()}
    status, text = trace(
        with_gradients, save(tmp_path / "a.npz", ran(tagger(), ids(), **loss)))
    names = list(statuses(text))
    assert status == 0 and set(statuses(text).values()) == {"agrees"}, text
    backward = [name for name in names if name.startswith("backward of")]
    assert names[-len(backward):] == backward and backward[-1] == "backward of embed", text
    assert names.index("backward of norm") < names.index("backward of lstm"), text


def test_a_gradient_that_is_wrong_where_the_forward_pass_is_right(with_gradients, tmp_path):
    loss = {"loss": lambda y: y[..., 0].square().sum()}
    values = ran(tagger(), ids(), **loss)
    values["grad/norm.weight"] = values["grad/norm.weight"] * np.float32(1.01)
    status, text = trace(with_gradients, save(tmp_path / "a.npz", values))
    assert status == 1 and starts(text) == ["backward of norm"], text

    # Where the forward pass is wrong, the backward pass follows.
    values = ran(wrong(tagger(), gates_exchanged), ids(), **loss)
    status, text = trace(with_gradients, save(tmp_path / "c.npz", values))
    assert status == 1 and starts(text) == ["lstm"], text
    assert statuses(text)["backward of embed"] == "follows", text

    # A backward pass of one's own that forgets half of the gradient behind the norm.
    model = wrong(tagger(), lambda m: None)
    model.norm.register_full_backward_hook(lambda m, into, out: (into[0] * 0.5,))
    status, text = trace(with_gradients, save(tmp_path / "b.npz", ran(model, ids(), **loss)))
    assert status == 1 and starts(text) == ["backward of norm"], text
    assert statuses(text)["backward of lstm"] == "follows", text


def test_the_gradient_of_a_parameter_that_several_calls_add_to(tmp_path):
    class Twice(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner, self.last = nn.Linear(4, 4), nn.Linear(4, 2)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.last(self.inner(self.inner(x).tanh()).tanh())

    torch.manual_seed(6)
    model, x = Twice().eval(), torch.randn(5, 4)
    loss = {"loss": lambda y: y.square().sum()}
    reference = recorded(model, x, noise=16, **loss).save(tmp_path / "r.npz")
    values = ran(model, x, **loss)
    status, text = trace(reference, save(tmp_path / "a.npz", values))
    assert status == 0 and "backward of inner#2" in statuses(text), text
    # An error behind the first call alone goes into the parameter's gradient, and no further.
    values["grad/inner"] = values["grad/inner"] * np.float32(1.1)
    more = values["grad/inner"].T @ x.numpy() * np.float32(0.1 / 1.1)
    values["grad/inner.weight"] = values["grad/inner.weight"] + more
    status, text = trace(reference, save(tmp_path / "b.npz", values))
    assert status == 1 and statuses(text)["backward of inner"] == "follows", text
    assert len(starts(text)) == 1 and starts(text)[0].startswith("backward of inner#2"), text


class Shared(nn.Module):
    """One module called twice, its states handed over, sequences of several lengths."""

    def __init__(self) -> None:
        super().__init__()
        self.gru, self.out = nn.GRU(4, 6, batch_first=True), nn.Linear(6, 3)

    def forward(self, x: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        first, state = self.gru(x)
        packed = pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
        second, _ = self.gru(packed, state)
        return self.out(first) + self.out(pad_packed_sequence(second, batch_first=True)[0])


def test_calls_states_and_packed_sequences(tmp_path):
    torch.manual_seed(3)
    model = Shared().eval()
    x, lengths = torch.randn(3, 7, 4), torch.tensor([4, 7, 2])
    reference = recorded(model, x, lengths, noise=16).save(tmp_path / "r.safetensors")
    status, text = trace(reference, save(tmp_path / "a.npz", ran(model, x, lengths)))
    assert status == 0 and {"gru", "gru#2", "out", "out#2"} <= set(statuses(text)), text

    values = ran(model, x, lengths)
    values["gru#2/output"][1, 5:] = 0
    values["out#2/input.0"][1, 5:] = 0
    status, text = trace(reference, save(tmp_path / "b.npz", values))
    assert status == 1 and starts(text) == ["gru#2"], text

    class Forgetful(Shared):
        def forward(self, x: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
            packed = pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
            second, _ = self.gru(packed)
            padded = pad_packed_sequence(second, batch_first=True)[0]
            return self.out(self.gru(x)[0]) + self.out(padded)

    # The state is not handed over: the calls are in another order too, and are renamed.
    forgetful = Forgetful().eval()
    forgetful.load_state_dict(model.state_dict())
    values = ran(forgetful, x, lengths)
    second = {name: array for name, array in values.items() if name.startswith(("gru/", "out"))}
    renamed = {"gru#2/output": values["gru/output"], "gru#2/h_n": values["gru/h_n"],
               "gru/output": values["gru#2/output"], "gru/h_n": values["gru#2/h_n"],
               "input.0": values["input.0"], "out": second["out"], "out#2": second["out#2"]}
    status, text = trace(reference, save(tmp_path / "c.npz", renamed))
    assert status == 1 and starts(text) == ["gru#2"], text
    assert "with the initial states ignored" in text, text


@pytest.mark.parametrize("ending", [".safetensors", ".pt"])
def test_whole_numbers_and_booleans_are_compared(ending, tmp_path):
    class Masked(nn.Module):
        def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, ...]:
            return x > 0, x.argmax(-1), x.argmin(-1).to(torch.int8)

    model = nn.Sequential(nn.Linear(4, 6), Masked()).eval()
    x = torch.randn(5, 4, generator=torch.Generator().manual_seed(1))
    reference = recorded(model, x, noise=16).save(tmp_path / f"r{ending}")
    values = ran(model, x)
    status, text = trace(reference, write(tmp_path / f"a{ending}", {}, values))
    assert status == 0 and statuses(text)["1"] == "agrees", text
    for index in range(3):
        name = f"1/{index}"
        changed = values | {name: ~values[name] if values[name].dtype == bool
                            else values[name] + values[name].dtype.type(1)}
        status, text = trace(reference, write(tmp_path / f"a{ending}", {}, changed))
        assert status == 1 and starts(text) == ["1"], text


def test_a_fixture_of_several_modules(tmp_path):
    with np.load(ROOT / "Fixtures/sequential-lstm-tagger.npz") as archive:
        values = {name.removeprefix("outputs/"): archive[name] for name in archive.files
                  if name.startswith("outputs/")}
    fixture = ROOT / "Fixtures/sequential-lstm-tagger.npz"
    status, text = trace(fixture, save(tmp_path / "a.npz", values))
    assert status == 0 and list(statuses(text))[:2] == ["word_embeddings", "bilstm"], text
    for name in ("merge.output", "hidden2tag.output", "output"):
        values[name] = values[name] * np.float32(1.02)
    status, text = trace(fixture, save(tmp_path / "b.npz", values))
    assert status == 1 and starts(text)[0] == "merge" and "1.02 times" in text, text


def test_a_value_without_sigma_is_held_to_torch_testing(tmp_path):
    recording = recorded(tagger(), ids(), noise=16)
    del recording.sigma["norm"]
    recording.without_sigma = {"norm": "its operator has no rule"}
    reference = recording.save(tmp_path / "r.safetensors")
    values = arrays(recording)
    assert trace(reference, save(tmp_path / "a.npz", values))[0] == 0
    values["norm"] = values["norm"] + np.float32(1e-3)
    status, text = trace(reference, save(tmp_path / "b.npz", values))
    assert status == 1 and starts(text) == ["norm"] and "no σ was recorded" in text, text
