"""What pyproject.toml cannot say: where the version is written, and that a package with the
program in it is for one platform, but for any Python.
"""

import runpy
from pathlib import Path

from setuptools import Distribution, setup
from setuptools.command.bdist_wheel import bdist_wheel

PACKAGE = Path(__file__).resolve().parent / "parity_check"


class ProgramDistribution(Distribution):
    def has_ext_modules(self) -> bool:
        return (PACKAGE / "bin" / "parity-check").exists()


class ProgramWheel(bdist_wheel):
    def get_tag(self) -> tuple[str, str, str]:
        return "py3", "none", super().get_tag()[2]


setup(
    version=runpy.run_path(str(PACKAGE / "version.py"))["version"](),
    distclass=ProgramDistribution, cmdclass={"bdist_wheel": ProgramWheel})
