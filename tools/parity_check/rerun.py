"""Running what was recorded once more: whether it gives the same, and with how much rounding."""

import warnings
from collections.abc import Callable, Container, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch.utils._pytree import tree_map

from parity_check import values
from parity_check.capture import Call, Capture
from parity_check.noise.arithmetic import ARITHMETICS
from parity_check.noise.mode import RoundingNoise
from parity_check.recorder import Recorder, copied
from parity_check.selection import RecordingError
from parity_check.values import Named

Chosen = Mapping[str, torch.nn.Module]
Loss = Callable[[Any], torch.Tensor]


@dataclass
class Outputs:
    """The observer that takes what modules give."""

    take: Callable[[str, torch.Tensor], None]
    #: The names of the inputs that no module gave, which are taken too.
    inputs: Container[str] = ()

    def entered(self, *arguments: Any) -> None:
        pass

    def before(self, call: Call, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        given = values.inputs(call.module, args, kwargs)
        for key, value in values.input_keys(given).items():
            name = f"{call.name}/{value}"
            if name in self.inputs:
                self.take(name, given[key])

    def after(self, call: Call, outputs: Named) -> None:
        for key, tensor in outputs.items():
            self.take(f"{call.name}/{key}" if key else call.name, tensor)


def check_determinism(recorder: Recorder, chosen: Chosen) -> None:
    """Raises RecordingError where a second run gives other bits."""
    recorded = recorder.recording.values
    differing: list[str] = []

    def compare(name: str, tensor: torch.Tensor) -> None:
        if name not in recorded or not same_bits(recorded[name], tensor.detach().cpu()):
            differing.append(name)

    with kept_buffers(recorder, at_start=True):
        run_again(recorder, chosen, compare)
    if differing:
        more = f" and {len(differing) - 3} more" if len(differing) > 3 else ""
        raise RecordingError(
            f"not deterministic: {', '.join(differing[:3])}{more} came out otherwise when the "
            "same calls ran once more. Dropout, random numbers, and a state that the model keeps "
            "from call to call do that; deterministic=False records it all the same")


def same_bits(a: torch.Tensor, b: torch.Tensor) -> bool:
    return a.shape == b.shape and a.dtype == b.dtype and (
        torch.equal(a, b) or torch.allclose(a, b, rtol=0, atol=0, equal_nan=True))


def run_again(
    recorder: Recorder, chosen: Chosen, take: Callable[[str, torch.Tensor], None],
    prepare: Callable[[Any], Any] = lambda value: value, with_gradients: bool | None = None,
) -> Any:
    """Makes the recorded calls again, where nothing else is said with gradients as before; gives
    the last one's result."""
    result = None
    with Capture(recorder.model, chosen, Outputs(take, recorder.recording.values)):
        for entry in recorder.entries:
            args, kwargs = prepare((copied(entry.args), copied(entry.kwargs)))
            is_on = entry.with_gradients if with_gradients is None else with_gradients
            with torch.set_grad_enabled(is_on):
                result = entry.module(*args, **kwargs)
    return result


@contextmanager
def kept_buffers(recorder: Recorder, at_start: bool = False) -> Iterator[None]:
    """Gives the model's buffers back as they are now; with `at_start` they are meanwhile as they
    were before the recording."""
    buffers = list(recorder.model.buffers())
    now = [buffer.clone() for buffer in buffers]
    try:
        if at_start:
            for buffer, before in zip(buffers, recorder.buffers_before, strict=True):
                buffer.data.copy_(before)
        yield
    finally:
        for buffer, before in zip(buffers, now, strict=True):
            buffer.data.copy_(before)


def add_gradients(recorder: Recorder, chosen: Chosen, loss: Loss) -> None:
    """Adds the gradients of a loss of what the model gave."""
    if len(recorder.entries) > 1:
        raise RecordingError("a loss is of one call of the model, and the block made "
                             f"{len(recorder.entries)}")
    # cuDNN's recurrent modules have a backward pass in training mode alone.
    with kept_buffers(recorder, at_start=True), torch.backends.cudnn.flags(enabled=False):
        run = run_with_gradients(recorder, chosen, loss)
    recorder.recording.gradients = {name: t.cpu() for name, t in run.gradients.items()}


def measure(recorder: Recorder, chosen: Chosen, replicas: int, loss: Loss | None) -> None:
    """Adds σ of all values, and of gradients, from so many replicas."""
    recording = recorder.recording
    arithmetic = ARITHMETICS[recording.arithmetic]
    exact, spread = None, {}
    with in_float64(recorder):
        for seed in (None, *range(replicas)):
            with (kept_buffers(recorder, at_start=True), torch.random.fork_rng(devices=[]),
                  RoundingNoise(arithmetic, seed) as mode):
                torch.manual_seed(0)
                run = run_with_gradients(recorder, chosen, loss, mode)
            if exact is None:
                exact = run
                spread = {key: torch.zeros_like(tensor) for key, tensor in run.all().items()}
            else:
                for key, tensor in run.all().items():
                    # The root of the sum of squares, whose squares would underflow.
                    spread[key] = torch.hypot(spread[key], tensor - exact.all()[key])
    recording.replicas = replicas
    recording.without_sigma = exact.unknown
    # In float64 what is called exact here is rounded as much as the recording.
    factor = 2**0.5 if arithmetic.inflation > 1 else 1.0
    for (is_gradient, name), total in spread.items():
        target, recorded = ((recording.gradient_sigma, recording.gradients) if is_gradient
                            else (recording.sigma, recording.values))
        if name in recorded and recorded[name].is_floating_point():
            sigma = total * (factor / (replicas**0.5 * arithmetic.inflation))
            # The numbers of float64 go where float32 has none.
            is_wide = recorded[name].dtype == torch.float64
            target[name] = sigma.to(torch.float64 if is_wide else torch.float32).cpu()


@dataclass
class Run:
    """What one run gave, and why for some of it no rounding can be measured."""

    outputs: Named = field(default_factory=dict)
    gradients: Named = field(default_factory=dict)
    unknown: dict[str, str] = field(default_factory=dict)

    def add(self, name: str, tensor: torch.Tensor, mode: RoundingNoise | None,
            is_gradient: bool) -> None:
        """Keeps a value, or a gradient, unless it came from an operator without a rule."""
        if mode is not None and not mode.is_known(tensor):
            self.unknown[name] = f"no rule for {', '.join(mode.unknown)}"
        else:
            kept = self.gradients if is_gradient else self.outputs
            kept[name] = tensor.detach().clone()

    def all(self) -> dict[tuple[bool, str], torch.Tensor]:
        """By whether it is a gradient, and the name."""
        return {(False, name): tensor for name, tensor in self.outputs.items()} | {
            (True, name): tensor for name, tensor in self.gradients.items()}


def run_with_gradients(
    recorder: Recorder, chosen: Chosen, loss: Loss | None, mode: RoundingNoise | None = None
) -> Run:
    """What modules give, and where there is a loss its gradients by that and by the parameters."""
    run = Run()

    def take(name: str, tensor: torch.Tensor) -> None:
        run.add(name, tensor, mode, False)
        if loss and tensor.requires_grad:
            tensor.register_hook(lambda gradient: run.add(name, gradient, mode, True))

    def prepare(value: Any) -> Any:
        return tree_map(lambda item: item.requires_grad_() if isinstance(item, torch.Tensor)
                        and item.is_floating_point() else item, value)

    if not loss:
        run_again(recorder, chosen, take, with_gradients=False)
        return run
    with torch.enable_grad(), without_gradients(recorder.model):
        loss(run_again(recorder, chosen, take, prepare, with_gradients=True)).backward()
        for name, parameter in recorder.model.named_parameters():
            if parameter.grad is not None:
                run.add(name, parameter.grad, mode, True)
    return run


@contextmanager
def without_gradients(model: torch.nn.Module) -> Iterator[None]:
    """Lets a backward pass begin at none, and gives back what the parameters had."""
    had = [(parameter, parameter.grad) for parameter in model.parameters()]
    try:
        for parameter, _ in had:
            parameter.grad = None
        yield
    finally:
        for parameter, gradient in had:
            parameter.grad = gradient


@contextmanager
def in_float64(recorder: Recorder) -> Iterator[None]:
    """The model and the recorded calls in float64, computed operator by operator."""
    tensors = {id(t): t for t in [*recorder.model.parameters(), *recorder.model.buffers()]
               if t.is_floating_point()}
    before = [(tensor, tensor.data) for tensor in tensors.values()]
    entries = recorder.entries
    default = torch.get_default_dtype()
    with ExitStack() as stack:
        stack.enter_context(warnings.catch_warnings())
        # PyTorch has a word about TF32 on other devices for whoever asks about oneDNN.
        warnings.filterwarnings("ignore", message="TF32 acceleration")
        stack.enter_context(torch.backends.mkldnn.flags(enabled=False))
        stack.enter_context(torch.backends.cudnn.flags(enabled=False))
        stack.enter_context(
            torch.nn.attention.sdpa_kernel(torch.nn.attention.SDPBackend.MATH))
        try:
            for tensor, data in before:
                tensor.data = data.double()
            recorder.entries = [
                replace(e, args=double(e.args), kwargs=double(e.kwargs)) for e in entries]
            torch.set_default_dtype(torch.float64)
            yield
        finally:
            torch.set_default_dtype(default)
            recorder.entries = entries
            for tensor, data in before:
                tensor.data = data


def double(value: Any) -> Any:
    return tree_map(lambda item: item.double() if isinstance(item, torch.Tensor)
                    and item.is_floating_point() else item, value)
