"""Files of raw numbers, as NumPy's `tofile` and C's `fwrite` leave them."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from parity_check.format import FORMAT
from checkpoint_cases import lstm_case, run

X = np.random.default_rng(0).standard_normal((3, 7, 5)).astype(np.float32)


def describe(path: Path, **values) -> None:
    path.write_text(json.dumps(values))


@pytest.mark.parametrize(("file", "dtype", "said"), [
    ("x.f32", "float32", {}), ("x.f64", "float64", {}), ("x.f16", "float16", {}),
    ("x.raw", "float32", {}), ("x.raw", "float64", {"dtype": "torch.float64"}),
    ("x.bin", "float32", {"dtype": "<f4"}), ("x.raw", "int64", {"dtype": "int64"}),
])
@pytest.mark.parametrize("beside", ["x.json", None])
def test_numbers_are_read_as_they_were_written(file, dtype, said, beside, tmp_path):
    own = (X * 8).astype(dtype)
    own.tofile(tmp_path / file)
    np.save(tmp_path / "plain.npy", own)
    describe(tmp_path / (beside or f"{file}.json"), shape=[3, 7, 5], made_by="me", **said)
    status, text = run("compare", tmp_path / "plain.npy", tmp_path / file, "--tolerance", "exact")
    assert status == 0 and "1 tensor: 1 agrees" in text, text


def test_bfloat16(tmp_path):
    own = torch.from_numpy(X).to(torch.bfloat16)
    own.view(torch.int16).numpy().tofile(tmp_path / "x.bf16")
    np.save(tmp_path / "plain.npy", own.float().numpy())
    status, text = run(
        "compare", tmp_path / "plain.npy", tmp_path / "x.bf16", "--shape", "3,7,5",
        "--tolerance", "exact", "--ignore-type")
    assert status == 0, text


def test_a_bin_of_torch_save_is_no_raw_file(tmp_path):
    torch.save({"x": torch.from_numpy(X)}, tmp_path / "x.bin")
    describe(tmp_path / "x.json", hidden_size=6)
    np.savez(tmp_path / "plain.npz", x=X)
    pair = (tmp_path / "plain.npz", tmp_path / "x.bin")
    for options in ([], ["--shape", "3,7,5"]):
        status, text = run("compare", *pair, *options)
        assert status == 0 and "1 tensor: 1 agrees" in text, text


def test_a_shape_on_the_command_line(tmp_path):
    X.tofile(tmp_path / "x.bin")
    np.save(tmp_path / "plain.npy", X)
    pair = (tmp_path / "plain.npy", tmp_path / "x.bin")
    assert run("compare", *pair, "--shape", "3,7,5")[0] == 0
    status, text = run("compare", *pair, "--shape", "3,5,7")
    assert status == 1 and "shape: expected (3, 7, 5), found (3, 5, 7)" in text
    status, text = run("compare", *pair, "--shape", "3,7")
    assert status == 2 and "expected 84 bytes, found 420" in text
    assert run("compare", *pair, "--shape", "3,x")[0] == 64


@pytest.mark.parametrize(("text", "told"), [
    (None, 'x.json or {}/x.f32.json with {{"dtype": "float32", "shape": [3, 7, 5]}}, or --shape '
     '3,7,5, found neither, and 420 bytes: 105 of float32'),
    ("{", "x.json: JSON"), ("[]", "x.json: JSON: expected an object, found an array"),
    ("{}", "x.json: shape: expected a list of sizes, found none"),
    ('{"shape": [3, -1]}', "x.json: shape: expected sizes whose product fits 63 bits"),
    ('{"shape": [4611686018427387904, 4]}', "x.json: shape: expected sizes whose product fits"),
    ('{"shape": [3, 7, 5], "dtype": "f3"}', 'x.json: dtype: expected float16, bfloat16, float32'),
    ('{"shape": [3, 7]}', "x.f32: the data of float32 (3, 7): expected 84 bytes, found 420"),
])
def test_what_does_not_fit_is_one_error(text, told, tmp_path):
    X.tofile(tmp_path / "x.f32")
    np.save(tmp_path / "plain.npy", X)
    if text is not None:
        (tmp_path / "x.json").write_text(text)
    status, printed = run("compare", tmp_path / "plain.npy", tmp_path / "x.f32")
    assert status == 2 and told.format(tmp_path) in printed, printed


def test_outputs_and_parameters_may_be_raw(tmp_path):
    """A case, and a folder of --actual, whose tensors are all files of raw numbers."""
    tensors, _ = lstm_case()
    case = tmp_path / "cases" / "lstm"
    for name, tensor in tensors.items():
        for folder in [case] + [tmp_path / "mine" / "lstm"] * name.startswith("outputs/"):
            path = folder / (name if folder == case else name.removeprefix("outputs/"))
            path.parent.mkdir(parents=True, exist_ok=True)
            tensor.numpy().tofile(path.with_suffix(".f32"))
            describe(path.with_suffix(".json"), shape=list(tensor.shape))
    manifest = {"format": FORMAT, "module": "LSTM", "arguments": {"batch_first": True}}
    describe(case / "manifest.json", **manifest)
    for options in ([], ["--actual", tmp_path / "mine"]):
        status, text = run(tmp_path / "cases", *options)
        assert status == 0 and "1 case: 1 passed" in text and "passed over" not in text, text
    own = tmp_path / "mine" / "lstm" / "output.f32"
    own.write_bytes(own.read_bytes()[4:])
    status, text = run(tmp_path / "cases", "--actual", tmp_path / "mine")
    assert status == 1 and "bytes" in text


def test_run_takes_raw_input(tmp_path):
    tensors, lstm = lstm_case()
    torch.save(lstm.state_dict(), tmp_path / "m.pt")
    tensors["inputs/input"].numpy().tofile(tmp_path / "x.bin")
    np.savez(tmp_path / "own.npz", **{
        name.removeprefix("outputs/"): value.numpy() for name, value in tensors.items()
        if name.startswith("outputs/")})
    status, text = run(
        "run", tmp_path / "m.pt", "--input", tmp_path / "x.bin", "--shape", "3,4,5",
        "--batch-first", "--actual", tmp_path / "own.npz")
    assert status == 0, text
