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
