"""What can't be recorded, or makes no reference, is refused or warned of by name."""

import copy
import warnings

import pytest
import torch
from torch import nn

import parity_check
from parity_check import RecordingError, RecordingWarning


def model() -> nn.Module:
    torch.manual_seed(1)
    return nn.Sequential(nn.Linear(3, 4), nn.GRU(4, 5, batch_first=True)).eval()


X = torch.randn(2, 6, 3, generator=torch.Generator().manual_seed(2))



def meta() -> nn.Module:
    return model().to("meta")


def with_dropout_on() -> nn.Module:
    return nn.Sequential(nn.Linear(3, 3), nn.Dropout(0.5)).train()


@pytest.mark.parametrize(("refused", "told"), [
    (lambda: model().train(), "training mode"),
    (lambda: torch.jit.trace(nn.Linear(3, 4).eval(), X), "scripted or traced"),
    (lambda: torch.jit.script(nn.Linear(3, 4).eval()), "scripted or traced"),
    (lambda: nn.Sequential(torch.jit.script(nn.Linear(3, 4).eval())).eval(), "0 is scripted"),
    (lambda: torch.compile(model()), "record model._orig_mod"),
    (lambda: nn.DataParallel(model()).eval(), "record model.module"),
    (meta, "0.weight is on the device meta"),
    (lambda: "a file", "not str"),
])
def test_a_model_that_can_t_be_recorded(refused, told):
    with pytest.raises(RecordingError, match=told), parity_check.record(refused()):
        pytest.fail("the block must not run")


def test_a_name_that_is_none_names_others():
    with pytest.raises(RecordingError, match="has no module 'encoder'; it has"):
        with parity_check.record(model(), modules="encoder"):
            pytest.fail("the block must not run")


def test_a_predicate_that_takes_none():
    with pytest.raises(RecordingError, match="takes none of the 3 modules"):
        with parity_check.record(model(), modules=lambda name, module: False):
            pytest.fail("the block must not run")


def test_a_module_that_is_not_called():
    class Unused(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.used, self.unused = nn.Linear(3, 3), nn.Linear(3, 3)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.used(x)

    unused = Unused().eval()
    with pytest.raises(RecordingError, match="unused was not called"):
        with parity_check.record(unused, modules=["used", "unused"]):
            unused(X)
    with pytest.raises(RecordingError, match="no module of the model was called"):
        with parity_check.record(unused):
            pass


def test_what_is_random_is_refused():
    dropping = with_dropout_on()
    with pytest.raises(RecordingError, match="not deterministic: 1 came out otherwise"):
        with parity_check.record(dropping, training=True):
            dropping(X)
    with parity_check.record(dropping, training=True, deterministic=False) as recording:
        dropping(X)
    assert recording.provenance["training"] is True


def test_a_state_in_a_buffer_is_no_randomness():
    """A batch norm in training mode changes its statistics in each call."""
    norm = nn.Sequential(nn.BatchNorm1d(6)).train()
    before = copy.deepcopy(norm)
    with parity_check.record(norm, training=True, noise=2):
        norm(X)
    before(X)
    for name, tensor in norm.state_dict().items():
        assert torch.equal(tensor, before.state_dict()[name]), name


def test_autocast_is_refused():
    given = model()
    with pytest.raises(RecordingError, match="autocast is on"):
        with parity_check.record(given), torch.autocast("cpu", dtype=torch.bfloat16):
            given(X)


def test_a_loss_of_two_calls_is_refused():
    given = nn.Linear(3, 3).eval()
    with pytest.raises(RecordingError, match="a loss is of one call"):
        with parity_check.record(given, loss=lambda y: y.sum()):
            given(X)
            given(X)


def found(run, *arguments) -> list[str]:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        run(*arguments)
    return [str(warning.message) for warning in caught]


def recorded(module: nn.Module, *given, **options) -> list[str]:
    def run() -> None:
        with parity_check.record(module.eval(), **options):
            module(*given)

    return found(run)


@pytest.mark.parametrize(("change", "told"), [
    (lambda m: nn.init.zeros_(m.bias_ih_l0), "GRU has bias_ih_l0 0 throughout"),
    (lambda m: nn.init.constant_(m.weight_hh_l0, 0.1), "GRU has weight_hh_l0 the same throughout"),
    (lambda m: None, "GRU has parameters that look untrained"),
    (lambda m: [nn.init.zeros_(p) for p in m.parameters()], "GRU/output is 0 throughout"),
    (lambda m: nn.init.constant_(m.bias_hh_l0, float("nan")), "GRU/output is NaN throughout"),
])
def test_weights_that_show_little_are_named(change, told):
    torch.manual_seed(3)
    module = nn.GRU(3, 8)
    with torch.no_grad():
        change(module)
    assert any(told in line for line in recorded(module, X))


def test_inputs_that_show_little_are_named():
    module = nn.LSTM(3, 4, batch_first=True)
    assert any("a single step" in line for line in recorded(module, X[:, :1]))
    packed = nn.utils.rnn.pack_padded_sequence(X, torch.tensor([6, 6]), batch_first=True)
    assert any("sequences of one length" in line for line in recorded(module, packed))
    assert any("input is the same number throughout" in line
               for line in recorded(module, torch.ones(2, 6, 3)))


def test_a_good_reference_has_no_warning():
    torch.manual_seed(7)
    module = nn.LSTM(3, 8, batch_first=True)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.mul_(2).add_(torch.randn_like(parameter) * 0.1)
    assert recorded(module, X) == []


def test_an_output_without_tensors_is_left_out():
    class Words(nn.Module):
        def forward(self, x: torch.Tensor) -> str:
            return "no tensor"

    class Both(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.words, self.linear = Words(), nn.Linear(3, 3)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            self.words(x)
            return self.linear(x)

    assert any("words gives no tensor" in line for line in recorded(Both(), X))


def test_two_names_of_one_module_are_one():
    shared = nn.Linear(3, 3)
    both = nn.Sequential(shared, nn.ReLU(), shared).eval()
    with parity_check.record(both) as recording:
        both(X)
    assert [stage.name for stage in recording.stages] == ["0", "1", "0#2"]


def test_a_quantised_module_has_no_sigma():
    given = torch.ao.quantization.quantize_dynamic(
        nn.Sequential(nn.Linear(3, 4)), {nn.Linear}, dtype=torch.qint8).eval()

    def run() -> None:
        with parity_check.record(given, noise=2) as recording:
            given(X)
        assert not recording.sigma and "0" in recording.values

    assert any("no σ" in line for line in found(run))


def test_warnings_are_of_their_own_kind():
    module = nn.GRU(3, 8).eval()
    with pytest.warns(RecordingWarning), parity_check.record(module):
        module(X)


def test_many_stages_are_recorded():
    deep = nn.Sequential(*[nn.Identity() for _ in range(20_000)], nn.Linear(3, 3)).eval()
    with parity_check.record(deep) as recording:
        deep(X)
    assert len(recording.stages) == 20_001


class Calls(nn.Module):
    """A linear module, and a function that calls it."""

    def __init__(self, compute) -> None:
        super().__init__()
        torch.manual_seed(4)
        self.linear, self.compute = nn.Linear(3, 3), compute

    def forward(self, *given):
        return self.compute(self.linear, *given)


@pytest.mark.parametrize("call", [
    lambda m: torch.vmap(m)(X),
    lambda m: torch.func.grad(lambda x: m(x).sum())(X),
    lambda m: torch.func.grad(lambda p: torch.func.functional_call(m, p, (X,)).sum())(
        dict(m.named_parameters())),
])
def test_a_model_within_a_transform_is_refused(call):
    given = Calls(lambda linear, x: linear(x)).eval()
    with pytest.raises(RecordingError, match="from within torch.vmap or torch.func"):
        with parity_check.record(given):
            call(given)
    assert not given.linear._forward_hooks and not given._forward_pre_hooks


def test_a_module_within_a_transform_is_left_out():
    class Both(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.mapped, self.plain = nn.Linear(3, 3), nn.Linear(3, 3)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.plain(torch.vmap(self.mapped)(x))

    lines = recorded(Both(), X, noise=2)
    assert any("mapped is called from within torch.vmap or torch.func" in line for line in lines)
    assert not any("plain" in line for line in lines)


def scaled(linear: nn.Linear, x: torch.Tensor) -> torch.Tensor:
    with torch.no_grad():
        linear.weight.mul_(0.9)
    return linear(x)


def exchanged(linear: nn.Linear, x: torch.Tensor) -> torch.Tensor:
    linear.weight.data = linear.weight.data * 0.9
    return linear(x)


@pytest.mark.parametrize("compute", [scaled, exchanged])
def test_a_model_that_changes_its_parameters_is_refused_and_runs_once(compute):
    given = Calls(compute).eval()
    expected = given.linear.weight.detach() * 0.9
    with pytest.raises(RecordingError, match="linear.weight was changed in the block"):
        with parity_check.record(given):
            given(X)
    assert torch.equal(given.linear.weight, expected)
    with parity_check.record(given, deterministic=False) as recording:
        given(X)
    assert [stage.name for stage in recording.stages] == ["linear"]


def test_an_embedding_with_a_largest_norm_is_recorded():
    given = nn.Embedding(5, 3, max_norm=0.5).eval()
    with parity_check.record(given, noise=2) as recording:
        given(torch.tensor([1, 2, 2]))
    assert (recording.values["Embedding"].norm(dim=-1) < 0.51).all()


def gradient(linear: nn.Linear, x: torch.Tensor) -> torch.Tensor:
    x = x.detach().requires_grad_()
    return torch.autograd.grad(linear(x).tanh().sum(), x)[0]


def test_a_model_that_computes_gradients_itself_has_sigma():
    given = Calls(gradient).eval()
    with parity_check.record(given, noise=2) as recording:
        given(X)
    assert (recording.sigma["linear"] > 0).any()


@pytest.mark.parametrize(("loss", "told"), [
    (lambda y: y, r"loss= gives a tensor of the shape \(2, 6, 3\)"),
    (lambda y: None, "loss= gives NoneType"),
    (lambda y: 1.0, "loss= gives float"),
])
def test_a_loss_that_is_none(loss, told):
    given = Calls(lambda linear, x: linear(x)).eval()
    with pytest.raises(RecordingError, match=told), parity_check.record(given, loss=loss):
        given(X)


def test_a_model_without_gradients_refuses_a_loss():
    given = Calls(lambda linear, x: linear(torch.from_numpy(x.numpy() * 2))).eval()
    with pytest.raises(RecordingError, match="with gradients the model fails, with RuntimeError"):
        with parity_check.record(given, loss=lambda y: y.sum()):
            given(X)


def test_sparse_gradients_are_kept_as_dense_ones(tmp_path):
    given = nn.Embedding(5, 3, sparse=True).eval()
    with parity_check.record(given, noise=2, loss=lambda y: y.square().sum()) as recording:
        given(torch.tensor([1, 2, 2]))
    expected = 2 * given.weight.detach() * torch.tensor([0, 1, 2, 0, 0])[:, None]
    assert torch.equal(recording.gradients["weight"], expected)
    assert recording.save(tmp_path / "r.npz").exists()


def test_sparse_tensors_have_no_sigma():
    given = Calls(lambda linear, a, x: linear(a @ x)).eval()
    with parity_check.record(given, noise=2) as recording:
        given((torch.eye(6) + 0.3).to_sparse_csr(), X[0])
    assert not recording.sigma and recording.without_sigma["linear"].startswith("no rule for ")


@pytest.mark.parametrize(("module", "shape"), [
    (nn.LayerNorm(3), (0, 3)), (nn.Linear(3, 2), (0, 3)), (nn.Conv1d(3, 2, 3), (0, 3, 5)),
])
def test_a_batch_of_none_has_a_sigma_of_none(module, shape):
    with parity_check.record(module.eval(), noise=2, loss=lambda y: y.sum()) as recording:
        module(torch.zeros(shape))
    assert not recording.without_sigma and recording.sigma[type(module).__name__].numel() == 0


@pytest.mark.parametrize("dtype", [torch.uint16, torch.uint32, torch.uint64])
@pytest.mark.parametrize("ending", [".npz", ".h5", ".safetensors", ".pt", ""])
def test_unsigned_numbers_are_saved(dtype, ending, tmp_path):
    if ending == ".pt" and torch.__version__ < "2.5":
        pytest.skip("this PyTorch does not load what it saves")
    given = Calls(lambda linear, x: linear(x.float())).eval()
    numbers = torch.tensor([[1, 2, 300]]).to(dtype)
    with parity_check.record(given) as recording:
        given(numbers)
    _, arrays = parity_check.containers.read(recording.save(tmp_path / f"r{ending}"))
    assert (arrays["values/input"] == [[1, 2, 300]]).all()


class Turns(nn.Module):
    """Multiplies by complex numbers."""

    def __init__(self) -> None:
        super().__init__()
        self.turn = nn.Parameter(torch.randn(
            3, 3, dtype=torch.complex64, generator=torch.Generator().manual_seed(1)) * 0.3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.view_as_real((torch.complex(x, x + 1) @ self.turn).exp()).sum(-1)


def test_complex_parameters_are_wide_in_the_replicas():
    given = Turns().eval()
    with parity_check.record(given, noise=16) as recording:
        given(X)
    exact = given.turn.detach().to(torch.complex128)
    exact = (torch.complex(X, X + 1).to(torch.complex128) @ exact).exp()
    difference = (recording.values["Turns"].double() - exact.real - exact.imag).abs()
    z = difference / recording.sigma["Turns"].double()
    assert z.max() < 8 and 0.05 < z.square().mean().sqrt() < 2
