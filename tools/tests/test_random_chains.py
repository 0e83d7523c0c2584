"""Random chains by PyTorch: right ones pass under the noise rule, wrong ones do not."""

import re
import subprocess
from pathlib import Path

import pytest

from catalogue import export_fixtures
from measure import random_chains

ROOT = Path(__file__).resolve().parent.parent.parent
PARITY_CHECK = ROOT / ".build" / "release" / "parity-check"
COUNT = 200


@pytest.fixture(scope="module", autouse=True)
def quiet():
    export_fixtures.quiet_pytorch()


def report(folder: Path) -> str:
    command = [PARITY_CHECK, folder, "--diagnose", "off"]
    return subprocess.run(command, capture_output=True, text=True).stdout


def test_what_pytorch_computes_passes(tmp_path):
    for number in range(COUNT):
        random_chains.right(number).write(tmp_path)
    text = report(tmp_path)
    failed = re.findall(r"^(?:failed|invalid|unreadable) .*", text, re.MULTILINE)
    assert not failed, "\n".join(failed)
    # Rounding is amplified without bound in a few of the chains.
    assert len(re.findall(r"^passed ", text, re.MULTILINE)) >= 0.97 * COUNT
    largest = [float(z) for z in re.findall(r"([\d.]+)σ of rounding noise", text)]
    assert len(largest) > 0.9 * COUNT and max(largest) < 8


def test_a_weight_that_is_off_by_a_hundredth_is_seen(tmp_path):
    for number in range(COUNT):
        random_chains.wrong(number, 0.01).write(tmp_path)
    text = report(tmp_path)
    assert len(re.findall(r"^failed ", text, re.MULTILINE)) >= 0.8 * COUNT
    # Sums and softmaxes hide where it was only where nothing else is given.
    assert "it starts in recurrent_0" in text or "does not follow from these weights" in text
