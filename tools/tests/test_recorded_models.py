"""Models that do what is seldom done: recorded right, and left as they were."""

import copy

import numpy as np
import pytest
import torch
from torch import nn

import parity_check
from parity_check.containers import read

pytestmark = pytest.mark.filterwarnings("ignore::parity_check.RecordingWarning")
X = torch.randn(3, 4, generator=torch.Generator().manual_seed(1))


def recorded(model: nn.Module, *given, **options) -> parity_check.Recording:
    with parity_check.record(model.eval(), **options) as recording:
        model(*given)
    return recording


class Chain(nn.Module):
    """A model of some modules, and a function that calls them."""

    def __init__(self, forward, **modules: nn.Module) -> None:
        super().__init__()
        self.run = forward
        for name, module in modules.items():
            self.add_module(name, module)

    def forward(self, *given):
        return self.run(self, *given)


def linear(i: int = 4, o: int = 4) -> nn.Linear:
    torch.manual_seed(i + o)
    return nn.Linear(i, o)


def test_gradients_that_were_there_stay():
    model = linear()
    model.weight.grad = torch.full((4, 4), 7.0)
    kept = model.weight.grad
    recording = recorded(model, X, loss=lambda y: y.sum(), noise=2)
    assert model.weight.grad is kept and (kept == 7).all()
    assert recording.gradient_sigma and recording.sigma


def test_a_hook_on_a_parameter_s_gradient_is_not_called():
    model, called = linear(), []
    model.weight.register_post_accumulate_grad_hook(called.append)
    recorded(model, X, loss=lambda y: y.sum(), noise=2)
    assert not called


def test_what_a_model_keeps_is_what_one_call_leaves():
    class Keeps(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.linear, self.calls, self.seen = linear(), 0, []
            self.register_buffer("mean", torch.zeros(4))

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            self.calls += 1
            y = self.linear(x)
            self.seen.append(y.detach())
            self.mean = 0.9 * self.mean + 0.1 * y.detach().mean(0)
            return y

    model, other = Keeps(), Keeps()
    other.load_state_dict(copy.deepcopy(model.state_dict()))
    recorded(model, X, noise=3, loss=lambda y: y.sum())
    other(X)
    assert model.calls == 1 and len(model.seen) == 1
    assert model.seen[0].dtype == torch.float32 and torch.equal(model.mean, other.mean)


def test_random_numbers_go_on_as_without():
    model = linear()
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    recorded(model, X, noise=2, loss=lambda y: y.sum())
    assert torch.equal(torch.rand(3), expected)


def test_a_folder_of_other_things_is_not_replaced(tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("years")
    with pytest.raises(FileExistsError, match="mine is a folder of something else"):
        recorded(linear(), X).save(tmp_path / "mine")
    assert (tmp_path / "mine" / "thesis.txt").read_text() == "years"


def test_a_refused_recording_is_not_saved(tmp_path):
    model = linear().eval()
    with pytest.raises(RuntimeError), parity_check.record(model) as recording:
        model(X)
        raise RuntimeError
    with pytest.raises(parity_check.RecordingError, match="the block has not ended, or was"):
        recording.save(tmp_path / "r.npz")
    assert not list(tmp_path.iterdir())


def test_a_module_named_input():
    model = Chain(lambda m, x: m.out(m.input(x)), input=linear(), out=linear())
    recording = recorded(model, X)
    assert torch.equal(recording.values["input"], X)
    assert [stage.inputs for stage in recording.stages] == [["input"], ["input'"]]
    assert torch.equal(recording.values["input'"], model.input(X))


def test_parts_of_one_storage_are_told_apart():
    split = Chain(lambda m, x: x.chunk(2, dim=-1))
    model = Chain(lambda m, x: [m.a(m.split(x)[0]), m.b(m.split(x)[1])],
                  split=split, a=linear(2, 2), b=linear(2, 2))
    recording = recorded(model, X)
    by_name = {stage.name: stage for stage in recording.stages}
    assert by_name["a"].inputs == ["split/0"] and by_name["b"].inputs == ["split#2/1"]


def test_a_view_is_kept_as_it_was_given():
    model = Chain(lambda m, x: m.out(m.lstm(x)[0][:, -1]),
                  lstm=nn.LSTM(4, 4, batch_first=True), out=linear())
    stage = recorded(model, torch.randn(2, 5, 4)).stages[-1]
    assert stage.inputs == ["lstm/output"] and stage.views == {"0": "out/input.0"}
    recording = recorded(model, torch.randn(2, 5, 4))
    assert torch.equal(recording.values["out/input.0"], recording.values["lstm/output"][:, -1])
    assert recording.manifest()["stages"][-1]["views"] == {"0": "out/input.0"}


def test_views_are_kept_in_every_container(tmp_path):
    """`a` is a tensor, and `a/input.0` too."""
    model = Chain(lambda m, x: m.b(m.a(x + 1).T), a=linear(), b=linear(3, 2))
    recording = recorded(model, X)
    for ending in (".npz", ".h5", ".safetensors", ".pt", ""):
        arrays = read(recording.save(tmp_path / f"r{ending}"))[1]
        assert arrays.keys() == recording.arrays().keys(), ending


def test_what_is_written_unseen_is_a_new_value():
    def forward(m, x):
        y = m.a(x)
        y.data.mul_(2)
        return m.b(y)

    stage = recorded(Chain(forward, a=linear(), b=linear()), X).stages[-1]
    assert stage.inputs == ["b/input.0"]


def test_inference_mode_has_the_same_flow():
    model = Chain(lambda m, x: m.b(m.a(x)), a=linear(), b=linear()).eval()
    with parity_check.record(model) as recording, torch.inference_mode():
        model(X)
    assert recording.stages[1].inputs == ["a"]


def test_a_class_that_computes_the_same_goes_by_pytorch_s_name():
    class Mine(nn.LSTM):
        pass

    recording = recorded(Mine(4, 3), torch.randn(5, 2, 4))
    assert recording.stages[0].kind == "LSTM" and recording.stages[0].arguments


@pytest.mark.parametrize("change", [
    lambda lstm: lstm.register_forward_hook(lambda m, a, r: (r[0] * 2, r[1])),
    lambda lstm: setattr(lstm, "forward", lambda x: (x * 2, (x, x))),
])
def test_what_a_hook_changes_is_no_lstm_s_result(change):
    lstm = nn.LSTM(4, 4)
    change(lstm)
    stage = recorded(Chain(lambda m, x: m.lstm(x), lstm=lstm), torch.randn(5, 2, 4)).stages[0]
    assert stage.arguments is None and not stage.is_recurrent


def test_noise_goes_from_call_to_call():
    """A model that is called part by part."""
    model = Chain(lambda m, x: x, a=linear(), b=nn.Identity()).eval()
    with parity_check.record(model, noise=4) as recording:
        model.b(model.a(X))
    assert recording.stages[1].inputs == ["a"]
    # `b` rounds nothing itself.
    assert (recording.sigma["b"] > 0).all()
    assert torch.equal(recording.sigma["b"], recording.sigma["a"])


def test_gradients_of_a_dropout_belong_to_the_mask_of_its_values():
    model = nn.Sequential(linear(), nn.Dropout(0.5)).train()
    with parity_check.record(model, training=True, deterministic=False, noise=2,
                             loss=lambda y: y.sum()) as recording:
        model(torch.randn(20, 4))
    dropped = recording.values["1"] == 0
    assert dropped.any() and not dropped.all()
    assert torch.equal(recording.gradients["0"] == 0, dropped)
    assert not recording.sigma and recording.without_sigma == {"1": "differs from run to run"}


def test_tf32_is_no_arithmetic_of_a_cpu():
    with pytest.raises(parity_check.RecordingError, match="tf32=True is for a model on a GPU"):
        with parity_check.record(linear().eval(), tf32=True):
            pytest.fail("the block must not run")


def test_keyword_arguments_keep_their_names():
    model = Chain(lambda m, x, mask: m.attention(x, x, x, key_padding_mask=mask)[0],
                  attention=nn.MultiheadAttention(4, 2))
    mask = torch.tensor([[False, False, True]])
    stage = recorded(model, torch.randn(3, 1, 4), mask).stages[0]
    assert stage.inputs == ["input.0"] * 3 and stage.keywords == {"key_padding_mask": "input.1"}


def test_whole_numbers_have_no_sigma():
    model = Chain(lambda m, tokens: m.out(m.embedding(m.shift(tokens))),
                  shift=Chain(lambda m, x: x + 1), embedding=nn.Embedding(9, 4), out=linear())
    recording = recorded(model, torch.tensor([[1, 2], [3, 4]]), noise=2, loss=lambda y: y.sum())
    assert set(recording.sigma) == {"embedding", "out"} and not recording.without_sigma


def test_complex_outputs_are_left_out():
    model = Chain(lambda m, x: m.out(m.fft(x).abs()),
                  fft=Chain(lambda m, x: torch.fft.rfft(x)), out=linear(3, 2))
    with pytest.warns(parity_check.RecordingWarning, match="fft gives complex numbers"):
        recording = recorded(model, X, noise=2)
    assert set(recording.sigma) == {"out", "out/input.0"}


def test_parameters_are_kept_once_for_many_calls():
    model = Chain(lambda m, x: [m.cell(step) for step in x], cell=nn.GRUCell(4, 8))
    stages = recorded(model, torch.randn(20, 2, 4)).stages
    assert len(stages) == 20 and all(s.state_dict is stages[0].state_dict for s in stages)


def test_sizes_may_be_numpy_s_integers(tmp_path):
    recording = recorded(nn.Linear(np.int64(4), np.int64(3)), X)
    entry = read(recording.save(tmp_path / "r.npz"))[0]["stages"][0]
    assert entry["arguments"]["out_features"] == 3


def test_thousands_of_calls_are_recorded():
    model = Chain(lambda m, x: [m.cell(step) for step in x], cell=nn.GRUCell(4, 8))
    assert len(recorded(model, torch.randn(5000, 2, 4)).stages) == 5000


def test_a_module_of_parameters_is_a_stage():
    class Scaled(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.scales = nn.ParameterList([torch.ones(4), torch.full((4,), 2.0)])

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x * self.scales[0] * self.scales[1]

    assert [stage.name for stage in recorded(Scaled(), X).stages] == ["Scaled"]


@pytest.mark.parametrize(("compute", "loss"), [
    (lambda x: x.clone().pow_(2), None),
    (lambda x: torch.addcmul(x, x, x, value=0.3), None),
    (lambda x: torch.lerp(x, 2 * x, 0.3), None),
    (lambda x: torch.einsum("bi,bj->ij", x, x), None),
    (lambda x: torch.cumsum(x, 0).logsumexp(0), None),
    (lambda x: nn.functional.mse_loss(x, x * 2).sum(), None),
    (lambda x: nn.functional.scaled_dot_product_attention(x, x, x), None),
    (lambda x: nn.functional.interpolate(x[None], scale_factor=2, mode="linear"), None),
    (lambda x: x * 3, lambda y: y.square().mean()),
])
def test_these_have_a_sigma_that_covers_their_rounding(compute, loss):
    model = Chain(lambda m, x: compute(x)).eval()
    x = torch.rand(3, 4) + 0.5
    with parity_check.record(model, noise=16, loss=loss) as recording:
        actual = model(x)
    sigma = recording.sigma["Chain"].double()
    error = (actual.double() - compute(x.double())).abs()
    assert (error <= 8 * sigma).all() and (sigma > 0).any()
    assert sigma.max() < 1e-6 * max(1, actual.abs().max())
    assert (recording.gradient_sigma.keys() == recording.gradients.keys())


def test_a_factor_of_the_terms_is_one_of_their_rounding():
    """1 − 1 is 0, and its terms are rounded all the same."""
    def sigma(alpha: float) -> torch.Tensor:
        model = Chain(lambda m, x: torch.addmm(torch.zeros(1, 1), x, torch.ones(2, 1), alpha=alpha))
        return recorded(model, torch.tensor([[1.0, -1.0]]), noise=4).sigma["Chain"]

    assert sigma(1) > 0 and torch.allclose(sigma(1000), 1000 * sigma(1))


@pytest.mark.parametrize("compute", [
    lambda x: torch.mm(x, x.T, out=torch.empty(3, 3)),
    lambda x: (x.bfloat16() * 2).float(),
    lambda x: torch.logcumsumexp(x, 0),
])
def test_these_have_none(compute):
    recording = recorded(Chain(lambda m, x: compute(x)), X, noise=2)
    assert not recording.sigma and recording.without_sigma["Chain"].startswith("no rule for ")


def test_a_negative_number_of_replicas():
    with pytest.raises(ValueError, match="noise=-1"), parity_check.record(
            linear().eval(), noise=-1):
        pytest.fail("the block must not run")
