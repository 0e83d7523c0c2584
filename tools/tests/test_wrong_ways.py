"""The NumPy program that goes wrong: right where it is told nothing, and else visibly wrong."""

import random

import numpy as np
import pytest

from measure import diagnosis_score
from catalogue import export_fixtures
from measure import wrong_cases
from measure import wrong_unlisted
from measure.ways_of_results import WAYS_OF_RESULTS
from measure.ways_of_running import WAYS_OF_RUNNING
from measure.ways_of_states import WAYS_OF_STATES
from measure.ways_of_streams import WAYS_OF_STREAMS
from measure.ways_of_weights import GATE_ORDERS, WAYS_OF_WEIGHTS
from measure.wrong_ways import WAYS, compute

MODULES = ["LSTM", "GRU", "RNN", "LSTMCell", "GRUCell", "RNNCell"]


@pytest.fixture(autouse=True)
def one_thread():
    export_fixtures.quiet_pytorch()


@pytest.mark.parametrize("module", MODULES)
def test_agrees_with_pytorch(module):
    for number in range(40):
        r = random.Random(f"{module}/{number}")
        case = wrong_cases.right(wrong_cases.draw(r, "case", [module]), r)
        own = compute(case.run)
        assert own.keys() == case.reference.keys()
        for name, reference in case.reference.items():
            assert own[name].dtype == np.float32
            assert own[name].shape == reference.shape
            bound = 64 * 2**-24 * np.abs(reference).max()
            assert np.abs(own[name] - reference).max() <= bound, (number, name)


@pytest.mark.parametrize("slug", WAYS)
def test_changes_something(slug):
    assert wrong_cases.wrong_case(random.Random(slug), "case", [slug]) is not None


def test_slugs_are_unique():
    slugs = [way.slug for way in [
        *WAYS_OF_WEIGHTS, *WAYS_OF_STATES, *WAYS_OF_STREAMS, *WAYS_OF_RUNNING, *WAYS_OF_RESULTS,
    ]]
    assert len(slugs) == len(set(slugs)) == len(WAYS)
    assert len(GATE_ORDERS) == 23 + 5


def test_equivalents_are_found():
    """A cell has one step, which is both the first and the last."""
    r = random.Random(1)
    case = wrong_cases.right(wrong_cases.draw(r, "case", ["GRUCell"]), r)
    assert ["last-step-skipped"] in wrong_cases.equivalents(case.run, ["first-step-skipped"])


def test_writes_what_numpy_reads(tmp_path):
    truth = wrong_cases.write_ways(tmp_path, 3, 1, pairs=True)
    truth |= {f"u{name}": case for name, case in
              wrong_unlisted.write_unlisted(tmp_path / "u", 8, 1).items()}
    assert len(truth) == 11
    for file in (tmp_path / "actual").iterdir():
        with np.load(file) as actual, np.load(tmp_path / "cases" / file.name) as case:
            named = {name.partition("/")[2] for name in case.files if name.startswith("outputs/")}
            assert set(actual.files) == named


REPORT = """\
failed        one    made elsewhere
    diagnosis: PyTorch's gates in another order [gates-zrn]
    diagnosis: both [gates-zrn, reset-before-product]
passed        two    largest |Δ| 1e-8
failed        three  made elsewhere
    it starts at sequence 1, step 3, layer 0, reverse, unit 5, gate o
failed        four   made elsewhere
    diagnosis: another [bias-hh-dropped]
3 cases: 1 passed
"""


def test_scores_a_report():
    verdicts = diagnosis_score.parse(REPORT)
    assert list(verdicts) == ["one", "two", "three", "four"]
    both = {"ways": ["reset-before-product", "gates-zrn"], "equivalent": []}
    assert diagnosis_score.score(both, verdicts["one"]) == "among"
    assert diagnosis_score.score(both | {"equivalent": [["gates-zrn"]]}, verdicts["one"]) == "first"
    assert diagnosis_score.score(both, verdicts["two"]) == "passed"
    assert diagnosis_score.score(both, verdicts["three"]) == "nothing named"
    assert diagnosis_score.score(both, verdicts["four"]) == "another named"
    assert diagnosis_score.score(both, None) == "not reported"
    place = {"layer": 0, "direction": 1, "unit": 5, "gate": "g",
             "differences": [[0, 0, 0, 0], [1e-3, 1e-3, 1e-3, 1e-3, 1e-7]]}
    judged = diagnosis_score.judge_place({"place": place}, verdicts["three"].place)
    assert judged == {
        "sequence": True, "step": True, "layer": True, "direction": True, "unit": True,
        "gate": False,
    }
    truth = {"one": both, "three": {"ways": [], "made": "one weight", "place": place}}
    assert any("place right" in line for line in diagnosis_score.summary(truth, verdicts))
