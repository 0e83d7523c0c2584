"""What is said of results that were made elsewhere and do not fit, with real PyTorch's beside them."""

import json
import re
import subprocess
from pathlib import Path

import numpy as np
import pytest
import torch

from catalogue import export_fixtures

ROOT = Path(__file__).resolve().parent.parent.parent
PARITY_CHECK = ROOT / ".build" / "release" / "parity-check"
SIZES = {"T": 4, "B": 3, "I": 5, "H": 6}

Results = dict[str, np.ndarray]


@pytest.fixture(autouse=True)
def quiet():
    export_fixtures.quiet_pytorch()
    torch.manual_seed(11)


def run(module: torch.nn.Module, x: torch.Tensor, states=None) -> Results:
    with torch.no_grad():
        output, final = module(x, states)
    final = final if isinstance(final, tuple) else (final,)
    named = {"output": output} | dict(zip(("h_n", "c_n"), final))
    return {name: tensor.numpy() for name, tensor in named.items()}


def write(
    folder: Path, module: torch.nn.Module, x: torch.Tensor, outputs: Results, states: Results = {},
    parameters: Results = {}, **more,
) -> Path:
    """A case, as a folder of .npy files."""
    tensors = {f"state_dict/{name}": tensor for name, tensor in module.state_dict().items()}
    tensors |= {f"state_dict/{name}": array for name, array in parameters.items()}
    tensors |= {f"outputs/{name}": array for name, array in outputs.items()}
    tensors |= {f"inputs/{name}": array for name, array in (states | {"input": x}).items()}
    for name, tensor in tensors.items():
        path = folder / "cases" / "case" / f"{name}.npy"
        path.parent.mkdir(parents=True, exist_ok=True)
        np.save(path, tensor)
    arguments = {"batch_first": module.batch_first, "bidirectional": module.bidirectional}
    manifest = {
        "format": "pytorch-parity/1", "module": type(module).__name__, "arguments": arguments}
    (folder / "cases" / "case" / "manifest.json").write_text(json.dumps(manifest | more))
    return folder


def check(folder: Path, actual: Results | None = None, *options: str) -> tuple[int, str]:
    arguments = [folder / "cases"]
    if actual is not None:
        (folder / "actual").mkdir(exist_ok=True)
        np.savez(folder / "actual" / "case.npz", **actual)
        arguments += ["--actual", folder / "actual"]
    tool = subprocess.run([PARITY_CHECK, *arguments, *options], capture_output=True, text=True)
    return tool.returncode, tool.stdout


def batch(batch_first: bool) -> torch.Tensor:
    axes = (SIZES["B"], SIZES["T"]) if batch_first else (SIZES["T"], SIZES["B"])
    return torch.randn(*axes, SIZES["I"])


def lstm(batch_first: bool = False, layers: int = 2) -> torch.nn.LSTM:
    return torch.nn.LSTM(
        SIZES["I"], SIZES["H"], layers, batch_first=batch_first, bidirectional=True).eval()


# MARK: Shapes

def apart(y: np.ndarray) -> np.ndarray:
    """`output` with the directions on an axis of their own."""
    return y.reshape(*y.shape[:2], 2, -1)


LAYOUTS = {
    "output": {
        "ONNX": lambda y, first: np.transpose(apart(y), (1, 2, 0, 3) if first else (0, 2, 1, 3)),
        "other batch_first": lambda y, _: y.transpose(1, 0, 2),
        "directions apart": lambda y, _: apart(y),
        "directions apart, axes exchanged": lambda y, _: apart(y).transpose(1, 0, 2, 3),
        "directions first": lambda y, _: apart(y).transpose(2, 0, 1, 3),
        "directions first, axes exchanged": lambda y, _: apart(y).transpose(2, 1, 0, 3),
        "flat": lambda y, _: y.reshape(-1, y.shape[-1]),
        "flat, axes exchanged": lambda y, _: y.transpose(1, 0, 2).reshape(-1, y.shape[-1]),
        "an axis more": lambda y, _: y[:, None],
    },
    "h_n": {
        "batch first": lambda h, _: h.transpose(1, 0, 2),
        "layers and directions apart": lambda h, _: h.reshape(2, 2, *h.shape[1:]),
        "directions, then layers": lambda h, _: h.reshape(2, 2, *h.shape[1:]).swapaxes(0, 1),
        "batch first, apart": lambda h, _: h.transpose(1, 0, 2).reshape(-1, 2, 2, h.shape[2]),
        "directions joined": lambda h, _: np.concatenate([h[0::2], h[1::2]], -1),
        "an axis more": lambda h, _: h[None],
    },
}


@pytest.mark.parametrize("batch_first", [False, True])
@pytest.mark.parametrize(
    ("name", "layout"), [(name, layout) for name, all in LAYOUTS.items() for layout in all])
def test_the_expression_gives_the_result(name, layout, batch_first, tmp_path):
    module, x = lstm(batch_first), batch(batch_first)
    right = run(module, x)
    folder = write(tmp_path, module, x, right)
    made = LAYOUTS[name][layout](right[name], batch_first)
    status, text = check(folder, right | {name: np.ascontiguousarray(made)}, "--diagnose", "off")
    assert status == 1, text
    line = text.splitlines()[0]
    expression = re.search(r", which is .*: (\S.*)$", line)
    assert expression, line
    variables = {name: made, "Y": made}
    assert np.array_equal(eval(expression[1], {}, variables), right[name]), line
    fixed = right | {name: eval(expression[1], {}, variables)}
    assert check(folder, fixed)[0] == 0


PARTS = {
    "h_n[0] alone": ("h_n", lambda h: h[0]),
    "h_n[-1] alone": ("h_n", lambda h: h[-1]),
    "h_n[-2:] alone": ("h_n", lambda h: h[-2:]),
    "h_n[0::2] alone": ("h_n", lambda h: h[0::2]),
    "h_n[:, 1] alone": ("h_n", lambda h: h[:, 1]),
    "c_n[:, 2] alone": ("c_n", lambda c: c[:, 2:]),
    "h_n[-2:] with the directions joined": ("h_n", lambda h: np.concatenate([h[-2], h[-1]], -1)),
    "output[:, 0] alone": ("output", lambda y: y[:, 0]),
    "output[-1] alone": ("output", lambda y: y[-1]),
    "the forward half of output": ("output", lambda y: y[..., :6]),
    "the reverse half of output": ("output", lambda y: y[..., 6:]),
    "output[-1], the forward half alone": ("output", lambda y: y[-1, :, :6]),
}


@pytest.mark.parametrize("what", PARTS)
def test_a_part_of_a_result_is_told(what, tmp_path):
    module, x = lstm(), batch(False)
    right = run(module, x)
    name, part = PARTS[what]
    actual = right | {name: np.ascontiguousarray(part(right[name]))}
    status, text = check(write(tmp_path, module, x, right), actual, "--diagnose", "off")
    assert status == 1
    assert f"from the outputs, which is {what}" in text.splitlines()[0], text


def test_an_unbatched_result_of_one_layer_is_told(tmp_path):
    module, x = lstm(layers=1), torch.randn(SIZES["T"], SIZES["I"])
    right = run(module, x)
    folder = write(tmp_path, module, x, right)
    for name, made, expected in [
        ("h_n", right["h_n"][:, None], "an axis of size 1 too many: h_n.reshape(2, 6)"),
        ("h_n", right["h_n"].reshape(12), "joined in the last axis: h_n.reshape(2, 6)"),
        ("output", right["output"][3], "output[-1] alone: give all 4 steps"),
    ]:
        text = check(folder, right | {name: made}, "--diagnose", "off")[1]
        assert text.splitlines()[0].endswith(expected), text


@pytest.mark.parametrize("batch_first", [False, True])
@pytest.mark.parametrize("zeros", [False, True])
@pytest.mark.parametrize("count", [2, 3])
def test_the_other_batch_first_is_told_beside_zero_states_too(count, zeros, batch_first, tmp_path):
    """With two sequences there are as many as D·L, so that h_n exchanged has its own shape."""
    module, other = lstm(batch_first, layers=1), lstm(not batch_first, layers=1)
    other.load_state_dict(module.state_dict())
    x = torch.randn(*((count, 4) if batch_first else (4, count)), SIZES["I"])
    states = {name: np.zeros((2, count, 6), np.float32) for name in ("h_0", "c_0")}
    right = run(module, x)
    folder = write(tmp_path, module, x, right, states if zeros else {})
    status, text = check(folder, run(other, x))
    assert status == 1
    stated = f"run the module with batch_first={batch_first}"
    assert stated in text.splitlines()[0], text
    assert "[batch-first-mistaken]" in text, text
    exchanged = {name: np.ascontiguousarray(a.swapaxes(0, 1)) for name, a in right.items()}
    text = check(folder, exchanged)[1]
    assert "output.transpose(1, 0, 2)" in text.splitlines()[0], text
    if count == 2:
        assert "[output-axes-exchanged, final-states-re" in text, text
        states_alone = exchanged | {"output": right["output"]}
        for name in ("h_n", "c_n"):
            text = check(folder, right | {name: states_alone[name]})[1]
            assert f"; {name} agrees with axes 0 and 1 exchanged" in text.splitlines()[0], text


# MARK: Names

def test_names_of_onnx_are_mapped(tmp_path):
    module, x = lstm(), batch(False)
    right = run(module, x)
    folder = write(tmp_path, module, x, right)
    onnx = dict(zip(("Y", "Y_h", "Y_c"), right.values()))
    status, text = check(folder, onnx)
    assert status == 1
    options = re.search(r"or say: (--map output=Y --map h_n=Y_h --map c_n=Y_c)$", text, re.M)
    assert options, text
    assert check(folder, onnx, *options[1].split())[0] == 0


# MARK: References

@pytest.mark.parametrize("units", [1, 2])
def test_a_reference_that_is_off_by_rounding_says_how_to_accept_it(units, tmp_path):
    module, x = lstm(), batch(False)
    right = run(module, x)
    for _ in range(units):
        right["h_n"] = np.nextafter(right["h_n"], np.float32(2))
    status, text = check(write(tmp_path, module, x, right))
    assert status == 2
    lines = [line.strip() for line in text.splitlines()]
    assert lines[0].startswith("invalid "), text
    assert lines[0].endswith("the reference's output and h_n are equal but for rounding"), text
    told = f"output and h_n differ by rounding alone (at most {units} ulp, |Δ| = "
    assert any(line.startswith(told) for line in lines), text
    assert "a reference made outside PyTorch;" in lines and "diagnosis" not in text, text
    statement = next(line for line in lines if line.startswith('"tolerance": '))
    folder = write(tmp_path, module, x, right, **json.loads("{" + statement + "}"))
    assert check(folder)[0] == 0


def test_zeros_of_another_sign_are_told(tmp_path):
    module, x = torch.nn.GRU(SIZES["I"], SIZES["H"]).eval(), batch(False)
    for parameter in module.parameters():
        torch.nn.init.zeros_(parameter)
    right = run(module, x)
    assert not right["output"].any()
    right["h_n"] = -right["h_n"]
    text = check(write(tmp_path, module, x, right))[1]
    assert "output and h_n differ in the sign of zeros alone:" in text, text


def test_a_wrong_reference_is_not_called_rounding(tmp_path):
    module, x = lstm(), batch(False)
    right = run(module, x)
    right["h_n"] = right["h_n"] + np.float32(1e-5)
    status, text = check(write(tmp_path, module, x, right))
    assert status == 2 and "the reference breaks the layout contract" in text, text
    assert "rounding alone" not in text


# MARK: Parameters

@pytest.mark.parametrize(("name", "shape", "told"), [
    ("weight_hr_l0", (3, 6), "nn.GRU has no projection: proj_size and weight_hr are nn.LSTM's"),
    ("weight_ci_l0", (6,), "these are peephole connections; nn.GRU has none"),
])
def test_parameters_of_another_kind_of_module_are_told(name, shape, told, tmp_path):
    module, x = torch.nn.GRU(SIZES["I"], SIZES["H"]).eval(), batch(False)
    stray = {name: np.ones(shape, np.float32)}
    status, text = check(write(tmp_path, module, x, run(module, x), parameters=stray))
    assert status == 2 and told in text, text
