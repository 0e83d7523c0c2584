"""The wheel and the archive: what they hold runs where there is neither Swift nor libhdf5."""

import os
import re
import shutil
import signal
import subprocess
import sys
import tarfile
import time
import venv
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
BUILT = ROOT / ".build" / "release" / "parity-check"
VERSION = re.findall('= "(.+)"', (ROOT / "Sources/ParityCheck/Version.swift").read_text())[0]

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="asks ldd")


def call(*command: object, **options: object) -> subprocess.CompletedProcess:
    return subprocess.run(
        [str(word) for word in command], capture_output=True, text=True, timeout=120, **options)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("wheels")
    run = call(ROOT / "tools" / "wheel", folder, BUILT)
    assert run.returncode == 0, run.stderr
    [path] = folder.iterdir()
    assert run.stdout == f"wrote {path}\n"
    return path


@pytest.fixture(scope="module")
def environment(wheel, tmp_path_factory) -> dict[str, str]:
    """Of a virtual environment with the wheel, NumPy and h5py, outside of the repository."""
    folder = tmp_path_factory.mktemp("installed") / "venv"
    venv.create(folder, symlinks=True)
    run = call(sys.executable, "-m", "pip", "--python", folder / "bin" / "python", "install",
               "--no-deps", "--no-index", wheel)
    assert run.returncode == 0, run.stderr
    [packages] = folder.glob("lib/python*/site-packages")
    for path in Path(np.__file__).parent.parent.iterdir():
        if re.fullmatch(r"(numpy|h5py)(\.libs)?", path.name):
            (packages / path.name).symlink_to(path)
    return without_libraries(tmp_path_factory.mktemp("damaged")) | {"PATH": f"{folder}/bin"}


def without_libraries(folder: Path) -> dict[str, str]:
    """Variables with which a program finds a damaged file where it asks for the libhdf5, or the
    Swift, of this machine."""
    for name in re.findall(r"(lib(?:hdf5|swift)\S*) =>", call("ldd", BUILT).stdout):
        (folder / name).write_text("damaged")
    variables = {"LD_LIBRARY_PATH": str(folder)}
    assert call(BUILT, "--version", env=variables).returncode == 127
    return variables


def program(environment: dict[str, str]) -> Path:
    [path] = Path(environment["PATH"]).parent.glob("lib/*/site-packages/parity_check/bin/*")
    return path


def parity_check(environment: dict[str, str], *arguments: object, **options: object):
    command = Path(environment["PATH"]) / "parity-check"
    return call(command, *arguments, env=environment, **options)


def judged(folder: Path) -> Path:
    """A folder of one fixture in each of two containers."""
    for name in ("gru.npz", "gru-cell.h5"):
        shutil.copy(ROOT / "Fixtures" / name, folder)
    return folder


def test_the_tag_is_that_of_this_machine_and_of_any_python(wheel):
    tags = re.fullmatch(rf"parity_check-{re.escape(VERSION)}-py3-none-(.+)\.whl", wheel.name)
    assert tags
    libc = int(os.confstr("CS_GNU_LIBC_VERSION").split(".")[1])
    for tag in tags[1].split("."):
        platform = re.fullmatch(rf"manylinux_2_(\d+)_{os.uname().machine}", tag)
        assert platform and int(platform[1]) <= libc


def test_one_version(wheel, environment, tmp_path):
    assert parity_check(environment, "--version").stdout == VERSION + "\n"
    python = Path(environment["PATH"]) / "python"
    script = ("import importlib.metadata as m, parity_check as p;"
              "print(p.__version__, m.version('parity_check'))")
    assert call(python, "-c", script, cwd=tmp_path).stdout.split() == [VERSION, VERSION]
    in_repository = call(python, "-c", "import parity_check as p; print(p.__version__)",
                         cwd=ROOT / "tools")
    assert in_repository.stdout == VERSION + "\n"


def test_a_program_of_another_version_is_refused(tmp_path):
    other = tmp_path / "other"
    other.write_text("#!/bin/sh\necho 9.9\n")
    other.chmod(0o755)
    run = call(ROOT / "tools" / "wheel", tmp_path / "wheels", other)
    assert run.returncode == 1 and not run.stdout
    assert run.stderr == (f"wheel: {other} has version 9.9, these sources {VERSION}; "
                          "build it anew\n")


def test_the_package_needs_no_torch(environment, tmp_path):
    run = call(Path(environment["PATH"]) / "python", "-c",
               "import parity_check, sys; assert 'numpy' not in sys.modules\n"
               "from importlib.util import find_spec; import parity_check.containers, h5py\n"
               "print(find_spec('torch'), parity_check.__file__)", env=environment, cwd=tmp_path)
    assert run.stdout.startswith(f"None {Path(environment['PATH']).parent}/"), run.stderr


def test_judges_outside_of_the_repository(environment, tmp_path):
    run = parity_check(environment, ".", cwd=judged(tmp_path))
    assert run.returncode == 0, run
    assert [line.split()[:2] for line in run.stdout.splitlines()[:2]] == [
        ["passed", "gru"], ["passed", "gru-cell"]]


@pytest.mark.parametrize(("status", "arguments"), [
    (1, ["gru.npz", "--engine", "/bin/false {case} {out}"]), (2, ["missing.npz"]),
    (64, ["--nonsense"])])
def test_the_exit_status_is_the_programs(status, arguments, environment, tmp_path):
    assert parity_check(environment, *arguments, cwd=judged(tmp_path)).returncode == status


def test_signals_reach_the_program(environment, tmp_path):
    run = subprocess.Popen(
        [Path(environment["PATH"]) / "parity-check", judged(tmp_path), "--engine",
         f"/bin/sh -c 'echo > {tmp_path}/started; exec /bin/sleep 60' {{case}} {{out}}"],
        env=environment, cwd=tmp_path, stdout=subprocess.DEVNULL)
    while not (tmp_path / "started").exists() and run.poll() is None:
        time.sleep(0.01)
    assert os.readlink(f"/proc/{run.pid}/exe") == str(program(environment))
    ignored = re.findall(r"SigIgn:\s+(\w+)", Path(f"/proc/{run.pid}/status").read_text())[0]
    assert not int(ignored, 16) & 1 << signal.SIGXFSZ - 1
    run.send_signal(signal.SIGTERM)
    assert run.wait(timeout=30) in (-signal.SIGTERM, 128 + signal.SIGTERM)


def test_only_packed_libraries_are_found(environment):
    packed = program(environment)
    told = call(shutil.which("ldd"), packed, env=environment).stdout
    found = dict(re.findall(r"(\S+) => (\S+)", told))
    [hdf5] = [path for name, path in found.items() if name.startswith("libhdf5")]
    assert Path(hdf5).resolve().parent == packed.parent.parent / "lib"
    system = {name for name, path in found.items() if "site-packages" not in path}
    assert system <= {f"lib{name}" for name in (
        "c.so.6", "m.so.6", "z.so.1", "gcc_s.so.1", "stdc++.so.6", "resolv.so.2", "dl.so.2",
        "pthread.so.0", "rt.so.1", "util.so.1")}, system


def test_the_archive_runs_where_it_is_unpacked(wheel, tmp_path):
    run = call(ROOT / "tools" / "archive", tmp_path, wheel)
    name = f"parity-check-{VERSION}-linux-{os.uname().machine}"
    assert run.stdout == f"wrote {tmp_path}/{name}.tar.gz\n", run.stderr
    with tarfile.open(tmp_path / f"{name}.tar.gz") as archive:
        archive.extractall(tmp_path / "there")
    [folder] = (tmp_path / "there").iterdir()
    assert folder.name == name
    assert {path.name for path in folder.iterdir()} >= {"INSTALL.txt", "README.md", "bin", "lib"}
    if shutil.which("dpkg-query"):
        assert [*folder.glob("notices/libhdf5-*.txt")]
    link = tmp_path / "linked"
    link.symlink_to(folder / "bin" / "parity-check")
    (tmp_path / "damaged").mkdir()
    variables = without_libraries(tmp_path / "damaged")
    assert call(link, "--version", env=variables).stdout == VERSION + "\n"
    (tmp_path / "cases").mkdir()
    run = call(link, judged(tmp_path / "cases"), env=variables)
    assert run.returncode == 0 and run.stdout.count("\npassed ") + 1 == 2, run


def test_without_the_program_the_command_says_what_to_do(tmp_path):
    shutil.copytree(ROOT / "tools" / "parity_check", tmp_path / "tools" / "parity_check")
    run = call(sys.executable, "-m", "parity_check", cwd=tmp_path / "tools")
    assert run.returncode == 70 and not run.stdout
    assert run.stderr.count("\n") == 1 and "tools/install" in run.stderr
