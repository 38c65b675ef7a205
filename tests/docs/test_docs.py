"""The documentation is true: its files are written, its commands run, its output compared."""

from __future__ import annotations

import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest
from docpages import PAGES, ROOT, Scratch, Section, Step, agrees, sections
from regenerate import DIAGNOSTICS, REFERENCE, with_codes, with_tables

EXAMPLES = sorted(each.parent.name for each in ROOT.glob("examples/*/README.md"))
NEEDS = {"c-project": ["gcc", "ar"], "text-index": ["awk", "sort"], "weather": ["cut", "sed"]}
NEEDS_MODULES = {"weather": ["vega_datasets", "matplotlib"]}

_LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")


def _text(page: str) -> str:
    return (ROOT / page).read_text(encoding="utf-8")


def _all_sections() -> list[object]:
    return [
        pytest.param(page, section, id=f"{page}:{section.line}:{section.title}")
        for page in PAGES
        if (ROOT / page).exists()
        for section in sections(_text(page))
    ]


@pytest.mark.parametrize(("page", "section"), _all_sections())
def test_what_a_page_shows_is_what_happens(page: str, section: Section, tmp_path: Path) -> None:
    if any("from ruffus import" in step.text for step in section.steps):
        pytest.importorskip("ruffus")
    wrong = Scratch(tmp_path / "work", tmp_path / "bin").do(section)
    assert not wrong, f"{page}\n" + "\n\n".join(wrong)


@pytest.mark.parametrize("example", EXAMPLES)
def test_the_commands_of_an_example_run(example: str, tmp_path: Path) -> None:
    for module in NEEDS_MODULES.get(example, []):
        pytest.importorskip(module)
    for program in NEEDS.get(example, []):
        if shutil.which(program) is None:
            pytest.skip(f"there is no {program} here")
    work = tmp_path / "work"
    shutil.copytree(
        ROOT / "examples" / example,
        work,
        ignore=lambda folder, names: [
            each for each in names if each in (".pybuild", "build", "out", "report")
        ],
    )
    text = _text(f"examples/{example}/README.md")
    scratch = Scratch(work, tmp_path / "bin")
    shown = [line[4:] for line in text.split("\n") if line.startswith("    ")]
    run = [command for command in shown if not command.startswith("pip install")]
    assert run, "the example shows no command"
    for command in run:
        status, printed = scratch.run(command)
        assert status == 0, f"$ {command}\n" + "\n".join(printed)
    for section in sections(text):
        assert not scratch.do(section)
    _, printed = scratch.run("pybuild")
    assert len(printed) == 1 and "up to date" in printed[0], "a second build is not a no-op"


def test_the_tables_of_the_reference_are_those_of_the_code() -> None:
    text = REFERENCE.read_text(encoding="utf-8")
    assert with_tables(text) == text, "run `python tests/docs/regenerate.py`"


def test_the_index_of_the_diagnostics_is_that_of_the_code() -> None:
    text = DIAGNOSTICS.read_text(encoding="utf-8")
    assert with_codes(text) == text, "run `python tests/docs/regenerate.py`"


def _not_run(page: str) -> list[Step]:
    return [step for each in sections(_text(page)) for step in each.steps if step.kind == "not run"]


def test_only_the_two_commands_of_the_readme_are_not_run() -> None:
    assert [len(_not_run(page)) for page in PAGES] == [2, *[0] * (len(PAGES) - 1)]
    assert all(step.name for step in _not_run("README.md")), "say why a block is not run"


def test_the_command_that_runs_the_tests_is_the_one_that_ci_runs() -> None:
    text = _text("README.md")
    section = text.partition("\n## Run the tests\n")[2].partition("\n## ")[0]
    blocks = re.findall(r"^```\w*\n(.*?)^```$", section, re.DOTALL | re.MULTILINE)
    assert len(blocks) == 1, "CI runs every block below that heading"
    assert blocks[0].strip() == _not_run("README.md")[1].text
    assert blocks[0].count("\n") == 1, "one line to copy"
    ci = ROOT / ".ci" / "run"
    lines = ci.read_text(encoding="utf-8").split("\n") if ci.exists() else []
    for extract in [line for line in lines if "/^## Run the tests/" in line]:
        done = subprocess.run(
            ["bash", "-c", extract.partition(">")[0]], cwd=ROOT, capture_output=True, check=True
        )
        assert done.stdout.decode() == blocks[0]


def test_the_commands_of_the_readme_name_what_there_is() -> None:
    project = tomllib.loads(_text("pyproject.toml"))["project"]
    for step in _not_run("README.md"):
        for extras in re.findall(r"'\.\[([\w,]+)\]'", step.text):
            assert set(extras.split(",")) <= set(project["optional-dependencies"])
        for folder in re.findall(r"-C (\S+)", step.text):
            assert (ROOT / folder / "Pipefile").is_file()
    assert project["requires-python"].lstrip(">=") in _text("README.md")


def _anchors(text: str) -> set[str]:
    titles = re.findall(r"^#+ (.+)$", re.sub(r"^```.*?^```$", "", text, flags=re.S | re.M), re.M)
    return {re.sub(r"[^\w\- ]", "", each.lower()).replace(" ", "-") for each in titles}


@pytest.mark.parametrize("page", [*PAGES, "CHANGELOG.md"])
def test_links_lead_somewhere(page: str) -> None:
    broken = []
    for link in _LINK.findall(_text(page)):
        path, _, anchor = link.partition("#")
        if "://" in link:
            continue
        target = (ROOT / page).parent / path if path else ROOT / page
        if not target.exists() or (anchor and anchor not in _anchors(target.read_text("utf-8"))):
            broken.append(link)
    assert not broken


def test_the_changelog_has_this_version() -> None:
    import pybuild

    assert f"## [{pybuild.__version__}]" in _text("CHANGELOG.md")


# -- the page for those who come from Ruffus -----------------------------------------------------

RUFFUS = "docs/coming-from-ruffus.md"
FEATURES = [f"R{n}" for n in range(1, 108)] + ["R53a", "R53b"]
_ROW = re.compile(r"^\| (R\d+[a-z]?) \| .* \| (.*) \|$", re.MULTILINE)
_WORD = re.compile(r"@\w+|--[\w-]+|(?<![\w-])-[a-zA-Z]\b|<\w+")


def test_each_feature_of_ruffus_has_one_row() -> None:
    found = [number for number, _ in _ROW.findall(_text(RUFFUS))]
    assert sorted(found) == sorted(FEATURES)


def test_what_the_rows_name_is_run_on_that_page() -> None:
    """Attributes, options and placeholders in code in the last column."""
    text = _text(RUFFUS)
    run = "\n".join(step.text for each in sections(text) for step in each.steps)
    missing = []
    for number, here in _ROW.findall(text):
        for code in re.findall(r"`([^`]+)`", here):
            for word in _WORD.findall(code):
                short = re.fullmatch(r"-(\w)", word)
                known = rf"(?<![\w-])-\w*{short[1]}" if short else rf"{re.escape(word)}\b"
                if not re.search(known, run):
                    missing.append(f"{number}: {word}")
    assert not missing


# -- the comparison itself ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("expected", "printed", "same"),
    [
        (["a", "...", "z"], ["a", "b", "c", "z"], True),
        (["a", "...", "z"], ["a", "b"], False),
        (["digest (... -> ...)"], ["digest (12 -> 34)"], True),
        (["3 ran in 0.1 s"], ["3 ran in 12 s"], True),
        (["3 ran in 0.1 s"], ["4 ran in 0.1 s"], False),
        (["3 ran in 0.1 s"], ["3 ran in 2 min 5 s"], True),
        (["than (10:00:00.123)"], ["than (11:22:33.456)"], True),
        ([], ["more"], False),
        (["a", ""], ["a"], True),
    ],
)
def test_output_agrees(expected: list[str], printed: list[str], same: bool) -> None:
    assert agrees(expected, printed) is same


def test_output_in_any_order() -> None:
    assert agrees(["a", "b"], ["b", "a"], any_order=True)
    assert not agrees(["a", "b"], ["b", "a"])


def test_each_feature_of_pypipegraph_is_spoken_of() -> None:
    page = _text("docs/coming-from-pypipegraph.md")
    assert re.findall(r"^\| (G\d+) \|", page, re.MULTILINE) == [f"G{n}" for n in range(1, 38)]
