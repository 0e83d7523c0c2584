"""Writes the catalogue of fixtures, with real PyTorch.

Everything that could change a reference is fixed: CPU, one thread, eval(),
seeds out of the cases' names. The same machine and PyTorch give the same bytes.
"""

import argparse
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch

from catalogue import article
from catalogue import export_pipelines
from catalogue.cases import CASES, Case
from catalogue.contract import BrokenContract, check_layout
from catalogue.fixture import FIXTURES, Fixture, Named, as_arrays, described, made_by_pytorch
from catalogue.pipeline_cases import PIPELINE_CASES
from catalogue.streams import run_cell_in_loop, run_in_chunks
from catalogue.torch_pipeline import run_recurrent, states

Module = torch.nn.RNNBase | torch.nn.RNNCellBase


def constructor_arguments(module: Module) -> dict[str, Any]:
    """All arguments that the module was made with, by PyTorch's names."""
    names = ["input_size", "hidden_size", "bias"]
    if isinstance(module, torch.nn.RNNBase):
        names[2:2] = ["num_layers"]
        names += ["batch_first", "dropout", "bidirectional"]
    if isinstance(module, torch.nn.LSTM):
        names.append("proj_size")
    if isinstance(module, torch.nn.RNN | torch.nn.RNNCell):
        names.append("nonlinearity")
    return {name: getattr(module, name) for name in names}


def make(case: Case) -> Module:
    """The module with PyTorch's own random parameters, in eval()."""
    return getattr(torch.nn, case.module)(
        case.input_size, case.hidden_size, dtype=case.dtype, **case.arguments
    ).eval()


def run(case: Case) -> Fixture:
    torch.manual_seed(case.seed)
    module = make(case)
    inputs = random_inputs(case, module)
    if case.prepare:
        case.prepare(inputs)
    return fixture(
        case.name, case.container, module, inputs, forward(case, module, inputs),
        description=case.description, packed=case.packed if case.lengths else None,
        chunks=case.chunks, tolerance=case.tolerance, seed=case.seed, stated=case.stated,
        with_parameters=not case.layout_only,
    )


def random_inputs(case: Case, module: Module) -> Named:
    def draw(*axes: int) -> torch.Tensor:
        return torch.randn(*axes, dtype=case.dtype)

    batch = [] if case.batch is None else [case.batch]
    if case.is_cell:
        axes, states, h_size = batch, batch, case.hidden_size
    else:
        axes = [*batch, case.steps] if module.batch_first else [case.steps, *batch]
        states = [module.num_layers * (2 if module.bidirectional else 1), *batch]
        h_size = module.proj_size or case.hidden_size
    inputs: Named = {"input": draw(*axes, case.input_size)}
    if case.initial_state:
        inputs["h_0"] = draw(*states, h_size)
        if case.module.startswith("LSTM"):
            inputs["c_0"] = draw(*states, case.hidden_size)
    if case.lengths:
        inputs["lengths"] = torch.tensor(case.lengths, dtype=case.lengths_dtype)
    return inputs


@torch.no_grad()
def forward(case: Case, module: Module, inputs: Named) -> Named:
    if case.cell_loop:
        return run_cell_in_loop(module, inputs)
    if case.chunks:
        return run_in_chunks(module, inputs, case.chunks)
    if not case.is_cell:
        return run_recurrent(module, inputs, case.packed)
    state = inputs.get("h_0")
    if state is not None and "c_0" in inputs:
        state = (state, inputs["c_0"])
    return states(module(inputs["input"], state))


def fixture(
    name: str, container: str, module: Module, inputs: Named, outputs: Named, *,
    description: str, seed: int, packed: dict[str, Any] | None = None,
    chunks: int | tuple[int, ...] | None = None,
    tolerance: dict[str, Any] | None = None, expected_failure: dict[str, Any] | None = None,
    stated: tuple[str, ...] | None = None, with_parameters: bool = True,
) -> Fixture:
    """A fixture of a reference that holds the layout contract; no other is made."""
    check_layout(name, module, inputs, outputs)
    groups = {"inputs": inputs, "outputs": outputs}
    if with_parameters:
        groups["state_dict"] = module.state_dict()
    arguments = constructor_arguments(module)
    is_bfloat16 = outputs["h_n"].dtype == torch.bfloat16
    manifest = {
        "module": type(module).__name__,
        "arguments": {k: v for k, v in arguments.items() if stated is None or k in stated},
        "packed": packed,
        "chunks": list(chunks) if isinstance(chunks, tuple) else chunks,
        "arithmetic": "bfloat16" if is_bfloat16 else None,
        "tolerance": tolerance,
        "expected_failure": expected_failure,
        "description": description,
    }
    return described(name, container, as_arrays(groups), manifest, made_by_pytorch(seed))


def article_fixtures() -> Iterator[Fixture]:
    """The article's printed example, and what its weights turned out to be."""
    module, a = article.run(article.DRAWN_BEFORE_RESULTS)
    with torch.no_grad():
        output, (h_n, c_n) = module(a)
    full = {"output": output, "h_n": h_n, "c_n": c_n}

    def case(name: str, container: str, inputs: torch.Tensor, outputs: Named, **rest: Any):
        return fixture(
            name, container, module, {"input": inputs}, outputs, seed=article.SEED, **rest
        )

    yield case(
        "article-printed", "folder", article.PRINTED_INPUT, article.PRINTED,
        with_parameters=False, description="the results as an article printed them, no weights",
    )
    yield case(
        "article-reconstructed", "npz-stored", a, article.PRINTED,
        tolerance=article.PRINTED_TOLERANCE,
        description="the article's weights and input, found again, against its four decimals",
    )
    yield case(
        "article-reconstructed-full", "hdf5", a, full,
        description="the article's weights and input against PyTorch's full precision",
    )
    yield case(
        "article-printed-input", "npz-deflated", article.PRINTED_INPUT, article.PRINTED,
        tolerance=article.PRINTED_TOLERANCE,
        expected_failure={
            "reason": "the article printed the input of an earlier run of the cell; "
            "its results belong to another torch.rand(1, 4, 5)",
            "outputs": {"output": 0.3, "h_n": 0.2, "c_n": 0.3},
        },
        description="the article's weights with the input that it printed",
    )


def catalogue() -> Iterator[Fixture]:
    """All fixtures, in the catalogue's order."""
    yield from map(run, CASES)
    yield from article_fixtures()
    yield from map(export_pipelines.run, PIPELINE_CASES)


def quiet_pytorch() -> None:
    """One thread, and no word about what is known."""
    torch.set_num_threads(1)
    # Projections run on PyTorch's own path, and it says so each time.
    warnings.filterwarnings("ignore", message="LSTM with projections")


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", nargs="?", type=Path, default=FIXTURES, metavar="DIR",
                        help="where to write (default: the repository's Fixtures/)")
    parser.add_argument("--only", action="append", metavar="NAME",
                        help="write this case alone; can be given several times")
    parser.add_argument("--list", action="store_true", help="print the names and write nothing")
    options = parser.parse_args(arguments)

    quiet_pytorch()
    try:
        fixtures = {fixture.name: fixture for fixture in catalogue()}
    except BrokenContract as error:
        print(f"refused, and nothing written: {error}", file=sys.stderr)
        return 1
    names = options.only or list(fixtures)
    if unknown := [name for name in names if name not in fixtures]:
        parser.error(f"no case named {', '.join(unknown)}; --list prints the names")
    if options.list:
        print(*names, sep="\n")
        return 0
    options.folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        print(fixtures[name].write(options.folder).relative_to(options.folder))
    print(f"{len(names)} cases in {options.folder}")
    return 0
