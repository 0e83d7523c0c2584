"""What the tests of checkpoints share: cases, and how `parity-check` is asked about them."""

import json
import subprocess
from pathlib import Path

import numpy as np
import torch

from parity_check.format import FORMAT

ROOT = Path(__file__).resolve().parent.parent.parent
PARITY_CHECK = ROOT / ".build" / "release" / "parity-check"


def run(*arguments: object) -> tuple[int, str]:
    command = [PARITY_CHECK, *map(str, arguments)]
    if arguments[0] != "export":  # It has no colours.
        command += ["--color", "never"]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    return ended.returncode, ended.stdout + ended.stderr


def plain(tensor: torch.Tensor) -> np.ndarray:
    """The tensor as NumPy holds it: narrow integers as int32."""
    if tensor.dtype in (torch.bool, torch.uint8, torch.int8, torch.int16):
        tensor = tensor.to(torch.int32)
    return tensor.detach().contiguous().numpy()


def all_types() -> dict[str, torch.Tensor]:
    torch.manual_seed(0)
    floats = {
        name: torch.randn(3, 5).to(getattr(torch, name)) for name in ("float16", "float32", "float64")
    }
    integers = {
        name: torch.randint(0 if name == "uint8" else -128, 127, (4, 7)).to(getattr(torch, name))
        for name in ("int8", "int16", "int32", "int64", "uint8")
    }
    others = {
        "bool": torch.tensor([True, False, True]), "scalar": torch.tensor(2.5),
        "empty": torch.zeros(0, 3), "large": torch.randn(300, 70),
    }
    return floats | integers | others


def lstm_case() -> tuple[dict[str, torch.Tensor], torch.nn.LSTM]:
    """The tensors of a case of a bidirectional LSTM, by their names in a fixture."""
    torch.manual_seed(1)
    lstm = torch.nn.LSTM(5, 6, batch_first=True, bidirectional=True).eval()
    x = torch.randn(3, 4, 5)
    with torch.no_grad():
        output, (h_n, c_n) = lstm(x)
    tensors = {"inputs/input": x, "outputs/output": output, "outputs/h_n": h_n, "outputs/c_n": c_n}
    tensors |= {f"state_dict/{name}": value for name, value in lstm.state_dict().items()}
    return {name: value.contiguous() for name, value in tensors.items()}, lstm


MANIFEST = {
    "format": FORMAT, "module": "LSTM", "arguments": {"batch_first": True}}


def write_case(folder: Path, tensors: dict[str, torch.Tensor], manifest: dict) -> None:
    for name, tensor in tensors.items():
        path = folder / f"{name}.npy"
        path.parent.mkdir(parents=True, exist_ok=True)
        np.save(path, tensor.detach().numpy())
    (folder / "manifest.json").write_text(json.dumps(manifest))


def agree(expected: Path, actual: Path) -> None:
    status, text = run("compare", expected, actual, "--tolerance", "exact")
    assert status == 0, text


def saved_plainly(tensors: dict[str, torch.Tensor], path: Path) -> Path:
    np.savez(path, **{name: plain(value) for name, value in tensors.items()})
    return path
