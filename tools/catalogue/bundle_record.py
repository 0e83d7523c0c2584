"""Writes `tools/record.py`: the part of the package that records, in one file that needs PyTorch
alone. Run `tools/bundle_record.py` after a change of the package."""

import ast
from pathlib import Path

TOOLS = Path(__file__).resolve().parent.parent
BUNDLE = TOOLS / "record.py"
#: What is bundled, in an order in which each needs only those before it.
MODULES = ["modules", "values", "flow", "lineage", "selection", "environment", "capture", "snapshot",
           "recording", "recorder"]
#: Of these modules a part alone.
PARTS = {"snapshot": ["copied", "copy_of"], "environment": [
    "as_written", "precisions", "refuse_autocast", "provenance"]}

HEAD = '''"""Records what a PyTorch model computes, module by module. One file, to copy where nothing can be
installed: it needs PyTorch alone.

    from record import record

    with record(model) as recording:
        model(batch)
    recording.save("model.pt")
    recording.case("encoder.lstm").save("lstm.pt")      # a fixture, for parity-check

`parity_check.record`, the package's, gives the same, and more: σ, gradients, other kinds of files,
a check that a second run gives the same bits, and warnings of what makes a weak reference. This
file is put together from the package by `tools/bundle_record.py`.
"""

'''

#: In place of what needs NumPy.
SAVING = '''FORMAT = "pytorch-parity/1"
Manifest = dict[str, Any]
Tensors = Mapping[str, Any]


class Case:
    """A fixture: a manifest with its tensors."""

    def __init__(self, manifest: Manifest, tensors: Any) -> None:
        self.manifest, self.tensors = manifest, tensors

    @classmethod
    def of(cls, own: Manifest, groups: Any, provenance: dict[str, Any]) -> "Case":
        manifest = {"format": FORMAT} | own | {"provenance": provenance}
        return cls({key: value for key, value in manifest.items() if value is not None},
                   {f"{group}/{name}": as_array(tensor)
                    for group, named in groups.items() for name, tensor in named.items()})

    def save(self, path: Path | str) -> Path:
        return write(path, self.manifest, self.tensors)


def as_array(tensor: torch.Tensor) -> torch.Tensor:
    return tensor.detach().cpu().contiguous()


def arithmetic_of(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")


def digest(tensors: Any) -> None:
    """Its bytes are NumPy's; a manifest need not have one."""


def write(path: Path | str, manifest: Manifest, tensors: Any) -> Path:
    """Writes a `.pt` file."""
    path = Path(path)
    if path.suffix != ".pt":
        raise ValueError(f"{path}: this file writes .pt alone; the package parity_check writes "
                         ".npz, .h5, .safetensors and folders too")
    text = json.dumps({key: value for key, value in manifest.items() if value is not None},
                      default=lambda value: value.item())
    new = path.with_name(f".{path.name}.new")
    torch.save({"manifest": text} | dict(tensors), new)
    new.replace(path)
    return path
'''

TAIL = '''@contextmanager
def record(
    model: torch.nn.Module, modules: Choice = None, *, training: bool = False, tf32: bool = False,
) -> Iterator[Recording]:
    """Records what the modules of a model are given and give while the block runs.

    Recorded is each module without modules in it, each recurrent one, and each attention; with
    `modules` those that are named, or for which a function of name and module is true. All is
    copied when it is seen. Raises RecordingError for a model that can't be recorded, and where a
    module that is named is never called.
    """
    check(model, training)
    selected = chosen(model, modules)
    tensors = [*model.parameters(), *model.buffers()]
    recording = Recording(provenance(tensors, training, tf32), tf32)
    recorder = Recorder(recording, selected)
    with as_written(tf32), recorder.lineage, Capture(model, selected, recorder):
        yield recording
    check_calls(recording, modules, selected)
    recording.is_complete = True
'''


def bundle() -> str:
    """The text of the file."""
    imports: dict[str, set[str]] = {}
    plain, bodies, seen = set(), [], set()
    for module in MODULES:
        text = (TOOLS / "parity_check" / f"{module}.py").read_text(encoding="utf-8")
        tree = ast.parse(text)
        lines = text.splitlines()
        kept, last = [], 0
        for node in tree.body:
            start = min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", []))])
            end, comment = node.end_lineno, start - 1
            while comment > last and lines[comment - 1].startswith("#"):
                comment -= 1
            last = end
            if isinstance(node, ast.ImportFrom):
                if not node.module.startswith("parity_check"):
                    imports.setdefault(node.module, set()).update(a.name for a in node.names)
            elif isinstance(node, ast.Import):
                plain |= {alias.name for alias in node.names}
            elif isinstance(node, ast.Expr):
                kept.append(f"# {node.value.value.strip().splitlines()[0]}")
            elif module not in PARTS or getattr(node, "name", None) in PARTS[module]:
                names = defined(node)
                if seen & names:
                    raise ValueError(f"{module}: {seen & names} is defined twice")
                seen |= names
                kept.append("\n".join(lines[comment:end]))
        bodies.append("\n\n\n".join(kept))
    plain |= {"json"}
    plain.discard("numpy")
    imports["contextlib"] |= {"contextmanager"}
    head = [f"import {name}" for name in sorted(plain) if name != "torch"]
    froms = [f"from {module} import {', '.join(sorted(names))}"
             for module, names in sorted(imports.items())]
    standard = sorted(line for line in froms if "torch" not in line)
    torchs = ["import torch", *(line for line in froms if "torch" in line)]
    return (HEAD + "\n".join([*head, *standard, "", *torchs]) + "\n\n" + SAVING + "\n\n"
            + "\n\n\n".join(bodies) + "\n\n\n" + TAIL)


def defined(node: ast.stmt) -> set[str]:
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return {node.name}
    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
    return {target.id for target in targets if isinstance(target, ast.Name)}


def main() -> None:
    BUNDLE.write_text(bundle(), encoding="utf-8")
    print(f"wrote {BUNDLE}")
