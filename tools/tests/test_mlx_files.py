"""The weights of MLX's recurrent layers under its names, judged by `parity-check`.

With MLX installed they are saved and computed by it; without it, the same names and formulas are
made out of PyTorch's modules.
"""

import importlib.util
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import save_file

from checkpoint_cases import run

KINDS = ["LSTM", "GRU", "RNN"]
SIZES = (3, 4)


@pytest.fixture
def data(tmp_path) -> np.ndarray:
    x = np.random.default_rng(7).normal(size=(2, 6, 3)).astype(np.float32)
    np.save(tmp_path / "x.npy", x)
    return x


def save(weights: dict[str, np.ndarray], path: Path) -> Path:
    if path.suffix == ".npz":
        np.savez(path, **weights)
    else:
        save_file({name: np.ascontiguousarray(value) for name, value in weights.items()}, path)
    return path


def judged(tmp_path: Path, path: Path) -> tuple[int, str]:
    return run("run", f"{path}:model.encoder", "--input", tmp_path / "x.npy", "--batch-first",
               "--actual", tmp_path / "own.npz")


@torch.no_grad()
def as_mlx(kind: str, bias: bool) -> tuple[torch.nn.Module, dict[str, np.ndarray]]:
    """A module of PyTorch's whose parameters MLX's layer has too, and these under MLX's names."""
    torch.manual_seed(len(kind))
    module = getattr(torch.nn, kind)(*SIZES, batch_first=True, bias=bias).eval()
    size = SIZES[1]
    own = {}
    if bias and kind == "GRU":
        module.bias_hh_l0[: 2 * size] = 0
        own = {"b": module.bias_ih_l0, "bhn": module.bias_hh_l0[2 * size:]}
    elif bias:
        module.bias_hh_l0[:] = 0
        own = {"bias": module.bias_ih_l0}
    letters = ("Wxh", "Whh") if kind == "RNN" else ("Wx", "Wh")
    own |= dict(zip(letters, (module.weight_ih_l0, module.weight_hh_l0), strict=True))
    return module, {f"model.encoder.{name}": value.numpy() for name, value in own.items()}


@pytest.mark.parametrize("kind", KINDS)
def test_biases_that_do_not_fit_are_not_left_out(kind, tmp_path, data):
    """Neither a bias of another size, nor one that MLX's layer has not."""
    _, weights = as_mlx(kind, bias=False)
    for wrong in ({"bias": np.ones(5, np.float32)}, {"b": np.ones(4, np.float32)}):
        named = {f"model.encoder.{name}": value for name, value in wrong.items()}
        path = save(weights | named, tmp_path / "m.npz")
        status, text = run("run", f"{path}:model.encoder", "--input", tmp_path / "x.npy")
        assert status == 2 and "biases: expected bias" in text, text


@pytest.mark.parametrize("ending", ["npz", "safetensors"])
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("kind", KINDS)
@torch.no_grad()
def test_mlxs_names_are_known(tmp_path, data, kind, bias, ending):
    module, weights = as_mlx(kind, bias)
    path = save(weights | {"model.head.weight": np.ones((2, 4), "f4")}, tmp_path / f"m.{ending}")
    output, states = module(torch.from_numpy(data))
    states = states if isinstance(states, tuple) else (states,)
    right = dict(zip(("output", "h_n", "c_n"), map(torch.Tensor.numpy, (output, *states))))
    np.savez(tmp_path / "own.npz", **right)
    status, text = judged(tmp_path, path)
    assert status == 0, text
    text = run("inspect", path)[1]
    assert f"  model.encoder: {kind}(3, 4{'' if bias else ', bias=False'})" in text.splitlines()
    assert f"{4 if bias else 2} parameters made of MLX's weights" in text
    if bias:
        name = "bhn" if kind == "GRU" else "bias"
        weights[f"model.encoder.{name}"] = weights[f"model.encoder.{name}"] + np.float32(0.01)
        assert judged(tmp_path, save(weights, path))[0] == 1


@pytest.mark.parametrize("ending", ["npz", "safetensors"])
@pytest.mark.parametrize("kind", KINDS)
def test_what_mlx_computes_passes(tmp_path, data, kind, ending):
    if importlib.util.find_spec("mlx") is None:
        pytest.skip("without MLX (pip install 'mlx[cpu]')")
    import mlx.core as mx
    import mlx.nn as nn

    mx.random.seed(3)
    layer = getattr(nn, kind)(*SIZES)
    model = nn.Module()
    model.model = nn.Module()
    model.model.encoder = layer
    path = tmp_path / f"m.{ending}"
    model.save_weights(str(path))
    computed = layer(mx.array(data))
    hidden, *cell = computed if isinstance(computed, tuple) else (computed,)
    own = {"output": np.asarray(hidden), "h_n": np.asarray(hidden)[None, :, -1]}
    if cell:
        own["c_n"] = np.asarray(cell[0])[None, :, -1]
    np.savez(tmp_path / "own.npz", **own)
    status, text = judged(tmp_path, path)
    assert status == 0, text
