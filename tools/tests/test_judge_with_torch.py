"""PyTorch's own verdict on the fixtures."""

import numpy as np
import pytest

from catalogue import export_fixtures
from catalogue import judge_with_torch
from catalogue.committed import committed
from catalogue.containers import CONTAINERS
from parity_check.containers import read

CASES = list(committed().values())


def test_every_fixture_is_found():
    assert len(CASES) >= 50


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.name)
def test_pytorch_agrees_with_every_fixture(path):
    manifest, _ = read(path)
    if "expected_failure" in manifest:
        with pytest.raises(AssertionError):
            judge_with_torch.judge(path)
    else:
        assert judge_with_torch.judge(path) in ("passed", "layout only")


def test_a_changed_weight_is_seen(tmp_path):
    manifest, tensors = read(export_fixtures.FIXTURES / "gru.npz")
    changed = {name: np.array(array) for name, array in tensors.items()}
    changed["state_dict/weight_hh_l0"][0, 0] += 0.1
    path = CONTAINERS["npz-stored"](tmp_path / "changed", manifest, changed)
    with pytest.raises(AssertionError):
        judge_with_torch.judge(path)
    assert judge_with_torch.main([str(path)]) == 1
