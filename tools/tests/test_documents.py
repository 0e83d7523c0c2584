"""README.md and the documentation of ParityTesting name nothing that is not there."""

import os
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
PARITY_CHECK = ROOT / ".build" / "release" / "parity-check"
CATALOGUE = ROOT / "Sources" / "ParityTesting" / "ParityTesting.docc"
ARTICLES = sorted(CATALOGUE.glob("*.md"))
DOCUMENTS = [ROOT / "README.md", *ARTICLES]

#: Lines of the README that somebody reads before deciding whether to go on.
LONGEST_README = 250

#: Options in the documents that are another program's.
FOREIGN_OPTIONS = {"--disable-default-traits"}  # swift build's

FENCED = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
OPTION = re.compile(r"(?<![\w-])--[a-z][a-z0-9-]*")
#: A path without blanks, with a folder or the ending of a source.
PATH = re.compile(r"[\w.+-]+(/[\w.+-]+)+/?|[\w+-]+\.(swift|py)")

#: A test of each document by itself.
every_document = pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)


def repository() -> set[str]:
    """All files and folders of the repository, from its root."""
    found: set[str] = set()
    for folder, folders, files in os.walk(ROOT):
        folders[:] = [name for name in folders
                      if not name.startswith((".git", ".build", ".venv", "__pycache__"))]
        parent = os.path.relpath(folder, ROOT)
        found |= {os.path.normpath(os.path.join(parent, name)) for name in [*folders, *files]}
    return found


PATHS = repository()
#: What the path of a file of this repository starts with, from its root or from Sources.
ROOMS = {path.name for folder in [ROOT, ROOT / "Sources"] for path in folder.iterdir()
         if path.is_dir()}


def is_there(path: str) -> bool:
    """Whether a file or folder has this path from the root, or from a folder of it."""
    path = path.rstrip("/")
    return path in PATHS or any(known.endswith("/" + path) for known in PATHS)


def options_of_parity_check() -> set[str]:
    def text(*arguments: str) -> str:
        return subprocess.run([PARITY_CHECK, *arguments, "--help-hidden"], capture_output=True,
                              text=True, check=True).stdout

    whole = text()
    commands = re.findall(r"^  ([a-z]+)  ", whole.split("SUBCOMMANDS:")[1], re.MULTILINE)
    assert {"compare", "audit"} <= set(commands)
    return set(OPTION.findall("".join([whole, *map(text, commands)])))


def options_of_tools() -> set[str]:
    sources = [path.read_text() for path in (ROOT / "tools").rglob("*.py")]
    return {option for source in sources
            for option in re.findall(r"""add_argument\(\s*"(--[a-z-]+)""", source)}


@pytest.mark.parametrize("article", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_to_articles(article: Path) -> None:
    text = article.read_text()
    names = re.findall(r"<doc:([^>]*)>", text)
    assert set(names) <= {path.stem for path in ARTICLES}
    # A README, whose links are paths, is no article of the catalogue.
    files = [target for target in re.findall(r"\]\(([^)\s]+)\)", text) if "://" not in target]
    assert [target for target in files if not (article.parent / target).exists()] == []


def test_the_readme_is_short() -> None:
    assert len((ROOT / "README.md").read_text().splitlines()) <= LONGEST_README


@every_document
def test_what_is_named_in_tools_is_there(document: Path) -> None:
    named = re.findall(r"(?<![\w/.-])tools/[\w./-]*\w", document.read_text())
    assert [path for path in named if path not in PATHS] == []


@every_document
def test_paths_in_prose_are_there(document: Path) -> None:
    spans = re.findall(r"`([^`\n]+)`", FENCED.sub("", document.read_text()))
    paths = [span for span in spans if PATH.fullmatch(span)]
    meant = [path for path in paths
             if path.split("/")[0] in ROOMS or path.endswith((".swift", ".py"))]
    assert [path for path in meant if not is_there(path)] == []


def test_options_are_some_command_s() -> None:
    known = options_of_parity_check() | options_of_tools() | FOREIGN_OPTIONS
    unknown = {(document.name, option) for document in DOCUMENTS
               for option in OPTION.findall(document.read_text()) if option not in known}
    assert unknown == set()
