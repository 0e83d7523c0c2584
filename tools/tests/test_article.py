"""The printed example: its 72 results, and the input that is not theirs."""

import pytest
import torch

from catalogue import article


def decimals(tensor: torch.Tensor) -> list[str]:
    return [f"{value:.4f}" for value in tensor.flatten().tolist()]


@pytest.fixture(scope="module")
def results() -> dict[str, torch.Tensor]:
    module, a = article.run(article.DRAWN_BEFORE_RESULTS)
    with torch.no_grad():
        output, (h_n, c_n) = module(a)
    return {"output": output, "h_n": h_n, "c_n": c_n}


def test_all_72_printed_results_are_reproduced(results):
    printed = sum((decimals(article.PRINTED[name]) for name in results), [])
    assert len(printed) == 72
    assert sum((decimals(tensor) for tensor in results.values()), []) == printed


def test_the_printed_input_belongs_to_an_earlier_run():
    _, a = article.run(article.DRAWN_BEFORE_INPUT)
    assert decimals(a) == decimals(article.PRINTED_INPUT)


def test_the_printed_input_does_not_give_the_printed_results():
    module, _ = article.run(article.DRAWN_BEFORE_RESULTS)
    with torch.no_grad():
        output, _ = module(article.PRINTED_INPUT)
    assert (output - article.PRINTED_OUTPUT).abs().max() > 0.01


def test_the_printed_decimals_hold_the_contract():
    output, h_n = article.PRINTED_OUTPUT, article.PRINTED_H_N
    assert torch.equal(output[:, -1, :6], h_n[0])
    assert torch.equal(output[:, 0, 6:], h_n[1])
