"""What confirms an inconclusive verdict, and the draws of large results."""

import dataclasses

import pytest
import torch

from measure import noise_witness
from measure.random_modules import draw_large, draw_sizes, forward, make, make_inputs


def relu(scale: float):
    return dataclasses.replace(
        draw_sizes(0, 1), kind="RNN", arguments={"nonlinearity": "relu", "bias": False},
        input_size=4, hidden_size=4, batch=2, steps=20, scale=scale, recurrent="constant",
        inputs="positive", gate_bias=0, initial_state=False, onednn=False, threads=1,
        dtype=torch.float32)


def test_a_relu_that_grows_to_the_largest_number_confirms():
    # Each step multiplies a state by about `scale`: beyond 1e38 after twenty steps.
    assert noise_witness.witness(relu(150.0), 1).overflows
    for dtype in (torch.float32, torch.float16):
        tame = noise_witness.witness(dataclasses.replace(relu(0.5), dtype=dtype), 1)
        assert not tame.overflows and not tame.confirms


def test_a_module_that_parts_from_float64_confirms():
    chaotic = dataclasses.replace(
        relu(60.0), kind="RNN", arguments={"nonlinearity": "tanh", "bias": False},
        recurrent="random", hidden_size=64, steps=200, inputs="random")
    said = noise_witness.witness(chaotic, 1)
    assert said.parted > noise_witness.CONFIRMED and said.confirms and not said.overflows


@pytest.mark.parametrize("number", [0, 2])
def test_large_results_have_a_million_elements_or_about_so(number):
    c = draw_large(number, 4)
    features = c.arguments.get("proj_size") or c.hidden_size
    elements = features * (1 + c.arguments["bidirectional"]) * c.steps * c.batch
    assert 0.8e6 < elements < 1.2e7
    small = dataclasses.replace(c, steps=2, batch=2)
    module = make(small)
    assert forward(small, module, make_inputs(small, module))["output"].numel()


@torch.no_grad()
def test_the_c_of_every_step_is_looked_at():
    c = dataclasses.replace(
        draw_sizes(0, 1), kind="LSTM", arguments={"num_layers": 1, "bidirectional": False},
        input_size=4, hidden_size=3, batch=2, steps=6, scale=1.0, recurrent="random",
        inputs="random", gate_bias=0, initial_state=True, onednn=False, threads=1,
        dtype=torch.float64)
    torch.manual_seed(3)
    module = make(c)
    inputs = make_inputs(c, module)
    states = noise_witness.all_states(c, module, inputs)
    assert states["c_n"].shape == (6, 1, 2, 3)
    for steps in (2, 6):
        beginning = forward(c, module, inputs | {"input": inputs["input"][:steps]})
        torch.testing.assert_close(states["c_n"][steps - 1], beginning["c_n"])
