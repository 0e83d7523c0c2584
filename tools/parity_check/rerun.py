"""Running what was recorded once more: whether it gives the same, and with how much rounding."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch.utils._pytree import tree_flatten, tree_unflatten

from parity_check.capture import Call, Capture
from parity_check.environment import without_libraries
from parity_check.flow import same_numbers
from parity_check.noise.arithmetic import ARITHMETICS
from parity_check.noise.mode import RoundingNoise
from parity_check.recorder import Recorder
from parity_check.selection import RecordingError, by_name
from parity_check.snapshot import Snapshot, copied, doubled
from parity_check.run_values import Values, is_other
from parity_check.values import Named, input_keys, inputs_of

Loss = Callable[[Any], torch.Tensor]
#: Takes a value of a run by its name in the recording.
Take = Callable[[str, torch.Tensor], None]


@dataclass
class Repeated:
    """The observer that hands on the values that a recording has too."""

    names: dict[tuple[str, str], str]
    take: Take
    calls: list[str] = field(default_factory=list)

    def entered(self, *arguments: Any) -> None:
        pass

    def before(self, call: Call, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        given = inputs_of(call.module, args, kwargs)
        for name, key in input_keys(given).items():
            if value := self.names.get((call.name, key)):
                self.take(value, given[name])

    def after(self, call: Call, outputs: Named, packed: Named) -> None:
        self.calls.append(call.name)
        for key, tensor in outputs.items():
            if value := self.names.get((call.name, key)):
                self.take(value, tensor)

    def abandoned(self, call: Call) -> None:
        pass


class Rerun:
    """The recorded calls, to be made again of copies of the model."""

    def __init__(
        self, recorder: Recorder, snapshot: Snapshot, chosen: list[str], loss: Loss | None
    ) -> None:
        self._recorder, self._snapshot, self._chosen = recorder, snapshot, chosen
        self._loss = loss
        self.recording = recorder.recording

    def check_determinism(self) -> list[str]:
        """The values of which a second run gives other bits, and the calls that it does not make.

        Raises RecordingError where it fails.
        """
        differing: list[str] = []

        def compare(name: str, tensor: torch.Tensor) -> None:
            if not same_numbers(tensor, self.recording.values[name]):
                differing.append(name)

        try:
            with random_numbers_of_its_own():
                _, repeated = self._run(self._snapshot.model(), compare)
        except RecordingError:
            raise
        except Exception as error:  # Whatever a model does when it is called again.
            raise RecordingError(
                "the same calls fail when they run once more, with "
                f"{type(error).__name__}: {error}; deterministic=False leaves that out") from error
        made = set(repeated.calls)
        return differing + [stage.name for stage in self.recording.stages
                            if stage.name not in made]

    def add_gradients(self) -> None:
        """Adds the gradients of the loss of what the model gave."""
        with ExitStack() as stack:
            stack.enter_context(random_numbers_of_its_own())
            if torch.cuda.is_available():
                # cuDNN's recurrent modules have a backward pass in training mode alone.
                stack.enter_context(without_libraries())
            run = self._values(self._snapshot.model())
        self.recording.gradients = {name: tensor.cpu() for name, tensor in run.gradients.items()}

    def measure(self, replicas: int) -> None:
        """Adds σ of all values, and of gradients, from so many replicas."""
        recording = self.recording
        arithmetic = replace(ARITHMETICS[recording.arithmetic],
                             absolute=recording.activations == "absolute")
        center, spread, default = None, {}, torch.get_default_dtype()
        with_gradients: bool | None = False

        def replica(seed: int | None) -> Values:
            model = self._snapshot.model(double=True)
            with random_numbers_of_its_own(), RoundingNoise(arithmetic, seed, default) as mode:
                return self._values(model, mode, with_gradients)

        with operator_by_operator():
            for seed in (None, *range(replicas)):
                try:
                    run = replica(seed)
                except RuntimeError:
                    if with_gradients is None or self._loss or center is not None:
                        raise
                    # The model may compute gradients itself.
                    with_gradients = None
                    run = replica(seed)
                recording.without_sigma |= run.unknown
                found = run.all()
                if center is None:
                    center = found
                    spread = {key: torch.zeros_like(tensor) for key, tensor in center.items()}
                # What one run lacks has no rule, or was not computed.
                spread = {
                    # The root of the sum of squares, whose squares would underflow.
                    key: torch.hypot(total, found[key] - center[key])
                    for key, total in spread.items() if key in found}
        recording.replicas = replicas
        # In float64 what is called the center here is rounded as much as the recording.
        factor = 2**0.5 if arithmetic.inflation > 1 else 1.0
        for (is_gradient, name), total in spread.items():
            target, recorded = ((recording.gradient_sigma, recording.gradients) if is_gradient
                                else (recording.sigma, recording.values))
            if name in recorded and recorded[name].is_floating_point():
                sigma = total * (factor / (replicas**0.5 * arithmetic.inflation))
                if is_other(recorded[name], center[is_gradient, name], sigma):
                    what = f"gradient of {name}" if is_gradient else name
                    recording.without_sigma[what] = "in float64 the model gives something else"
                    continue
                # The numbers of float64 go where float32 has none.
                is_wide = recorded[name].dtype == torch.float64
                target[name] = sigma.to(torch.float64 if is_wide else torch.float32).cpu()

    def _run(
        self, model: torch.nn.Module, take: Take, convert: Callable[[Any], Any] | None = None,
        with_gradients: bool | None = None,
    ) -> tuple[Any, Repeated]:
        """Makes the calls, where nothing else is said with gradients as before; gives the last
        one's result. What a call was given that the model gave before is what it gave here."""
        modules = by_name(model)
        given: Named = {}

        def keep(name: str, tensor: torch.Tensor) -> None:
            given[name] = tensor
            take(name, tensor)

        repeated, result = Repeated(self._recorder.names, keep), None
        with Capture(model, {name: modules[name] for name in self._chosen}, repeated):
            for entry in self._recorder.entries:
                args, kwargs = copied((entry.args, entry.kwargs))
                leaves, form = tree_flatten((args, kwargs))
                for index, name in entry.links.items():
                    leaves[index] = given.get(name, leaves[index])
                args, kwargs = tree_unflatten(leaves, form)
                if convert is not None:
                    args, kwargs = convert((args, kwargs))
                is_on = entry.with_gradients if with_gradients is None else with_gradients
                with torch.set_grad_enabled(is_on):
                    result = modules[entry.name](*args, **kwargs)
        return result, repeated

    def _values(
        self, model: torch.nn.Module, mode: RoundingNoise | None = None,
        with_gradients: bool | None = False,
    ) -> Values:
        """What modules give, and where there is a loss its gradients by that and by the
        parameters. Without one, `with_gradients` is as for `_run`."""
        values = Values(mode)
        torch.set_rng_state(self._recorder.entries[0].random_state)
        convert = None if mode is None else doubled
        if not self._loss:
            self._run(model, lambda name, tensor: values.add(name, tensor, False), convert,
                      with_gradients)
            return values

        def take(name: str, tensor: torch.Tensor) -> None:
            values.add(name, tensor, False)
            if tensor.requires_grad:
                tensor.register_hook(lambda gradient: values.add(name, gradient, True))

        def prepare(value: Any) -> Any:
            """With gradients by the input too, in a tensor that the model may write over."""
            value = convert(value) if convert else value
            leaves, form = tree_flatten(value)
            return tree_unflatten(
                [leaf.detach().requires_grad_().clone() if isinstance(leaf, torch.Tensor)
                 and leaf.is_floating_point() else leaf for leaf in leaves], form)

        try:
            result, _ = self._run(model, take, prepare, True)
        except Exception as error:  # Whatever a model does that has no gradients.
            if mode is not None:
                raise
            raise RecordingError(
                f"with gradients the model fails, with {type(error).__name__}: {error}; leave "
                "loss= out") from error
        parameters = {name: p for name, p in model.named_parameters() if p.requires_grad}
        # Unlike backward(), this leaves what parameters have in `grad`, and hooks on that, alone.
        with torch.enable_grad():
            loss = self._loss(result)
        if not isinstance(loss, torch.Tensor) or loss.numel() != 1:
            given = (f"a tensor of the shape {tuple(loss.shape)}" if isinstance(loss, torch.Tensor)
                     else type(loss).__name__)
            raise RecordingError(f"loss= gives {given}; it is to give a tensor of one number")
        if not loss.requires_grad:
            return values
        if parameters:
            found = torch.autograd.grad(loss, list(parameters.values()), allow_unused=True)
            for name, gradient in zip(parameters, found, strict=True):
                if gradient is not None:
                    values.add(name, gradient, True)
        return values


@contextmanager
def random_numbers_of_its_own() -> Iterator[None]:
    """Leaves the random numbers of PyTorch, on each device, as they were."""
    with torch.random.fork_rng():
        yield


@contextmanager
def operator_by_operator() -> Iterator[None]:
    """In float64, with no operator that does the work of several."""
    default = torch.get_default_dtype()
    with ExitStack() as stack:
        stack.enter_context(without_libraries())
        stack.enter_context(
            torch.nn.attention.sdpa_kernel(torch.nn.attention.SDPBackend.MATH))
        stack.callback(torch.set_default_dtype, default)
        torch.set_default_dtype(torch.float64)
        yield
