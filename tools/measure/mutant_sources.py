"""The sound cases that `mutate_fixtures.py` damages, in each container."""

import json
import random
import re
import subprocess
from pathlib import Path

import numpy as np

from catalogue import containers
from catalogue.committed import committed
from parity_check.containers import read

ROOT = Path(__file__).resolve().parent.parent.parent
PARITY_CHECK = ROOT / ".build" / "release" / "parity-check"
#: The ways in which this repository's exporter writes a container.
WRITERS = {".npz": ["npz-stored", "npz-deflated", "npz-zip64"],
           ".h5": ["hdf5", "hdf5-chunked", "hdf5-big-endian"],
           "folder": ["folder", "folder-gzip", "folder-fortran"]}
#: The containers of which a folder borrows its parameters. They hold no manifest.
MODELS = [".gguf", ".onnx"]
CONTAINERS = [".npz", ".h5", ".safetensors", ".pt", "folder", *MODELS]
#: ONNX's order of the gates, by their places in PyTorch's.
ONNX_GATES = {"LSTM": [0, 3, 1, 2], "GRU": [1, 0, 2], "RNN": [0]}
#: What the names of the parameters in such a file start with.
PREFIX = "encoder."


def good(folder: Path, container: str) -> list[Path]:
    """The small fixtures of this repository that pass, in this container."""
    for path in committed().values():
        if path.is_file() and path.stat().st_size < 60_000 and path.suffix in WRITERS:
            write(path, folder, container)
    run = subprocess.run([PARITY_CHECK, folder, "--diagnose", "off"], capture_output=True,
                         text=True, check=False)
    found = statuses(run.stdout)
    return sorted(path for path in folder.iterdir()
                  if found.get(name(path)) == "passed")


def name(path: Path) -> str:
    return path.name if path.is_dir() else path.stem


def statuses(printed: str) -> dict[str, str]:
    """What a report says of each case, by its name."""
    return dict(reversed(line.split()[:2]) for line in printed.splitlines()
                if re.match(r"(passed|failed|invalid|unreadable|inconclusive|skipped) ", line))


def write(source: Path, folder: Path, container: str) -> None:
    """The same without the digest, which would catch all that is damaged."""
    manifest, tensors = read(source)
    manifest.pop("digest", None)
    tensors = {name: np.ascontiguousarray(tensor.astype(tensor.dtype.newbyteorder("=")))
               for name, tensor in tensors.items()}
    path = folder / f"{source.stem}{container if container[0] == '.' else ''}"
    if container in WRITERS:
        writer = containers.CONTAINERS[random.Random(source.stem).choice(WRITERS[container])]
        writer(folder / source.stem, manifest, tensors)
    elif container == ".safetensors":
        import safetensors.numpy

        safetensors.numpy.save_file(
            tensors, path, metadata={"manifest": json.dumps(manifest)})
    elif container == ".pt":
        import torch

        torch.save({name: torch.from_numpy(tensor) for name, tensor in tensors.items()}
                   | {"manifest": json.dumps(manifest)}, path)
    else:
        write_borrowing(folder / source.stem, container, manifest, tensors)


def write_borrowing(folder: Path, container: str, manifest: dict, tensors: dict) -> None:
    """A folder beside whose manifest stands the file with the parameters."""
    parameters = {name.removeprefix("state_dict/"): tensor for name, tensor in tensors.items()
                  if name.startswith("state_dict/")}
    if not is_plain(manifest, parameters) or not tensors["outputs/output"].size:
        return
    own = {name: tensor for name, tensor in tensors.items() if name[11:] not in parameters}
    file = f"model{container}"
    borrowed = {"tensors": {"state_dict": {"file": file, "prefix": PREFIX}}}
    containers.write_folder()(folder, manifest | borrowed, own)
    if container == ".gguf":
        write_gguf(folder / file, parameters)
    else:
        write_onnx(folder / file, manifest["module"], parameters)


def is_plain(manifest: dict, parameters: dict) -> bool:
    """Whether it is one layer that both formats can hold, and each of its parameters counts."""
    return ("arithmetic" not in manifest and manifest["module"] in ONNX_GATES
            and "bias_ih_l0" in parameters
            and all("_l0" in name and not name.startswith("weight_hr") for name in parameters)
            and manifest.get("arguments", {}).get("nonlinearity") != "relu"
            and all(tensor.dtype in (np.float32, np.float64) for tensor in parameters.values())
            and len(set(parameters["weight_ih_l0"].ravel())) > 1)


def write_gguf(path: Path, parameters: dict) -> None:
    import gguf

    writer = gguf.GGUFWriter(path, "lstm")
    writer.add_array("tokens", ["a", "bc"])
    for key, tensor in parameters.items():
        writer.add_tensor(PREFIX + key, tensor)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def write_onnx(path: Path, module: str, parameters: dict) -> None:
    import onnx

    directions = ["", "_reverse"] if "bias_ih_l0_reverse" in parameters else [""]
    hidden = parameters["weight_hh_l0"].shape[1]

    def reordered(key: str) -> np.ndarray:
        gates = np.split(parameters[key], len(ONNX_GATES[module]))
        return np.concatenate([gates[gate] for gate in ONNX_GATES[module]])

    arrays = {
        "W": np.stack([reordered(f"weight_ih_l0{end}") for end in directions]),
        "R": np.stack([reordered(f"weight_hh_l0{end}") for end in directions]),
        "B": np.stack([
            np.concatenate([reordered(f"bias_ih_l0{end}"), reordered(f"bias_hh_l0{end}")])
            for end in directions])}
    options = {"linear_before_reset": 1} if module == "GRU" else {}
    node = onnx.helper.make_node(
        module, ["x", *arrays], ["y"], name=PREFIX[:-1], hidden_size=hidden,
        direction="bidirectional" if len(directions) == 2 else "forward", **options)
    tensors = [onnx.numpy_helper.from_array(array, key) for key, array in arrays.items()]
    graph = onnx.helper.make_graph([node], "model", [], [], initializer=tensors)
    onnx.save_model(
        onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 17)]), path)


def contents(path: Path) -> tuple[dict, dict[str, np.ndarray]]:
    """The manifest and the tensors, as the containers' own libraries read them. The parameters of
    an ONNX model are those of its node."""
    if path.is_dir():
        return folder_contents(path)
    if path.suffix in WRITERS:
        return read(path)
    if path.suffix == ".safetensors":
        import safetensors

        with safetensors.safe_open(path, "np") as file:
            return json.loads(file.metadata()["manifest"]), {
                key: file.get_tensor(key) for key in file.keys()}
    import torch

    tensors = torch.load(path, weights_only=True)
    manifest = json.loads(tensors.pop("manifest"))
    return manifest, {key: tensor.numpy() for key, tensor in tensors.items()}


def folder_contents(path: Path) -> tuple[dict, dict[str, np.ndarray]]:
    text = (path / "manifest.json").read_text(encoding="utf-8")
    model = next(path.glob("model.*"), None)
    if model is None:
        return read(path)
    tensors = {file.relative_to(path).as_posix()[:-4]: np.load(file)
               for file in path.rglob("*.npy")}
    if model.suffix == ".gguf":
        import gguf

        again = {tensor.name: np.array(tensor.data) for tensor in gguf.GGUFReader(model).tensors}
    else:
        import onnx

        again = {tensor.name: onnx.numpy_helper.to_array(tensor)
                 for tensor in onnx.load(model).graph.initializer}
    return json.loads(text), tensors | {f"state_dict/{key}": again[key] for key in again}
