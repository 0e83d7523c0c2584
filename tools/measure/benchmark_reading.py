"""Reads a large checkpoint in each container, beside the container's own library: both go through
all numbers and tell the least and the largest of each tensor.

Whole processes are timed in turn, and the medians and the ratio printed: below 1 is ahead.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
PARITY_CHECK = ROOT / ".build" / "release" / "parity-check"

#: What the peer runs: the tensors of a file, one after the other.
PEERS = {
    ".safetensors": "from safetensors import safe_open\n"
                    "with safe_open(path, 'np') as f:\n"
                    "    for n in f.keys(): show(n, f.get_tensor(n))",
    ".pt": "import torch\n"
           "for n, t in torch.load(path, mmap=True).items():\n"
           "    low, high = t.aminmax(); print(n, low.item(), high.item())",
    ".h5": "import h5py\n"
           "with h5py.File(path) as f:\n"
           "    for n in f: show(n, f[n][()])",
    ".gguf": "import gguf\n"
             "for t in gguf.GGUFReader(path).tensors: show(t.name, t.data)",
    ".npz": "with np.load(path) as f:\n"
            "    for n in f: show(n, f[n])",
}
START = ("import sys, numpy as np\npath = sys.argv[1]\n"
         "def show(name, array): print(name, array.min(), array.max())\n")


def write(path: Path, megabytes: int) -> None:
    # Here alone: what the measuring process holds would count as held by its children.
    import gguf
    import h5py
    import numpy as np
    import safetensors.numpy
    import torch

    random = np.random.default_rng(0)
    rows = megabytes * 2 ** 20 // (8 * 4096 * 4)
    tensors = {f"t{k}": random.standard_normal((rows, 4096), np.float32) for k in range(8)}
    if path.suffix == ".safetensors":
        safetensors.numpy.save_file(tensors, path)
    elif path.suffix == ".pt":
        torch.save({name: torch.from_numpy(array) for name, array in tensors.items()}, path)
    elif path.suffix == ".h5":
        with h5py.File(path, "w") as file:
            for name, array in tensors.items():
                file[name] = array
    elif path.suffix == ".npz":
        np.savez(path, **tensors)
    else:
        writer = gguf.GGUFWriter(path, "lstm")
        for name, array in tensors.items():
            writer.add_tensor(name, array)
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()


def measure(command: list) -> tuple[float, int]:
    """Seconds, and the most memory in MB."""
    start = time.perf_counter()
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    seconds = time.perf_counter() - start
    if status:
        sys.exit(f"{command[0]} ended with status {status}")
    return seconds, usage.ru_maxrss >> 10


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--megabytes", type=int, default=1024)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--endings", nargs="+", default=list(PEERS), choices=list(PEERS))
    parser.add_argument("--write", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.write:
        write(options.write, options.megabytes)
        return
    for ending in options.endings:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / f"m{ending}"
            subprocess.run(
                [sys.executable, sys.argv[0], "--write", path, "--megabytes",
                 str(options.megabytes)], check=True)
            own = [PARITY_CHECK, "inspect", path]
            peer = [sys.executable, "-c", START + PEERS[ending], path]
            for command in (own, peer):
                measure(command)  # The file is in the system's cache then.
            runs = [(measure(own), measure(peer)) for _ in range(options.runs)]
            seconds = [statistics.median(run[side][0] for run in runs) for side in (0, 1)]
            memory = [max(run[side][1] for run in runs) for side in (0, 1)]
            print(f"{ending:13} {seconds[0]:5.2f} s, its library {seconds[1]:5.2f} s: "
                  f"{seconds[0] / seconds[1]:.2f} of the time; {memory[0]:5} MB and "
                  f"{memory[1]:5} MB: {memory[0] / memory[1]:.2f} of the memory", flush=True)
