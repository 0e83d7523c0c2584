"""Whether parity-check names mistakes that a program of NumPy's made, and is silent about
what is none. `tools/measure_diagnosis.py` has the figures of larger numbers.
"""

from pathlib import Path

import numpy as np
import pytest

from measure import diagnosis_score
from catalogue import export_fixtures
from parity_check.containers import read
from measure import wrong_cases
from measure import wrong_unlisted

ROOT = Path(__file__).resolve().parent.parent.parent
PARITY_CHECK = ROOT / ".build" / "release" / "parity-check"


@pytest.fixture(scope="module", autouse=True)
def quiet():
    export_fixtures.quiet_pytorch()


def scores(folder: Path, truth: dict) -> list[str]:
    command = [PARITY_CHECK, folder / "cases", "--actual", folder / "actual", "--diagnose", "full"]
    text = diagnosis_score.run(command, folder / "report.txt")
    verdicts = diagnosis_score.parse(text)
    assert len(verdicts) == len(truth)
    return [diagnosis_score.score(truth[name], verdicts[name]) for name in truth]


def test_single_mistakes_are_named_first(tmp_path):
    found = scores(tmp_path, wrong_cases.write_ways(tmp_path, 120, 7, pairs=False))
    assert found.count("first") >= 0.95 * len(found)
    assert found.count("first") + found.count("among") >= 0.99 * len(found)


def test_pairs_are_named(tmp_path):
    found = scores(tmp_path, wrong_cases.write_ways(tmp_path, 12, 7, pairs=True))
    assert found.count("first") + found.count("among") >= 0.8 * len(found)


def test_what_is_no_known_mistake_is_not_explained(tmp_path):
    truth = wrong_unlisted.write_unlisted(tmp_path, 60, 7)
    command = [PARITY_CHECK, tmp_path / "cases", "--actual", tmp_path / "actual"]
    verdicts = diagnosis_score.parse(diagnosis_score.run(command, tmp_path / "report.txt"))
    assert sum(bool(verdicts[name].explanations) for name in truth) <= 1
    right = [
        all(diagnosis_score.judge_place(truth[name], verdicts[name].place).values())
        for name in truth if verdicts[name].place
    ]
    assert len(right) >= 57 and sum(right) >= 0.95 * len(right)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda array: array.astype(np.float16), "[stored-in-float16]"),
        (np.zeros_like, "0: was anything written?"),
        (lambda array: np.full_like(array, np.nan), "every element of the outputs is NaN"),
        (lambda array: array[..., :1], "expected the shape"),
        (lambda array: (array * 100).astype(np.int64), "expected a tensor of floats"),
        (lambda array: array.astype(np.float64) * 1e300, "no known mistake"),
    ],
    ids=["float16", "zeros", "NaN", "one feature", "integers", "huge"],
)
def test_outputs_that_are_no_results_are_said_so(change, told, tmp_path):
    wrong_cases.write_ways(tmp_path, 4, 7, pairs=False)
    for path in (tmp_path / "cases").iterdir():
        _, tensors = read(path)
        names = [name for name in tensors if name.startswith("outputs/")]
        np.savez(tmp_path / "actual" / path.name, **{n: change(tensors[n]) for n in names})
    command = [PARITY_CHECK, tmp_path / "cases", "--actual", tmp_path / "actual"]
    text = diagnosis_score.run(command, tmp_path / "report.txt")
    assert [verdict.status for verdict in diagnosis_score.parse(text).values()] == ["failed"] * 4
    assert text.count(told) >= 4
