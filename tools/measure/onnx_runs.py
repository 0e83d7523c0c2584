"""Models run by ONNX Runtime, with what each of their modules gives."""

import contextlib
import io
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import torch

from parity_check.selection import chosen
from parity_check.values import outputs_of


class Exposed(torch.nn.Module):
    """A model that gives what its modules give, under the names of a recording's values."""

    def __init__(self, model: torch.nn.Module) -> None:
        super().__init__()
        self.model = model
        self.names: list[str] = []
        self._found: list[torch.Tensor] = []
        self._calls: Counter[str] = Counter()
        for name, module in chosen(model, None).items():
            module.register_forward_hook(self._hook(name))

    def _hook(self, name: str):
        def hook(module: torch.nn.Module, args: Any, result: Any) -> None:
            self._calls[name] += 1
            call = name if self._calls[name] == 1 else f"{name}#{self._calls[name]}"
            for key, tensor in outputs_of(module, result).items():
                self.names.append(f"{call}/{key}" if key else call)
                # An output of the graph must be one of its own.
                self._found.append(tensor * 1)

        return hook

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, ...]:
        self.names, self._found, self._calls = [], [], Counter()
        self.model(x)
        return tuple(self._found)


def run(model: torch.nn.Module, x: torch.Tensor) -> dict[str, torch.Tensor] | None:
    """What ONNX Runtime computes for each value; None where PyTorch can't export the model.

    Hooks stay on the model: give a copy.
    """
    import onnxruntime

    exposed = Exposed(model).eval()
    with tempfile.TemporaryDirectory() as folder, torch.no_grad():
        path = Path(folder) / "model.onnx"
        fast = torch.backends.mha.get_fastpath_enabled()
        torch.backends.mha.set_fastpath_enabled(False)
        try:
            with contextlib.redirect_stdout(io.StringIO()):
                torch.onnx.export(exposed, (x,), str(path), dynamo=False, opset_version=17,
                                  input_names=["x"], do_constant_folding=False)
            session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
        except Exception:  # Whatever an exporter does not know.
            return None
        finally:
            torch.backends.mha.set_fastpath_enabled(fast)
        results = session.run(None, {"x": x.numpy()})
    if len(results) != len(exposed.names):
        return None
    return {name: torch.tensor(result) for name, result in zip(exposed.names, results)}
