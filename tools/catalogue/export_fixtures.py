"""Writes the catalogue of fixtures, with real PyTorch.

Everything that could change a reference is fixed: CPU, one thread, eval(),
seeds out of the cases' names. The same machine and PyTorch give the same bytes.
"""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

import torch

from catalogue import check_fixtures
from catalogue import export_pipelines
from catalogue import index
from catalogue.article_cases import article_fixtures
from catalogue.cases import CASES, Case
from catalogue.fixture import FIXTURES, Fixture, Refused, by_name, refuse_in_ci
from catalogue.module_fixture import fixture
from catalogue.pipeline_cases import PIPELINE_CASES
from catalogue.streams import run_cell_in_loop
from parity_check import configurations
from parity_check.configurations import make, quiet_pytorch, random_inputs
from parity_check.modules import Module, Named


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


def forward(case: Case, module: Module, inputs: Named) -> Named:
    if case.cell_loop:
        with torch.no_grad():
            return run_cell_in_loop(module, inputs)
    return configurations.forward(case, module, inputs)


def catalogue() -> Iterator[Fixture]:
    """All fixtures, in the catalogue's order."""
    yield from map(run, CASES)
    yield from article_fixtures()
    yield from map(export_pipelines.run, PIPELINE_CASES)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", nargs="?", type=Path, default=FIXTURES, metavar="DIR",
                        help="where to write (default: the repository's Fixtures/)")
    parser.add_argument("--only", action="append", metavar="NAME",
                        help="write this case alone; can be given several times")
    parser.add_argument("--list", action="store_true", help="print the names and write nothing")
    parser.add_argument("--check", action="store_true",
                        help="write nothing, and say what would change in DIR; exit status 1 "
                        "where anything would")
    options = parser.parse_args(arguments)

    quiet_pytorch()
    try:
        if not (options.list or options.check):
            refuse_in_ci(options.folder)
        fixtures = by_name(catalogue())
    except Refused as error:
        print(f"refused, and nothing written: {error}", file=sys.stderr)
        return 1
    names = options.only or list(fixtures)
    if unknown := [name for name in names if name not in fixtures]:
        parser.error(f"no case named {', '.join(unknown)}; --list prints the names")
    if options.list:
        print(*names, sep="\n")
        return 0
    if options.check:
        return check_fixtures.check([fixtures[name] for name in names], options.folder)
    options.folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        print(fixtures[name].write(options.folder).relative_to(options.folder))
    print(f"{len(names)} cases in {options.folder}")
    index.update(options.folder)
    return 0
