"""What PyTorch computes in 16 bits, of cases in float32."""

import json
import subprocess
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch

from catalogue import export_fixtures
from catalogue.cases import CASES

ROOT = Path(__file__).resolve().parent.parent.parent
PARITY_CHECK = ROOT / ".build" / "release" / "parity-check"


@pytest.fixture(scope="module", autouse=True)
def quiet():
    export_fixtures.quiet_pytorch()


def names() -> list[str]:
    """Whole sequences in float32, under the noise rule."""
    return [
        case.name for case in CASES
        if case.module in ("LSTM", "GRU", "RNN") and case.dtype == torch.float32
        and not case.layout_only and (ROOT / "Fixtures" / f"{case.name}.npz").exists()
    ]


def run(name: str, dtype: torch.dtype, spoil: bool) -> dict[str, np.ndarray] | None:
    """The case's module in another type; nil where it is not as simple as that."""
    path = ROOT / "Fixtures" / f"{name}.npz"
    manifest = json.loads(zipfile.ZipFile(path).read("manifest.json"))
    if set(manifest) & {"packed", "arithmetic", "tolerance", "expected_failure"}:
        return None
    if not {"input_size", "hidden_size"} <= set(manifest.get("arguments", {})):
        return None
    tensors = {
        key: torch.from_numpy(np.ascontiguousarray(array.astype(array.dtype.newbyteorder("="))))
        for key, array in np.load(path).items() if key != "manifest.json"
    }
    if tensors["inputs/input"].numel() == 0:
        return None
    module = getattr(torch.nn, manifest["module"])(**manifest["arguments"]).eval()
    prefix = "state_dict/"
    state = {k.removeprefix(prefix): t for k, t in tensors.items() if k.startswith(prefix)}
    if spoil:
        state["weight_hh_l0"] = state["weight_hh_l0"].roll(1, 0)
    module.load_state_dict(state)
    module = module.to(dtype)
    states = [tensors[k].to(dtype) for k in ("inputs/h_0", "inputs/c_0") if k in tensors]
    initial = tuple(states) if len(states) == 2 else states[0] if states else None
    with torch.no_grad():
        output, final = module(tensors["inputs/input"].to(dtype), initial)
    final = final if isinstance(final, tuple) else (final,)
    named = {"output": output} | dict(zip(("h_n", "c_n"), final))
    return {
        key: (t.float() if dtype == torch.bfloat16 else t).numpy() for key, t in named.items()
    }


def judge(folder: Path, dtype: torch.dtype, spoil: bool, *options: str) -> tuple[int, int]:
    """How many pass, of how many."""
    folder.mkdir()
    for name in names():
        outputs = run(name, dtype, spoil)
        if outputs:
            np.savez(folder / f"{name}.npz", **outputs)
    written = "|".join(path.stem for path in folder.iterdir())
    command = [
        PARITY_CHECK, ROOT / "Fixtures", "--filter", f"^({written})$", "--actual", folder,
        "--diagnose", "off", *options,
    ]
    lines = subprocess.run(command, capture_output=True, text=True).stdout.splitlines()
    return (
        sum(line.startswith("passed") for line in lines),
        len(written.split("|")),
    )


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64], ids=str)
def test_its_rounding_is_expected_where_it_is_said(dtype, tmp_path):
    name = str(dtype).removeprefix("torch.")
    said = ("--actual-arithmetic", name)
    passed, count = judge(tmp_path / "right", dtype, False, *said)
    assert passed == count >= 12
    wrong, _ = judge(tmp_path / "wrong", dtype, True, *said)
    # Among them one whose recurrent weights see nothing: one step from zeros.
    assert wrong <= 0.2 * count
    if dtype != torch.float64:
        unsaid, _ = judge(tmp_path / "unsaid", dtype, False)
        assert unsaid <= 0.1 * count
