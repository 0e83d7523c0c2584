"""σ of single operators, forward and backward, beside what PyTorch's own float32 is off by from
float64; and what has no σ, since its rounding is not known."""

import copy
from collections.abc import Callable

import pytest
import torch
from torch import nn
from torch.nn import functional as F

import parity_check
from parity_check.noise import rules

pytestmark = pytest.mark.filterwarnings("ignore")
INDEX = torch.tensor([0, 2, 1, 2]).expand(3, 4)
BAGS = torch.tensor([1, 2, 4, 5, 4, 3, 2, 9]), torch.tensor([0, 3, 5])
IS_OLD = torch.__version__ < "2.5"
Compute = Callable[..., torch.Tensor]


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


class Operator(nn.Module):
    """A function of parameters, so that gradients by them are recorded."""

    def __init__(self, compute: Compute, given: list[torch.Tensor]) -> None:
        super().__init__()
        self.compute, self.given = compute, nn.ParameterList(given)

    def forward(self) -> torch.Tensor:
        # Times one: what is computed by must be no leaf.
        return self.compute(*(x * 1 for x in self.given))


def resized(mode: str, size: int | tuple[int, ...]) -> Compute:
    return lambda x: F.interpolate(x, size, mode=mode)


def sampled(mode: str, padding: str) -> Compute:
    return lambda x, grid: F.grid_sample(
        x, 1.2 * grid.tanh(), mode=mode, padding_mode=padding, align_corners=False)


def reduced(how: str, own: bool) -> Compute:
    return lambda x, y: x.scatter_reduce(1, INDEX, y, how, include_self=own)


def bags(mode: str) -> Compute:
    return lambda table: F.embedding_bag(BAGS[0], table, BAGS[1], mode=mode)


RULED: dict[str, tuple[Compute, tuple[int, ...], ...]] = {
    "prod": (lambda x: x.prod(1), (3, 5)),
    "prod of all": (lambda x: x.prod(), (3, 5)),
    "cumprod": (lambda x: x.cumprod(1), (3, 5)),
    "cdist 1": (lambda x, y: torch.cdist(x, y, 1), (3, 5), (4, 5)),
    "cdist 2": (lambda x, y: torch.cdist(x, y), (3, 5), (4, 5)),
    "cdist 3": (lambda x, y: torch.cdist(x, y, 3), (3, 5), (4, 5)),
    "bilinear": (lambda x, y, w, b: F.bilinear(x, y, w, b), (3, 2), (3, 5), (4, 2, 5), (4,)),
    "rrelu": (lambda x: F.rrelu(x), (4, 6)),
    "sinc": (lambda x: torch.sinc(3 * x), (4, 6)),
    "weight_norm": (lambda v, g: torch._weight_norm(v, g), (4, 3), (4, 1)),
    "embedding": (lambda table: F.embedding(BAGS[0], table) * 3, (10, 4)),
    "embedding_bag sum": (bags("sum"), (10, 4)),
    "embedding_bag mean": (bags("mean"), (10, 4)),
    "embedding_bag max": (bags("max"), (10, 4)),
    "scatter_reduce sum": (reduced("sum", True), (3, 5), (3, 4)),
    "scatter_reduce prod": (reduced("prod", True), (3, 5), (3, 4)),
    "scatter_reduce mean": (reduced("mean", False), (3, 5), (3, 4)),
    "scatter_reduce amax": (reduced("amax", True), (3, 5), (3, 4)),
    "index_reduce prod": (lambda x, y: x.index_reduce(1, INDEX[0], y, "prod"), (3, 5), (3, 4)),
    "index_reduce mean": (lambda x, y: x.index_reduce(1, INDEX[0], y, "mean"), (3, 5), (3, 4)),
    "put": (lambda x, y: x.put(INDEX[0], y, accumulate=True), (3, 5), (4,)),
    "index_add": (lambda x, y: x.index_add(1, INDEX[0], y, alpha=0.3), (3, 5), (3, 4)),
    "linear": (resized("linear", 1501), (1, 1, 1000)),
    "bilinear image": (resized("bilinear", (8, 8)), (2, 2, 4, 4)),
    "bicubic image": (resized("bicubic", (7, 5)), (2, 2, 4, 4)),
    "trilinear image": (resized("trilinear", (5, 6, 3)), (1, 2, 3, 3, 3)),
    "nearest-exact": (resized("nearest-exact", (5, 6)), (2, 2, 4, 4)),
    "grid_sample": (sampled("bilinear", "zeros"), (2, 2, 4, 4), (2, 3, 3, 2)),
    "grid_sample bicubic": (sampled("bicubic", "border"), (2, 2, 4, 4), (2, 3, 3, 2)),
    "average of many": (lambda x: F.adaptive_avg_pool2d(x.relu(), 2), (1, 2, 60, 60)),
    "average of volumes": (lambda x: F.adaptive_avg_pool3d(x, 2), (1, 2, 4, 5, 3)),
    "largest of volumes": (lambda x: F.adaptive_max_pool3d(x, 2) * 3, (1, 2, 4, 5, 3)),
    "softshrink": (lambda x: F.softshrink(x, 0.3) * 3, (4, 6)),
    "complex product": (lambda x, y: torch.view_as_real(
        torch.complex(x, x + 1) @ torch.complex(y, -y).T), (3, 4), (3, 4)),
    "linspace": (lambda x: x * torch.linspace(0, 1.3, 6), (4, 6)),
    "number that is none of float32": (lambda x: x * 0.3, (4, 6)),
}


def deviations(
    compute: Compute, shapes: tuple[tuple[int, ...], ...], draws: int
) -> tuple[list[torch.Tensor], list[torch.Tensor]]:
    """By how many σ PyTorch's results, and its gradients, are off from float64, where a σ is not
    0; what has a σ of 0 must be exact."""
    found: tuple[list[torch.Tensor], list[torch.Tensor]] = [], []
    for seed in range(draws):
        torch.manual_seed(seed)
        model = Operator(compute, [torch.randn(shape) for shape in shapes]).eval()
        exact = copy.deepcopy(model).double()
        factor = torch.randn(model().shape)

        def loss(y: torch.Tensor, factor: torch.Tensor = factor) -> torch.Tensor:
            return (y * factor.to(y.dtype)).sum()

        with parity_check.record(model, modules="Operator", noise=8, loss=loss) as actual:
            model()
        with parity_check.record(exact, modules="Operator", loss=loss) as reference:
            exact()
        assert not actual.without_sigma
        groups = ((actual.values, actual.sigma, reference.values),
                  (actual.gradients, actual.gradient_sigma, reference.gradients))
        for z, (values, sigmas, expected) in zip(found, groups, strict=True):
            assert sigmas.keys() == values.keys()
            for name, value in values.items():
                difference = (value.double() - expected[name]).abs()
                sigma = sigmas[name].double()
                assert (difference[sigma == 0] == 0).all(), name
                if (rounded := sigma > 1e-40).any():
                    z.append(difference[rounded] / sigma[rounded])
    return found


def rms(z: list[torch.Tensor]) -> float:
    return torch.cat(z).square().mean().sqrt().item()


@pytest.mark.parametrize("name", RULED)
def test_sigma_is_what_pytorch_is_off_by(name):
    if "embedding_bag" in name and IS_OLD:
        pytest.skip("this PyTorch does not say what the gradient of an embedding bag is made of")
    compute, *shapes = RULED[name]
    values, gradients = deviations(compute, tuple(shapes), 2)
    for z in (values, gradients):
        if z:
            assert max(one.max().item() for one in z) < 8
            assert rms(z) < 2
    # Where numbers are chosen alone, a sum of a gradient seldom has two terms.
    assert "max" in name or "largest" in name or rms(values + gradients) > 0.04


def test_without_the_rounding_of_a_product_it_would_fail(monkeypatch):
    """The check above can fail."""
    monkeypatch.setattr(rules, "chain", lambda name, args, out, a: 0.05 * rules.single(out, a))
    z, _ = deviations(lambda x: x.prod(1), ((3, 5),), 2)
    assert max(one.max().item() for one in z) > 8


class Function(nn.Module):
    def __init__(self, compute: Compute) -> None:
        super().__init__()
        self.compute = compute

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.compute(x)


def recorded(compute: Compute, x: torch.Tensor) -> parity_check.Recording:
    model = Function(compute).eval()
    with parity_check.record(model, noise=8) as recording:
        model(x)
    return recording


@pytest.mark.parametrize("compute", [
    lambda x: F.interpolate(x[None], 9, mode="linear")[0],
    lambda x: torch.linalg.cross(x[:, :3], x[:, 1:4]),
    lambda x: torch.addr(x, x[:, 0], x[0]),
    lambda x: torch.cdist(x.repeat(8, 1), x + 1),
    lambda x: F.bilinear(x, x, torch.ones(2, 5, 5, dtype=x.dtype)),
])
def test_these_have_none_in_half_precision(compute):
    """PyTorch rounds between their parts."""
    x = torch.randn(4, 5)
    assert "Function" in recorded(compute, x).sigma
    recording = recorded(compute, x.bfloat16())
    assert not recording.sigma and recording.without_sigma["Function"].startswith("no rule for ")


def test_a_rule_that_fails_in_the_replicas_alone_leaves_no_sigma(monkeypatch):
    """Nothing is moved in the run without noise, so that its rules are not asked."""
    def fails(*_: object) -> None:
        raise ValueError

    monkeypatch.setattr(rules, "chain", fails)
    recording = recorded(lambda x: x.prod(1), torch.randn(3, 4))
    assert not recording.sigma and recording.without_sigma == {"Function": "no rule for prod"}


@pytest.mark.parametrize("compute", [
    lambda x, g: x + torch.randn(x.shape, generator=g),
    lambda x, g: x * torch.rand(x.shape, generator=g, dtype=torch.float32),
    lambda x, g: x + torch.empty_like(x).normal_(generator=g),
    lambda x, g: x + torch.normal(x, 1.0, generator=g),
    lambda x, g: x + torch.normal(0.0, 1.0, x.shape, generator=g),
    lambda x, g: x * torch.bernoulli(torch.full_like(x, 0.5), generator=g),
])
def test_random_numbers_are_those_of_the_model(compute, monkeypatch):
    """Of another type they would be others, and σ that of other numbers."""
    generator = torch.Generator().manual_seed(3)
    centers = []
    add = parity_check.run_values.Values.add

    def kept(self, name: str, tensor: torch.Tensor, is_gradient: bool) -> None:
        centers.append(tensor.detach().clone())
        add(self, name, tensor, is_gradient)

    class Noisy(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.generator = generator

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return compute(x, self.generator)

    model = Noisy().eval()
    monkeypatch.setattr(parity_check.run_values.Values, "add", kept)
    with parity_check.record(model, noise=2) as recording:
        model(torch.randn(4, 5))
    assert torch.allclose(centers[0].float(), recording.values["Noisy"], atol=1e-6)
    assert "Noisy" in recording.sigma


def test_what_is_something_else_in_float64_has_no_sigma():
    recording = recorded(lambda x: x * (3.3 if x.dtype == torch.float32 else 4.4),
                         torch.randn(4, 5))
    assert not recording.sigma
    assert recording.without_sigma == {"Function": "in float64 the model gives something else"}


def rms_norm(x: torch.Tensor) -> torch.Tensor:
    """In float32, as it stands in models of half precision."""
    y = x.float()
    return (y * torch.rsqrt(y.square().mean(-1, keepdim=True) + 1e-6)).to(x.dtype)


@pytest.mark.parametrize(("compute", "exact", "dtype"), [
    (rms_norm, lambda x: x * torch.rsqrt(x.square().mean(-1, keepdim=True) + 1e-6),
     torch.bfloat16),
    (rms_norm, lambda x: x * torch.rsqrt(x.square().mean(-1, keepdim=True) + 1e-6),
     torch.float16),
    (lambda x: x.double().softmax(-1).float(), lambda x: x.softmax(-1), torch.float32),
    (lambda x: x * (torch.arange(257, 265).to(x.dtype) - 256),
     lambda x: x * torch.arange(1, 9), torch.bfloat16),
])
def test_a_part_in_another_type(compute, exact, dtype):
    zs = []
    for seed in range(5):
        x = torch.randn(4, 8, generator=torch.Generator().manual_seed(seed)).to(dtype)
        recording = recorded(compute, x)
        difference = (recording.values["Function"].double() - exact(x.double())).abs()
        sigma = recording.sigma["Function"].double()
        zs.append(torch.where(difference == 0, 0, difference / sigma))
    z = torch.cat(zs)
    assert z.max() < 8 and 0.05 < z.square().mean().sqrt() < 2


def test_what_is_a_number_of_the_type_already_is_not_rounded():
    x = torch.tensor([1.0, -3.0, 2.5])
    assert not recorded(lambda x: x * 2 + 1, x).sigma["Function"].any()
    # 0.3 itself is rounded, and 5 · 0.3 happens to be a number of float32.
    assert (recorded(lambda x: x * 0.3, 5 * x).sigma["Function"] > 0).all()


def test_batch_norm_of_either_form_is_within_its_sigma():
    torch.manual_seed(4)
    norm = nn.BatchNorm1d(16).eval()
    norm.running_mean.normal_(3)
    norm.running_var.uniform_(0.3, 2)
    # PyTorch takes the mean off first of a view, and multiplies and adds of what is contiguous.
    view = (norm.running_mean + torch.randn(200, 7, 16) * 1e-4).transpose(1, 2)
    with parity_check.record(norm, noise=16) as recording:
        norm(view)
    (name,) = recording.stages[0].outputs
    other, own = norm(view.contiguous()), recording.values[name]
    assert not torch.equal(other, own)
    z = (other - own).double() / (recording.sigma[name].double() * 2**0.5)
    assert z.abs().max() <= 8
    assert 0.05 <= z.square().mean().sqrt() <= 2
