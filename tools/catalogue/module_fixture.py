"""A fixture of one module of PyTorch."""

from typing import Any

from catalogue.contract import check_layout
from catalogue.fixture import Fixture
from parity_check.case import case_of
from parity_check.modules import Module, Named


def fixture(
    name: str, container: str, module: Module, inputs: Named, outputs: Named, **stated: Any
) -> Fixture:
    """A fixture of a reference that holds the layout contract; no other is made. The manifest
    says what `record` is told."""
    check_layout(name, module, inputs, outputs)
    case = case_of(module, inputs, outputs, **stated)
    return Fixture(name, container, case.manifest, case.tensors)
