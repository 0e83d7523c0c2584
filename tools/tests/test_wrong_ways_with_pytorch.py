"""Ways to be wrong, compared with PyTorch's own modules that are called wrongly."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pytest
import torch

from catalogue import export_fixtures
from measure.ways_of_running import fast_sigmoid, fast_tanh, piecewise_sigmoid
from measure.wrong_forward import Run, sigmoid
from measure.wrong_ways import WAYS, compute, run_of


@pytest.fixture(autouse=True)
def one_thread():
    export_fixtures.quiet_pytorch()


@dataclass
class Torch:
    """A module of PyTorch, called in ways that are wrong."""

    module: torch.nn.Module
    x: torch.Tensor
    states: list[torch.Tensor]
    lengths: list[int]

    def call(self, x: torch.Tensor, states: list[torch.Tensor]) -> tuple[torch.Tensor, list]:
        if len(states) == 1:
            output, h_n = self.module(x, states[0])
            return output, [h_n]
        output, finals = self.module(x, tuple(states))
        return output, list(finals)

    def of_sequence(self, b: int) -> tuple[torch.Tensor, list[torch.Tensor]]:
        return self.x[:self.lengths[b], b:b + 1], [state[:, b:b + 1] for state in self.states]

    def joined(self, outputs: list[torch.Tensor], finals: list) -> list[torch.Tensor]:
        """Of sequences."""
        padded = [torch.nn.functional.pad(each, (0, 0, 0, 0, 0, 7 - len(each))) for each in outputs]
        return [torch.cat(padded, 1), *(torch.cat(each, 1) for each in zip(*finals))]

    def chunks(self, size: int) -> list[torch.Tensor]:
        outputs, finals = [], []
        for b in range(3):
            x, states = self.of_sequence(b)
            parts = []
            for chunk in x.split(size):
                output, last = self.call(chunk, states)
                parts.append(output)
                states = [torch.zeros_like(state) for state in states]
            outputs.append(torch.cat(parts))
            finals.append(last)
        return self.joined(outputs, finals)

    def in_turn(self) -> list[torch.Tensor]:
        outputs, finals = [], []
        for b in range(3):
            x, states = self.of_sequence(b)
            output, last = self.call(x, finals[-1] if finals else states)
            outputs.append(output)
            finals.append(last)
        return self.joined(outputs, finals)

    def with_states(self, change: Callable[[torch.Tensor], torch.Tensor]) -> list[torch.Tensor]:
        outputs, finals = [], []
        self.states = [change(state) for state in self.states]
        for b in range(3):
            output, last = self.call(*self.of_sequence(b))
            outputs.append(output)
            finals.append(last)
        return self.joined(outputs, finals)


@torch.no_grad()
def of_pytorch(kind: str, lengths: list[int] | None = None, **arguments) -> tuple[Run, Torch]:
    """A run with 7 steps and 3 sequences, and PyTorch's module with its inputs."""
    torch.manual_seed(1)
    arguments = {"input_size": 5, "hidden_size": 4} | arguments
    module = getattr(torch.nn, kind)(**arguments)
    rows = arguments.get("num_layers", 1) * (2 if module.bidirectional else 1)
    states = [torch.randn(rows, 3, 4) for _ in range(2 if kind == "LSTM" else 1)]
    x = torch.randn(7, 3, 5)
    tensors = {f"state_dict/{name}": tensor for name, tensor in module.state_dict().items()}
    tensors |= {"inputs/input": x, **dict(zip(["inputs/h_0", "inputs/c_0"], states))}
    if lengths:
        tensors["inputs/lengths"] = torch.tensor(lengths)
    run = run_of(kind, arguments, {name: t.numpy() for name, t in tensors.items()})
    return run, Torch(module, x, states, lengths or [7] * 3)


def assert_same(run: Run, slug: str, expected: list[torch.Tensor]) -> None:
    assert WAYS[slug].applies(run)
    own = compute(run, [slug])
    assert len(own) == len(expected)
    for tensor, other in zip(own.values(), expected):
        np.testing.assert_allclose(tensor, other.numpy(), rtol=0, atol=2e-6)


KINDS = pytest.mark.parametrize("kind", ["LSTM", "GRU", "RNN"])
LENGTHS = pytest.mark.parametrize("lengths", [None, [4, 7, 3]])


@KINDS
@LENGTHS
@torch.no_grad()
def test_states_as_pytorch_gets_them(kind, lengths):
    for directions in [1, 2]:
        run, module = of_pytorch(kind, lengths, num_layers=2, bidirectional=directions == 2)
        for size in [2, 3, 4]:
            assert_same(run, f"state-reset-in-chunks({size})", module.chunks(size))
        if directions == 1:
            assert_same(run, "sequence-starts-where-previous-ended", module.in_turn())
            assert_same(run, "state-reset-at(4)", module.chunks(4))
            assert_same(run, "state-never-carried", module.chunks(1))
        rows = 2 * directions
        assert_same(run, "initial-states-reread", module.with_states(
            lambda state: state.reshape(3, rows, 4).transpose(0, 1)))
        run, module = of_pytorch(kind, lengths, num_layers=2, bidirectional=directions == 2)
        assert_same(run, "initial-states-reshaped", module.with_states(
            lambda state: state.transpose(0, 1).reshape(rows, 3, 4)))


def test_units_in_place():
    """h is one buffer, in a loop over units."""
    run, module = of_pytorch("RNN")
    p, h, output = run.parameters[0, 0], run.h_0[0].copy(), []
    for x in run.x:
        for sequence in range(3):
            for unit in range(4):
                h[sequence, unit] = np.tanh(
                    p.weight_ih[unit] @ x[sequence] + p.bias_ih[unit]
                    + p.weight_hh[unit] @ h[sequence] + p.bias_hh[unit])
        output.append(torch.tensor(h))
    assert_same(run, "h-overwritten-in-place", [torch.stack(output), output[-1][None]])


@torch.no_grad()
def step_by_step(
    module: Torch, change: Callable[[list[torch.Tensor], list[torch.Tensor]], list[torch.Tensor]]
) -> list[torch.Tensor]:
    """What `change` makes of the states before and after each step."""
    states, output = module.states, []
    for x in module.x.split(1):
        states = change(states, module.call(x, states)[1])
        output.append(states[0])
    return [torch.cat(output), *states]


@KINDS
def test_zoneout(kind):
    run, module = of_pytorch(kind)
    assert_same(run, "zoneout(0.1)", step_by_step(
        module, lambda old, new: [0.1 * a + 0.9 * b for a, b in zip(old, new)]))
    assert_same(run, "zoneout-h(0.5)", step_by_step(
        module, lambda old, new: [0.5 * old[0] + 0.5 * new[0], *new[1:]]))


@torch.no_grad()
def test_layer_norm():
    run, module = of_pytorch("RNN")
    [h], p, output = module.states, module.module, []
    for x in module.x:
        sums = x @ p.weight_ih_l0.T + p.bias_ih_l0 + h @ p.weight_hh_l0.T + p.bias_hh_l0
        h = torch.tanh(torch.nn.functional.layer_norm(sums, [4]))
        output.append(h)
    assert_same(run, "layer-norm", [torch.cat(output), h])


@KINDS
@LENGTHS
@torch.no_grad()
def test_reads_backwards(kind, lengths):
    run, module = of_pytorch(kind, lengths, num_layers=2)
    called = [module.call(x.flip(0), states) for x, states in map(module.of_sequence, range(3))]
    finals = [final for _, final in called]
    assert_same(run, "reads-backwards", module.joined([o.flip(0) for o, _ in called], finals))
    assert_same(run, "reads-backwards-left", module.joined([o for o, _ in called], finals))


@KINDS
@torch.no_grad()
def test_padding(kind):
    lengths = [4, 7, 3]
    for directions in [1, 2]:
        run, module = of_pytorch(kind, lengths, num_layers=2, bidirectional=directions == 2)
        right = module.with_states(lambda state: state)
        if directions == 1:
            unmasked, _ = module.call(module.x, module.states)
            assert_same(run, "output-unmasked", [unmasked, *right[1:]])
        repeated = right[0].clone()
        for b, length in enumerate(lengths):
            repeated[length:, b] = repeated[length - 1, b]
        assert_same(run, "last-output-repeated", [repeated, *right[1:]])
        shifted = torch.zeros_like(module.x)
        for b, length in enumerate(lengths):
            shifted[7 - length:, b] = module.x[:length, b]
        output, finals = module.call(shifted, module.states)
        assert_same(run, "padding-in-front", [output, *finals])
        module.lengths = [5, 7, 4]
        assert_same(run, "lengths-one-more", module.with_states(lambda state: state))
        module.lengths = [3, 6, 2]
        assert_same(run, "lengths-one-less", module.with_states(lambda state: state))
    run, module = of_pytorch(kind, lengths, bidirectional=True)
    output = np.zeros((7, 3, 8), np.float32)
    for b, length in enumerate(lengths):
        _, states = module.of_sequence(b)
        output[:length, b, :4] = module.call(module.x[:length, b:b + 1], states)[0][:, 0, :4]
        output[:length, b, 4:] = module.call(module.x[7 - length:, b:b + 1], states)[0][:, 0, 4:]
    np.testing.assert_allclose(
        compute(run, ["padded-axis-flipped"])["output"], output, rtol=0, atol=2e-6)


@KINDS
@torch.no_grad()
def test_zeros_behind(kind):
    run, module = of_pytorch(kind, num_layers=2, bidirectional=True)
    x = torch.cat([module.x, torch.zeros(2, 3, 5)])
    output, finals = module.call(x, module.states)
    assert_same(run, "zeros-behind(2)", [output[:7], *finals])


@torch.no_grad()
def test_rearranged_results():
    for batch_first in [False, True]:
        run, module = of_pytorch("LSTM", num_layers=2, bidirectional=True)
        run = replace(run, batch_first=batch_first)
        output, (h_n, c_n) = module.call(module.x, module.states)
        handed_out = output.transpose(0, 1) if batch_first else output
        reshaped = handed_out.transpose(0, 1).reshape(handed_out.shape)
        assert_same(run, "output-reshaped", [reshaped, h_n, c_n])
        assert_same(run, "final-states-reread", [handed_out, *(
            state.transpose(0, 1).reshape(4, 3, 4) for state in (h_n, c_n))])
        units = torch.stack([handed_out[..., :4], handed_out[..., 4:]], -1).flatten(-2)
        assert_same(run, "output-halves-interleaved", [units, h_n, c_n])


def test_coarse_weights():
    run, _ = of_pytorch("GRU")
    for size in [1e-6, 1e-4, 0.01, 1, 8]:
        small = run.with_parameters(lambda name, tensor: np.float32(size) * tensor)
        for slug, dtype in [("e4m3", torch.float8_e4m3fn), ("e5m2", torch.float8_e5m2)]:
            coarse = WAYS[f"weights-float8-{slug}"].before(small).parameters[0, 0]
            for name in ["weight_ih", "weight_hh"]:
                right = torch.tensor(getattr(small.parameters[0, 0], name))
                np.testing.assert_array_equal(getattr(coarse, name), right.to(dtype).float())
    p = WAYS["weights-int8-per-row"].before(run).parameters[0, 0]
    for row, right in zip(p.weight_hh, run.parameters[0, 0].weight_hh):
        scale = np.abs(right).max() / 127
        expected = torch.fake_quantize_per_tensor_affine(torch.tensor(right), scale, 0, -127, 127)
        np.testing.assert_allclose(row, expected, rtol=1e-6)


def test_activations_are_near_theirs():
    x = np.linspace(-12, 12, 4001, dtype=np.float32)
    assert np.abs(piecewise_sigmoid(x) - sigmoid(x)).max() < 0.019
    assert np.abs(fast_sigmoid(x) - sigmoid(x)).max() < 0.012
    assert np.abs(fast_tanh(x) - np.tanh(x)).max() < 0.024
    assert fast_tanh(x).dtype == piecewise_sigmoid(x).dtype == np.float32


def test_interleaved_rows():
    run, _ = of_pytorch("GRU")
    wrong, back = WAYS["gates-interleaved"].before(run), WAYS["gates-deinterleaved"].before(run)
    for name in ["weight_hh", "bias_ih"]:
        right, rows, other = (getattr(r.parameters[0, 0], name) for r in (run, wrong, back))
        for gate in range(3):
            for unit in range(4):
                np.testing.assert_array_equal(rows[unit * 3 + gate], right[gate * 4 + unit])
                np.testing.assert_array_equal(other[gate * 4 + unit], right[unit * 3 + gate])
    biases = WAYS["biases-interleaved"].before(WAYS["biases-deinterleaved"].before(run))
    np.testing.assert_array_equal(biases.parameters[0, 0].bias_hh, run.parameters[0, 0].bias_hh)
