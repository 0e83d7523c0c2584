"""`parity-check trace` finds an implementation's tensors, whatever they are called and kept in."""

import json

import gguf
import h5py
import numpy as np
import pytest
import safetensors.numpy
import torch

from parity_check.containers import write
from trace_cases import (gates_exchanged, ids, ran, recorded, save, statuses, tagger, trace, wrong)

pytestmark = pytest.mark.filterwarnings("ignore::parity_check.RecordingWarning")

ENDINGS = [".npz", ".h5", ".safetensors", ".pt", ""]


@pytest.fixture(scope="module")
def reference(tmp_path_factory):
    return recorded(tagger(), ids(), noise=16).save(tmp_path_factory.mktemp("r") / "r.safetensors")


@pytest.fixture(scope="module")
def right():
    return floats(ran(tagger(), ids()))


@pytest.fixture(scope="module")
def gates():
    return floats(ran(wrong(tagger(), gates_exchanged), ids()))


def floats(values):
    """The results of the modules: few dump more."""
    own = ("embed", "conv", "lstm/output", "lstm/h_n", "lstm/c_n", "norm", "out")
    return {name: values[name] for name in own}


def dotted(values):
    return {name.replace("/", "."): array for name, array in values.items()}


# MARK: Containers


def as_npz(folder, values):
    return [save(folder / "a.npz", values)]


def as_hdf5(folder, values):
    with h5py.File(folder / "a.h5", "w") as file:
        for name, array in values.items():
            file[name] = array
    return [folder / "a.h5"]


def as_safetensors(folder, values):
    safetensors.numpy.save_file(values, folder / "a.safetensors")
    return [folder / "a.safetensors"]


def as_torch(folder, values):
    torch.save({name: torch.tensor(array) for name, array in values.items()}, folder / "a.pt")
    return [folder / "a.pt"]


def as_folder(folder, values):
    for name, array in dotted(values).items():
        np.save(folder / f"{name}.npy", array)
    return [folder]


def as_several(folder, values):
    files = []
    for name, array in dotted(values).items():
        np.save(folder / f"{name}.npy", array)
        files.append(folder / f"{name}.npy")
    return files


def as_gguf(folder, values):
    writer = gguf.GGUFWriter(folder / "a.gguf", "trace")
    for name, array in values.items():
        writer.add_tensor(name, array)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return [folder / "a.gguf"]


def as_raw(folder, values):
    files = []
    for name, array in dotted(values).items():
        array.tofile(folder / f"{name}.f32")
        (folder / f"{name}.f32.json").write_text(json.dumps({"shape": array.shape}))
        files.append(folder / f"{name}.f32")
    return files


@pytest.mark.parametrize("save_as", [as_npz, as_hdf5, as_safetensors, as_torch, as_folder,
                                     as_several, as_gguf, as_raw])
def test_any_container_holds_what_an_implementation_gave(
        save_as, reference, right, gates, tmp_path):
    for name, values, wanted in (("right", right, 0), ("gates", gates, 1)):
        folder = tmp_path / name
        folder.mkdir()
        status, text = trace(reference, *save_as(folder, values))
        found = statuses(text)
        assert status == wanted and len(found) == 5 and "missing" not in found.values(), text
        assert found["lstm"] == ("starts here" if wanted else "agrees"), text
        assert not wanted or "gates in the order i, f, o, g" in text, text


@pytest.mark.parametrize("ending", ENDINGS)
def test_any_container_holds_the_recording(ending, gates, tmp_path):
    recording = recorded(tagger(), ids(), noise=16)
    reference = recording.save(tmp_path / f"r{ending}")
    found = statuses(trace(reference, save(tmp_path / "a.npz", gates))[1])
    assert found["conv"] == "agrees" and found["lstm"] == "starts here"
    # A recording may stand on the other side too.
    status, text = trace(reference, write(tmp_path / f"a{ending}", recording.manifest(),
                                          recording.arrays()))
    assert status == 0 and set(statuses(text).values()) == {"agrees"}, text


def test_a_tensor_below_another_in_hdf5(tmp_path):
    """`lstm` is a stage of one value and `lstm/input.0` a value: a dataset can't be a group."""
    recording = recorded(tagger(), ids(), noise=2)
    reference = recording.save(tmp_path / "r.h5")
    with h5py.File(reference) as file:
        assert "conv%2Finput.0" in file["values"]
    actual = write(tmp_path / "a.h5", {}, {
        name: tensor.numpy() for name, tensor in recording.values.items()})
    status, text = trace(reference, actual)
    assert status == 0 and statuses(text)["conv/input.0"] == "agrees", text


# MARK: Names


def test_a_common_prefix_is_left_out(reference, right, tmp_path):
    named = {f"model.tagger.{name}": array for name, array in dotted(right).items()}
    status, text = trace(reference, save(tmp_path / "a.npz", named))
    assert status == 0 and "note: the implementation's names start with model.tagger." in text, text


def test_rules_and_a_map(reference, gates, tmp_path):
    named = {f"net_{name}_v1": array for name, array in dotted(gates).items()}
    actual = save(tmp_path / "a.npz", named)
    rules = ["--rename", "s/^net_//", "--rename", "s|_v1$||"]
    found = statuses(trace(reference, actual, *rules)[1])
    assert found["lstm"] == "starts here" and len(found) == 5
    status, text = trace(reference, actual, "--map", "lstm/output=net_lstm.output_v1")
    assert status == 1 and statuses(text)["lstm"] == "starts here", text
    assert statuses(text)["norm"] == "missing" and "of no stage" in text, text


def test_no_name_in_common(reference, right, gates, tmp_path):
    other = {"embed": "token_table", "conv": "c1", "lstm/output": "bi", "norm": "ln",
             "out": "logits"}
    for values, wanted in ((right, 0), (gates, 1)):
        actual = save(tmp_path / "a.npz", {other[name]: values[name] for name in other})
        status, text = trace(reference, actual)
        assert status == wanted and "no name is in both" in text, text
        assert "--map conv=c1" in text and "--map norm=ln" in text, text
        assert statuses(text)["lstm"] == ("starts here" if wanted else "agrees"), text


def test_names_without_a_meaning_are_told_apart_by_their_numbers(tmp_path):
    """Four stages have one shape, and the names stand in another order than the stages run in."""
    torch.manual_seed(5)
    model = torch.nn.Sequential(*[torch.nn.Linear(4, 4) for _ in range(4)]).eval()
    x = torch.randn(6, 4)
    reference = recorded(model, x, noise=16).save(tmp_path / "r.npz")
    values = ran(model, x)
    order = {"0": "d", "1": "b", "2": "a", "3": "c"}
    status, text = trace(reference, save(
        tmp_path / "a.npz", {name: values[own] for own, name in order.items()}))
    assert status == 0 and "--map 0=d --map 1=b --map 2=a --map 3=c" in text, text
    values = ran(wrong(model, lambda m: m[3].weight.zero_()), x)
    status, text = trace(reference, save(
        tmp_path / "b.npz", {name: values[own] for own, name in order.items()}))
    assert status == 1 and statuses(text) == {
        "0": "agrees", "1": "agrees", "2": "agrees", "3": "starts here"}, text


def test_names_shapes_and_types_that_differ_all_at_once(tmp_path):
    """What a newcomer has: names of one's own, no axis of the batch, half precision."""
    reference = recorded(tagger(), ids(1), noise=16).save(tmp_path / "r.safetensors")
    other = {"embed": "token_table", "conv": "c1", "lstm/output": "bi", "norm": "ln",
             "out": "logits"}
    for model, wanted in ((tagger(), 0), (wrong(tagger(), gates_exchanged), 1)):
        values = ran(model, ids(1))
        actual = save(tmp_path / "a.npz", {
            other[name]: values[name][0].astype("f2") for name in other})
        status, text = trace(reference, actual)
        assert status == wanted, text
        assert statuses(text)["lstm"] == ("starts here" if wanted else "agrees"), text
        assert not wanted or "gates in the order i, f, o, g" in text, text
        assert not wanted or list(statuses(text).values())[-2:] == ["follows", "follows"], text


def test_time_before_the_batch(reference, right, gates, tmp_path):
    for values, wanted in ((right, 0), (gates, 1)):
        turned = {name: np.ascontiguousarray(array.swapaxes(0, 1))
                  if array.ndim == 3 and "_n" not in name else array
                  for name, array in values.items()}
        status, text = trace(reference, save(tmp_path / "a.npz", turned), "--verbose")
        assert status == wanted, text
        assert "compared as" in text, text


# MARK: Order and repetition


def test_an_order_makes_stages_of_plain_files(right, gates, tmp_path):
    expected = save(tmp_path / "e.npz", right)
    actual = save(tmp_path / "a.npz", gates)
    status, text = trace(expected, actual)
    assert status == 1 and "which one runs first is not known: --order FILE" in text, text
    assert statuses(text)["lstm/output"] == "differs"
    order = tmp_path / "order.txt"
    order.write_text("embed\nconv\nlstm/output\nnorm\nout\n")
    status, text = trace(expected, actual, "--order", order)
    assert status == 1 and statuses(text) == {
        "embed": "agrees", "conv": "agrees", "lstm/output": "starts here", "norm": "follows",
        "out": "follows"}, text


def test_two_runs_give_the_same_bits(reference, right, tmp_path):
    one = save(tmp_path / "a.npz", right)
    status, text = trace(reference, one, "--twice", save(tmp_path / "b.npz", right))
    assert status == 0 and "the second run gives the same bits, in 7 values" in text, text
    right = {name: array.copy() for name, array in right.items()}
    for name in ("norm", "out"):
        right[name].flat[3] = np.nextafter(right[name].flat[3], np.float32(9))
    status, text = trace(reference, one, "--twice", save(tmp_path / "c.npz", right))
    assert status == 1 and "not deterministic: the two runs part at norm" in text, text
