"""Python in a Pipefile: places are mapped both ways, and the names of jobs are known."""

from __future__ import annotations

import ast

import pytest
from lsprotocol import types

from pybuild.lsp.analysis import Place, Reader
from pybuild.lsp.embedded import module_of
from pybuild.lsp.names import Names
from pybuild.pipefile.ruff import find_tool
from tests.lsp.conftest import Editor
from tests.lsp.test_names import completions, defined, hovered

FILE = """\
cc ?= "gcc"
python:
    import json
    def rows_of(path, deep=False):
        "The rows of a file. 🙂"
        return json.loads(path.read_text())

report.txt: src/<name>.json log=run.log
    echo start
    python:
        found = rows_of(input)
        text = "🙂" + name.upper()
        output.write_text(text)
    echo end
"""


def test_the_module_is_python_with_the_lines_of_the_sheet() -> None:
    sheet = Reader(lambda _: False).sheet(Place(".", "Pipefile"), "Pipefile", FILE)
    module = module_of(sheet, Names([sheet]), {})
    ast.parse(module.text)
    rows = module.text.split("\n")
    for number, row in enumerate(FILE.split("\n")):
        if row.strip().startswith(("found", "text", "output", "import", "def", "return")):
            assert rows[number + module.shift] == row
    assert "echo" not in module.text


@pytest.fixture(params=["ty", "jedi"])
def asked(request: pytest.FixtureRequest, editor: Editor) -> Editor:
    """An editor whose questions about Python are answered by the one or the other."""
    if request.param == "ty" and not find_tool("ty"):
        pytest.skip("ty is not installed: `pip install ty`")
    settings = {"pybuild": {"python": {"server": request.param}}}
    editor.client.workspace_did_change_configuration(types.DidChangeConfigurationParams(settings))
    return editor


@pytest.mark.asyncio
async def test_names_of_jobs_have_their_kinds(asked: Editor) -> None:
    asked.open(FILE.replace("output.write_text(text)", "output.wri"))
    assert "write_text" in await completions(asked, "output.wri|")
    asked.replace(FILE.replace("name.upper()", "name.upp"))
    assert "upper" in await completions(asked, "name.upp|")


@pytest.mark.asyncio
async def test_definitions_and_what_is_said_of_them(asked: Editor) -> None:
    asked.open(FILE)
    assert await defined(asked, "found = rows|_of") == [("Pipefile", "rows_of")]
    assert "The rows of a file" in await hovered(asked, "found = rows|_of(input)")
    ((name, _),) = await defined(asked, "json.loa|ds")
    assert name == "__init__.py"


@pytest.mark.asyncio
async def test_the_parameters_of_a_call(asked: Editor) -> None:
    asked.open(FILE.replace("rows_of(input)", "rows_of(input, "))
    found = await asked.client.text_document_signature_help_async(
        types.SignatureHelpParams(**asked.at("rows_of(input, |"))
    )
    assert found is not None
    assert found.signatures[0].label.startswith("rows_of(path, deep=False)")
    assert found.active_parameter == 1


@pytest.mark.asyncio
async def test_a_call_across_lines(asked: Editor) -> None:
    asked.open("x:\n    python:\n        output.write_text(\n            str((1, [2])) + (\n")
    found = await asked.client.text_document_signature_help_async(
        types.SignatureHelpParams(**asked.at("str(|"))
    )
    assert found is not None
    assert found.signatures[0].label.startswith("str(")
