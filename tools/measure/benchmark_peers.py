"""Measures the engine beside PyTorch (oneDNN on and off) and ONNX Runtime: the same
shapes, interleaved in one run, with one thread and with two.

Needs the release build (`tools/check`) and, beside what `tools/test` installs,
`pip install onnx onnxruntime`; `--plot` needs matplotlib. Without onnxruntime the
other peer is measured alone.
"""

import argparse
import json
import math
import statistics
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from catalogue import export_fixtures

ROOT = Path(__file__).resolve().parent.parent.parent
PARITY_CHECK = ROOT / ".build" / "release" / "parity-check"
GATES = {"lstm": 4, "gru": 3, "rnn": 1}
#: PyTorch's gates in ONNX's order.
ONNX_ORDER = {"lstm": [0, 3, 1, 2], "gru": [1, 0, 2], "rnn": [0]}


@dataclass(frozen=True)
class Shape:
    """As the engine's benchmark names it."""

    name: str

    @property
    def kind(self) -> str:
        return self.name.split("-")[0]

    @property
    def sizes(self) -> list[int]:
        return [int(part) for part in self.name.split("-")[1:6]]

    @property
    def is_ragged(self) -> bool:
        return "ragged" in self.name

    @property
    def dtype(self) -> torch.dtype:
        return torch.float64 if self.name.endswith("float64") else torch.float32

    @property
    def lengths(self) -> list[int]:
        _, _, _, batch, steps = self.sizes
        if not self.is_ragged:
            return [steps] * batch
        return [steps - k * (steps // 2) // max(1, batch - 1) for k in range(batch)]

    def module(self) -> torch.nn.Module:
        inputs, hidden, layers, _, _ = self.sizes
        kind = getattr(torch.nn, self.kind.upper())
        return kind(inputs, hidden, layers, bidirectional=True).to(self.dtype).eval()

    def input(self) -> torch.Tensor:
        inputs, _, _, batch, steps = self.sizes
        return torch.rand(steps, batch, inputs, dtype=self.dtype) * 2 - 1


def seconds_of(call: Callable[[], object], seconds: float) -> float:
    """The median, after one call that counts for nothing."""
    call()
    times: list[float] = []
    end = time.perf_counter() + seconds
    while len(times) < 5 or time.perf_counter() < end:
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def pytorch(shape: Shape, module: torch.nn.Module, x: torch.Tensor, onednn: bool) -> Callable:
    batch = pack_padded_sequence(x, shape.lengths) if shape.is_ragged else x

    def call() -> object:
        with torch.inference_mode(), torch.backends.mkldnn.flags(enabled=onednn):
            return module(batch)

    return call


def onnx_runtime(
    shape: Shape, module: torch.nn.Module, x: torch.Tensor, threads: int
) -> Callable | None:
    """None where it has no kernel. Its result is held to PyTorch's."""
    if shape.dtype != torch.float32:
        return None
    try:
        import onnx
        import onnxruntime
    except ImportError:
        return None
    from onnx import TensorProto, helper, numpy_helper

    inputs, hidden, layers, batch, steps = shape.sizes
    nodes, weights = [], []

    def ordered(tensor: torch.Tensor) -> np.ndarray:
        blocks = tensor.detach().numpy().reshape(GATES[shape.kind], hidden, -1)
        return blocks[ONNX_ORDER[shape.kind]].reshape(GATES[shape.kind] * hidden, -1)

    def both(name: str, layer: int) -> np.ndarray:
        return np.stack(
            [ordered(getattr(module, f"{name}_l{layer}{end}")) for end in ("", "_reverse")])

    source = "x"
    for layer in range(layers):
        biases = [both(name, layer)[..., 0] for name in ("bias_ih", "bias_hh")]
        for name, value in (
            ("w", both("weight_ih", layer)), ("r", both("weight_hh", layer)),
            ("b", np.concatenate(biases, axis=1)),
        ):
            weights.append(numpy_helper.from_array(np.ascontiguousarray(value), f"{name}{layer}"))
        extra = {"linear_before_reset": 1} if shape.kind == "gru" else {}
        nodes.append(helper.make_node(
            shape.kind.upper(), [source, f"w{layer}", f"r{layer}", f"b{layer}", "lengths"],
            [f"y{layer}"], hidden_size=hidden, direction="bidirectional", **extra))
        nodes.append(helper.make_node(
            "Transpose", [f"y{layer}"], [f"t{layer}"], perm=[0, 2, 1, 3]))
        nodes.append(helper.make_node("Reshape", [f"t{layer}", "features"], [f"z{layer}"]))
        source = f"z{layer}"
    weights.append(numpy_helper.from_array(np.array([steps, batch, 2 * hidden]), "features"))
    graph = helper.make_graph(
        nodes, "peer",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [steps, batch, inputs]),
         helper.make_tensor_value_info("lengths", TensorProto.INT32, [batch])],
        [helper.make_tensor_value_info(source, TensorProto.FLOAT, [steps, batch, 2 * hidden])],
        weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.checker.check_model(model)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    feed = {"x": x.numpy(), "lengths": np.array(shape.lengths, dtype=np.int32)}

    expected = pytorch(shape, module, x, onednn=False)()[0]
    if shape.is_ragged:
        expected, _ = pad_packed_sequence(expected)
    np.testing.assert_allclose(session.run(None, feed)[0], expected.numpy(), atol=1e-4)
    return lambda: session.run(None, feed)


def engine(shape: Shape, threads: int, seconds: float) -> dict:
    command = [
        PARITY_CHECK, "bench", "--json", "--shape", f"^{shape.name}$", "--threads", str(threads),
        "--seconds", str(seconds),
    ]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    return json.loads(run.stdout)


@dataclass
class Line:
    shape: Shape
    threads: int
    #: Seconds, by name; the engine's under "engine".
    times: dict[str, float]
    peak: float
    bound: float

    @property
    def ratio(self) -> float:
        """How many times as long the best peer takes."""
        return min(t for name, t in self.times.items() if name != "engine") / self.times["engine"]

    def milliseconds(self, name: str) -> str:
        return f"{self.times[name] * 1e3:.3f}" if name in self.times else "–"

    @property
    def best_peer(self) -> str:
        return min((name for name in self.times if name != "engine"), key=self.times.__getitem__)


#: The table of the README.
HEADER = """\
| module-I-H-layers-B-T | engine | oneDNN | native | ONNX RT | ratio | of FMA peak | of bound \
| 2 threads: engine | best peer | ratio |
|---|---|---|---|---|---|---|---|---|---|---|"""


def row(one: Line, two: Line) -> str:
    """A shape with one thread and, in short, with two."""
    columns = [one.shape.name]
    columns += [one.milliseconds(name) for name in ("engine", "oneDNN", "native", "ONNX Runtime")]
    columns += [f"{one.ratio:.2f}", f"{100 * one.peak:.0f}%", f"{100 * one.bound:.0f}%"]
    columns += [two.milliseconds("engine"), two.milliseconds(two.best_peer), f"{two.ratio:.2f}"]
    return "| " + " | ".join(columns) + " |"


def measure(shape: Shape, threads: int, rounds: int, seconds: float) -> Line:
    torch.manual_seed(1)
    torch.set_num_threads(threads)
    module, x = shape.module(), shape.input()
    peers = {
        "oneDNN": pytorch(shape, module, x, onednn=True),
        "native": pytorch(shape, module, x, onednn=False),
        "ONNX Runtime": onnx_runtime(shape, module, x, threads),
    }
    times: dict[str, list[float]] = {}
    results: list[dict] = []
    for _ in range(rounds):
        results.append(engine(shape, threads, seconds))
        times.setdefault("engine", []).append(results[-1]["seconds"])
        for name, call in peers.items():
            if call:
                times.setdefault(name, []).append(seconds_of(call, seconds))
    return Line(
        shape, threads, {name: statistics.median(values) for name, values in times.items()},
        peak=statistics.median(r["gigaflops"] / r["peakGigaflops"] for r in results),
        bound=statistics.median(r["gigaflops"] / r["boundGigaflops"] for r in results))


def plot(lines: list[Line], path: Path) -> None:
    """The same bytes for the same figures."""
    import matplotlib

    matplotlib.use("svg")
    matplotlib.rcParams |= {"svg.hashsalt": "benchmark_peers", "svg.fonttype": "path"}
    from matplotlib import pyplot

    names = list(dict.fromkeys(line.shape.name for line in lines))
    figure, axes = pyplot.subplots(figsize=(9, 6), layout="constrained")
    for threads, color, shift in ((1, "tab:blue", -0.2), (2, "tab:orange", 0.2)):
        own = {line.shape.name: line.ratio for line in lines if line.threads == threads}
        axes.barh(
            [names.index(name) + shift for name in own], list(own.values()), height=0.38,
            color=color, label=f"{threads} thread" + "s" * (threads > 1))
    axes.axvline(1, color="black", linewidth=1)
    axes.set(
        yticks=range(len(names)), yticklabels=names,
        xlabel="time of the best of PyTorch and ONNX Runtime over the engine's",
        title="module-I-H-layers-B-T, bidirectional")
    axes.invert_yaxis()
    axes.legend(loc="lower right")
    figure.savefig(path, metadata={"Date": None})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--shape", default="", help="only those that match, as in bench")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=0.3, help="for each, a round")
    parser.add_argument("--plot", type=Path, help="draw it too, as SVG")
    options = parser.parse_args()
    export_fixtures.quiet_pytorch()
    torch.set_flush_denormal(False)
    listing = subprocess.run(
        [PARITY_CHECK, "bench", "--list", "--shape", options.shape or "."],
        capture_output=True, text=True, check=True)

    print(HEADER)
    lines: list[Line] = []
    for name in listing.stdout.split():
        lines += [
            measure(Shape(name), threads, options.rounds, options.seconds) for threads in (1, 2)
        ]
        print(row(*lines[-2:]), flush=True)
    mean = math.exp(statistics.fmean(math.log(line.ratio) for line in lines))
    worst = min(lines, key=lambda line: line.ratio)
    print(f"\nGeometric mean of the ratio {mean:.2f}; lowest {worst.ratio:.2f}, "
          f"{worst.shape.name} with {worst.threads} thread" + "s" * (worst.threads > 1)
          + ". The ratio is the best peer's time over the engine's.")
    if options.plot:
        plot(lines, options.plot)
