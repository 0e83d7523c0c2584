"""What `parity-check trace` can't use is told in a line each, and the other stages go on."""

import json

import numpy as np
import pytest
import torch

from parity_check.containers import read, write
from trace_cases import ids, ran, recorded, save, statuses, tagger, trace

pytestmark = pytest.mark.filterwarnings("ignore::parity_check.RecordingWarning")


@pytest.fixture(scope="module")
def reference(tmp_path_factory):
    return recorded(tagger(), ids(), noise=2).save(tmp_path_factory.mktemp("r") / "r.npz")


@pytest.fixture
def values():
    return ran(tagger(), ids())


@pytest.mark.parametrize(("name", "change", "told"), [
    ("conv", lambda y: y[:, :, :-1], "conv: expected the shape (2, 10, 9), found (2, 10, 8)"),
    ("conv", lambda y: y[0], "conv: expected the shape (2, 10, 9), found (10, 9)"),
    ("conv", lambda y: y.ravel()[:1], "conv: expected the shape (2, 10, 9), found (1,)"),
    ("norm", lambda y: y[..., :0], "norm: expected the shape (2, 9, 12), found (2, 9, 0)"),
])
def test_another_shape(name, change, told, reference, values, tmp_path):
    values[name] = change(values[name])
    status, text = trace(reference, save(tmp_path / "a.npz", values))
    found = statuses(text)
    assert status == 1 and told in text and found[name] == "starts here", text
    assert found["embed"] == "agrees" and found["out"] in ("agrees", "follows"), text


def test_whole_numbers_where_real_ones_are_expected(reference, values, tmp_path):
    values["norm"] = (values["norm"] * 100).astype("i4")
    status, text = trace(reference, save(tmp_path / "a.npz", values))
    assert status == 1 and statuses(text)["norm"] == "starts here", text
    assert statuses(text)["out"] == "agrees", text


def test_complex_numbers_are_told_and_the_others_go_on(reference, values, tmp_path):
    values["norm"] = values["norm"].astype("c8")
    status, text = trace(reference, save(tmp_path / "a.npz", values))
    found = statuses(text)
    assert status == 2 and found["norm"] == "unreadable" and found["lstm"] == "agrees", text
    assert "a.npz: norm" in text and "complex" in text, text


@pytest.mark.parametrize(("change", "told"), [
    (lambda m: m.pop("stages"), "stages: expected at least one stage, found none"),
    (lambda m: m.update(stages=[]), "stages: expected at least one stage, found an empty array"),
    (lambda m: m["stages"].append(m["stages"][0]), "expected a call of its own, found embed again"),
    (lambda m: m["stages"].reverse(), "the stages must stand in the order in which they ran"),
    (lambda m: m["stages"][0].update(inputs=["embed"]), "which the stage is given itself"),
    (lambda m: m["stages"][1].update(outputs=["nowhere"]), "without a tensor values/nowhere"),
    (lambda m: m["derived"].update({"lstm/input.0": 5}), "derived"),
    (lambda m: m.update(arithmetic="float99"), "arithmetic"),
])
def test_a_recording_that_contradicts_itself(change, told, reference, values, tmp_path):
    manifest, arrays = read(reference)
    change(manifest)
    broken = write(tmp_path / "broken.npz", manifest, arrays)
    status, text = trace(broken, save(tmp_path / "a.npz", values))
    assert status == 2 and told in text and str(broken) in text, text
    assert len(text.splitlines()) == 1, text


def test_two_tensors_of_one_name(reference, values, tmp_path):
    one = save(tmp_path / "a.npz", values)
    status, text = trace(reference, one, save(tmp_path / "b.npz", {"norm": values["norm"]}))
    assert status == 2 and "b.npz: norm" in text and "two of this name" in text, text


def test_a_file_that_holds_nothing_of_the_reference(reference, tmp_path):
    status, text = trace(reference, save(tmp_path / "a.npz", {"loss": np.ones((3, 3, 3), "f4")}))
    assert status == 2 and "expected tensors named like" in text and "but loss" in text, text
    assert "--map" in text and "--rename" in text, text


def test_a_truncated_file(reference, values, tmp_path):
    actual = save(tmp_path / "a.npz", values)
    data = actual.read_bytes()
    actual.write_bytes(data[:len(data) // 2])
    status, text = trace(reference, actual)
    assert status == 2 and str(actual) in text and len(text.splitlines()) == 1, text


def test_a_truncated_file_among_several(reference, values, tmp_path):
    files = []
    for name in ("embed", "norm", "out"):
        files.append(tmp_path / f"{name}.npy")
        np.save(files[-1], values[name])
    data = files[1].read_bytes()
    files[1].write_bytes(data[:len(data) // 2])
    status, text = trace(reference, *files)
    found = statuses(text)
    assert status == 2 and found["norm"] == "unreadable" and "norm.npy" in text, text
    assert found["embed"] == found["out"] == "agrees", text


def test_damaged_bytes_of_one_member(reference, values, tmp_path):
    actual = save(tmp_path / "a.npz", values)
    data = bytearray(actual.read_bytes())
    place = bytes(data).find(values["norm"].tobytes())
    data[place + 40] ^= 0x55
    actual.write_bytes(data)
    status, text = trace(reference, actual)
    found = statuses(text)
    assert status == 2 and found["norm"] == "unreadable" and "CRC" in text, text
    assert found["lstm"] == "agrees" and found["out"] == "agrees", text


def test_a_sigma_of_another_shape(reference, values, tmp_path):
    manifest, arrays = read(reference)
    arrays["sigma/norm"] = arrays["sigma/norm"][:, :-1]
    broken = write(tmp_path / "broken.npz", manifest, arrays)
    status, text = trace(broken, save(tmp_path / "a.npz", values))
    assert status == 2 and "sigma/norm" in text and "as the value's" in text, text
    assert statuses(text)["out"] == "agrees", text


@pytest.mark.parametrize(("options", "told", "wanted"), [
    ((), "Missing expected argument '<actual> ...'", 64),
    (("a.npz", "--sigma", "-1"), "--sigma", 64),
    (("a.npz", "--rename", "^model"), "expected s/PATTERN/REPLACEMENT/", 64),
    (("a.npz", "--rename", "s/(/x/"), "expected s/PATTERN/REPLACEMENT/", 64),
    (("a.npz", "--actual-arithmetic", "float99"), "actual-arithmetic", 64),
    (("a.npz", "--map", "nowhere=norm"), "--map: expected a name such as", 2),
    (("a.npz", "--map", "norm=nowhere"), "--map: expected a name such as", 2),
    (("nothing.npz",), "nothing.npz", 2),
    (("a.npz", "--twice", "nothing.npz"), "nothing.npz", 2),
    (("a.npz", "--order", "order.txt"), "--order: expected none for a recording", 2),
])
def test_wrong_usage(options, told, wanted, reference, values, tmp_path):
    save(tmp_path / "a.npz", values)
    (tmp_path / "order.txt").write_text("norm\n")
    given = [tmp_path / option if option.endswith((".npz", ".txt")) else option
             for option in options]
    status, text = trace(reference, *given)
    assert status == wanted and told in text, text


def test_an_order_that_names_what_is_not_there(values, tmp_path):
    actual = save(tmp_path / "a.npz", values)
    (tmp_path / "order.txt").write_text("embed\nnowhere\n")
    status, text = trace(actual, actual, "--order", tmp_path / "order.txt")
    assert status == 2 and "nowhere" in text and str(actual) in text, text
    (tmp_path / "order.txt").write_text("embed\nembed\n")
    status, text = trace(actual, actual, "--order", tmp_path / "order.txt")
    assert status == 2 and "expected each stage once, found embed twice" in text, text


def test_a_manifest_that_is_neither_a_recording_nor_a_fixture(values, tmp_path):
    path = write(tmp_path / "a.npz", {"module": "Whatever"}, values)
    status, text = trace(path, path)
    assert status == 2 and str(path) in text, text


def test_a_file_that_is_no_archive(values, tmp_path):
    path = tmp_path / "notes.txt"
    path.write_text(json.dumps({"a": 1}))
    status, text = trace(path, save(tmp_path / "a.npz", values))
    assert status == 2 and str(path) in text, text


def test_an_empty_value_is_no_error(tmp_path):
    recording = recorded(tagger(), ids(), noise=2)
    recording.values["norm"] = torch.zeros(2, 0, 12)
    recording.sigma["norm"] = torch.zeros(2, 0, 12)
    reference = recording.save(tmp_path / "r.npz")
    values = {name: tensor.numpy() for name, tensor in recording.values.items()}
    status, text = trace(reference, save(tmp_path / "a.npz", values))
    assert status == 0 and statuses(text)["norm"] == "agrees", text
