"""σ of a recording covers what right runs of PyTorch differ by, and little more."""

import pytest
import torch
from torch import nn

import parity_check
from measure.calibrate_recordings import Tally, deviation, one
from measure.random_models import draw
from parity_check.noise import rules

pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def tally(count: int, dtype: torch.dtype = torch.float32, gradients: bool = False) -> Tally:
    counted = Tally()
    for index in range(count):
        one(draw(40_000 + index, dtype), index, gradients, counted)
    return counted


def test_right_runs_pass_and_wrong_weights_are_seen():
    counted = tally(8)
    assert counted.right == 24 and counted.alarms == 0
    assert counted.stages > 30 and counted.without == 0
    assert counted.seen["weight off by 1%"] >= counted.seen_by_testing["weight off by 1%"]
    assert counted.seen["sign of a weight"] >= 0.9 * counted.planted["sign of a weight"]


@pytest.mark.parametrize("dtype", [torch.float64, torch.float16, torch.bfloat16])
def test_other_arithmetics(dtype):
    counted = tally(3, dtype)
    assert counted.right == 9 and counted.alarms == 0
    assert counted.seen["sign of a weight"] > 0


def test_gradients():
    counted = tally(3, gradients=True)
    assert counted.right == 6 and counted.alarms == 0


def test_without_the_rounding_of_sums_right_runs_would_fail(monkeypatch):
    """The checks above can fail."""
    monkeypatch.setattr(
        rules, "sum_of_terms", lambda n, squares, out, *_, **__: torch.zeros_like(out))
    assert tally(2).alarms > 0


def test_what_cancels_is_measured():
    """1 + x − 1 has the absolute rounding of 1, however small x is."""
    class Cancels(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return (1 + x) - 1

    model = Cancels().eval()
    x = torch.full((50,), 1e-6)
    x[0] = 2e-6
    with parity_check.record(model, noise=16) as recording:
        model(x)
    sigma = recording.sigma["Cancels"]
    assert (sigma > 2.0**-27).all() and (sigma < 2.0**-22).all()


def test_a_stage_behind_an_operator_without_a_rule_has_no_sigma():
    class Inverted(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.before, self.after = nn.Linear(3, 3), nn.Linear(3, 3)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.after(torch.linalg.inv(self.before(x) + 5 * torch.eye(3)))

    model = Inverted().eval()
    with parity_check.record(model, noise=2) as recording:
        model(torch.randn(3, 3))
    assert set(recording.sigma) == {"before"}
    assert recording.without_sigma["after"] == "no rule for linalg_inv_ex"
    assert recording.manifest()["without_sigma"].keys() == {"after", "after/input.0"}


def test_the_same_recording_has_the_same_sigma():
    drawn = draw(7)
    sigmas = []
    for _ in range(2):
        with parity_check.record(drawn.model, noise=3) as recording:
            drawn.model(drawn.x)
        sigmas.append(recording.sigma)
        torch.rand(5)
    assert all(torch.equal(sigmas[0][name], sigmas[1][name]) for name in sigmas[0])


def test_what_a_model_converts_to_is_no_coarser_in_the_replicas():
    """`.float()` in a model must not round what is measured in float64."""
    class Converts(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.linear = nn.Linear(8, 8)
            self.scale = torch.full((8,), 1.5)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.linear((x * self.scale).float() + torch.zeros(8, dtype=torch.float32))

    plain = nn.Linear(8, 8).eval()
    converting = Converts().eval()
    converting.linear.load_state_dict(plain.state_dict())
    x = torch.randn(4, 8)
    with parity_check.record(converting, noise=8) as recording:
        converting(x)
    with torch.no_grad():
        exact = plain.double()(x.double() * 1.5)
    z, rms, limit = deviation(recording.values["linear"], exact, recording.sigma["linear"])
    assert z < 8 and rms < limit


class Gate(torch.nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.sigmoid(x)


def test_activations_that_are_accurate_beside_one_have_a_sigma_of_their_own(tmp_path):
    x = torch.linspace(-16, 4, 500)
    # As libraries compute it that have a fast tanh: small results have few correct digits.
    other = 0.5 + 0.5 * torch.tanh(x / 2)
    largest = {}
    for activations in ("relative", "absolute"):
        model = torch.nn.Sequential(Gate()).eval()
        with parity_check.record(model, noise=16, activations=activations) as recording:
            model(x)
        value, sigma = recording.values["0"], recording.sigma["0"]
        z = (other - value).double().abs() / (sigma.double() * 2**0.5)
        largest[activations] = z.max().item()
        manifest, _ = parity_check.containers.read(recording.save(tmp_path / f"{activations}.npz"))
        assert manifest.get("activations", "relative") == activations
    assert largest["relative"] > 100 and largest["absolute"] < 8
    with pytest.raises(ValueError, match="activations='exact': give 'relative' or 'absolute'"):
        with parity_check.record(model, activations="exact"):
            pass
