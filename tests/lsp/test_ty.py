"""Python in a Pipefile by its types: what ty finds wrong is told at its place, and ty never outlives
the server, nor keeps it from anything."""

from __future__ import annotations

import asyncio
import os
import select
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from lsprotocol import types
from pytest_lsp import LanguageClient

from pybuild.lsp import ty
from pybuild.lsp.analysis import Place, Reader
from pybuild.lsp.asking import NoAnswer
from pybuild.lsp.buffers import Buffers
from pybuild.lsp.delegation import Delegation
from pybuild.lsp.projects import EditedProject, Here
from pybuild.lsp.python import python_at
from pybuild.pipefile.ruff import find_tool
from tests.lsp.conftest import Editor
from tests.lsp.test_names import completions

needs_ty = pytest.mark.skipif(not find_tool("ty"), reason="ty is not installed: `pip install ty`")

FILE = """\
python:
    def rows_of(path):
        return path.read_text().split()

reports/<name>.txt: src/<name>.txt
    echo start
    python:
        text = "🙂" + name.upper() + rows_of(input, 2)
        output.write_txt(text)
"""


def of_ty(found: list[types.Diagnostic]) -> list[types.Diagnostic]:
    return [each for each in found if each.source == "ty"]


@needs_ty
@pytest.mark.asyncio
async def test_what_is_wrong_by_its_types_is_a_warning_at_its_place(editor: Editor) -> None:
    editor.write("src/a.txt")
    editor.open(FILE)
    found = of_ty(await editor.warned(lambda found: len(of_ty(found)) == 2))
    assert sorted(editor.text_of(each.range) for each in found) == ["2", "output.write_txt"]
    assert {each.severity for each in found} == {types.DiagnosticSeverity.Warning}
    assert all(each.code and each.code_description for each in found)
    # It goes where its line goes, and is gone when it is mended.
    editor.replace("# new\n" + FILE.replace(", 2", ""))
    (left,) = of_ty(await editor.warned(lambda found: len(of_ty(found)) == 1))
    assert editor.text_of(left.range) == "output.write_txt"
    editor.replace(FILE.replace(", 2", "").replace("write_txt", "write_text"))
    assert not of_ty(await editor.warned(lambda found: not of_ty(found)))


@needs_ty
@pytest.mark.asyncio
async def test_an_editor_that_asks_is_told_too(asking_editor: Editor) -> None:
    editor = asking_editor
    editor.write("src/a.txt")
    editor.open(FILE)
    async with asyncio.timeout(30):
        found: list[types.Diagnostic] = []
        while not found:
            report = await editor.client.text_document_diagnostic_async(
                types.DocumentDiagnosticParams(editor.document("Pipefile"))
            )
            assert isinstance(report, types.RelatedFullDocumentDiagnosticReport)
            found = of_ty(list(report.items))
    wrong = next(each for each in found if each.code == "too-many-positional-arguments")
    line = FILE.splitlines()[wrong.range.start.line].encode()
    assert line[wrong.range.start.character : wrong.range.end.character] == b"2"


@needs_ty
@pytest.mark.asyncio
async def test_nothing_is_said_if_the_user_does_not_want_it(editor: Editor) -> None:
    settings = {"pybuild": {"python": {"diagnostics": False}}}
    editor.client.workspace_did_change_configuration(types.DidChangeConfigurationParams(settings))
    editor.write("src/a.txt")
    editor.open(FILE)
    assert "upper" in await completions(editor, "name.upper|")
    # A complaint about files is told when there has been time for both.
    editor.replace(FILE + "other: no-such-file\n    true\n")
    found = await editor.warned(lambda found: any(each.code == "PB305" for each in found))
    assert not of_ty(found)


# Right as it stands, though not all of it would be in a module.
RIGHT_PARTS = {
    "a variable that a recipe sets": "n = 1\na:\n    python:\n        n = n + 1\n        output.write_text(str(n))\n",
    "a name of the job with another value": "a: b\n    python:\n        input = input.read_text()\n        rule = [input.upper()]\n        output.write_text(rule[0])\n",
    "files of rules": "one: out/<n>: in/<n>.txt\n    cp <input> <output>\nall:\n    python:\n        output.write_text(str([each.name for each in one]))\n",
    "an object": "value table: a.tsv\n    python:\n        return {1: 2}\nx: <table> a.tsv\n    python:\n        output.write_text(table[1] + input.read_text())\n",
    "several files under a name": "files = ['a', 'b']\nx: many=<files>\n    python:\n        output.write_text(str(len(many)))\n",
    "a wildcard under a name": "x: many=*.c\n    python:\n        output.write_text(str(len(many)))\n",
    "captures of a group": "collate x/<n>: y/<n>_<m>\n    python:\n        output.write_text(' '.join(list(m)[0].split()))\n        m.append('x')\n",
    "a builtin by another name": "python:\n    import glob\n    found = glob.glob('*')\n",
    "all names of a module in a recipe": "x:\n    python:\n        from os.path import *\n        output.write_text(join('a', 'b'))\n",
    "a variable that grows": "flags += '-g'\nnames = ['a']\nnames += ['b']\nx:\n    python:\n        output.write_text(str(names) + str(flags))\n",
    "a variable of the environment": "cc ?= 'gcc'\nx:\n    python:\n        output.write_text(cc.upper() + env('HOME') + run('true', output))\n",
    "what is not known": "python:\n    from no_such_module_at_all import *  # ty: ignore\nx:\n    python:\n        whatever(3)\n",
    "parts of names": "x/<n>.o: y/<n>.c ref=z/<n>.h\n    python:\n        output.write_text(basename + ext + subdir[0] + ref.read_text() + n.upper())\n",
    "attributes": "@params(k=[1, 2])\nx: a\n    python:\n        output.write_text(str(k[0]) + stem + str(changed))\n",
    "a block that returns": "x: a\n    python:\n        if not inputs:\n            return\n        output.write_text('')\n",
}


def sheet(folder: Path, text: str) -> Here:
    (folder / "Pipefile").write_text(text, encoding="utf-8")
    project = EditedProject(Place(str(folder), "Pipefile"), Buffers(), Reader(lambda _: False))
    analysis = project.analysis()
    return Here(project, analysis, analysis.sheets["Pipefile"])


@pytest_asyncio.fixture
async def asked() -> AsyncIterator[Delegation]:
    found = Delegation()
    yield found
    await found.end()


@needs_ty
@pytest.mark.asyncio
@pytest.mark.parametrize("what", RIGHT_PARTS)
async def test_nothing_is_said_of_what_is_right(
    asked: Delegation, tmp_path: Path, what: str
) -> None:
    wrong = "last:\n    python:\n        output.no_such_thing()\n"
    found = await asked.complaints(sheet(tmp_path, RIGHT_PARTS[what] + wrong))
    assert [each.code for each in found] == ["missing-attribute"], found


@needs_ty
@pytest.mark.asyncio
@pytest.mark.parametrize(("mark", "told"), [("path.read", ""), ("(inp", "Path")])
async def test_of_a_name_its_type_is_told_if_it_is_known(
    asked: Delegation, tmp_path: Path, mark: str, told: str
) -> None:
    here = sheet(tmp_path, FILE)
    place = python_at(here, here.sheet.text.index(mark) + len(mark))
    assert place is not None
    found = await asked.hover(place)
    if not told:
        assert found is None
        return
    assert found is not None and isinstance(found.contents, types.MarkupContent)
    assert told in found.contents.value


@needs_ty
@pytest.mark.asyncio
async def test_with_a_mistake_in_the_pipefile_its_python_is_not_spoken_of(
    asked: Delegation, tmp_path: Path
) -> None:
    here = sheet(tmp_path, FILE + "x:\n    echo <nothing>\n")
    here.project.take_python("Pipefile", here.sheet.text, await asked.complaints(here))
    assert list(here.project.python_complaints()) == []


# -- its life --------------------------------------------------------------------------------------


def children(process: int, name: str) -> list[int]:
    """The processes of a name that another one has started."""
    return [
        int(each)
        for thread in Path(f"/proc/{process}/task").iterdir()
        for each in (thread / "children").read_text().split()
        if Path(f"/proc/{each}/comm").read_text().strip() == name
    ]


async def gone(process: int) -> None:
    """Waits for the end of a process."""
    try:
        handle = os.pidfd_open(process)
    except ProcessLookupError:
        return
    try:
        ended = await asyncio.to_thread(select.select, [handle], [], [], 20)
        assert ended[0], "it is still there"
    finally:
        os.close(handle)


async def processes(editor: Editor) -> tuple[int, int]:
    """The processes of a server that has asked ty, and of ty."""
    client = editor.client
    editor.open(FILE)
    assert "upper" in await completions(editor, "name.upper|")
    assert client._server is not None
    (child,) = children(client._server.pid, "ty")
    return client._server.pid, child


@needs_ty
@pytest.mark.asyncio
@pytest.mark.parametrize("end", ["kill", "shutdown"])
async def test_it_does_not_outlive_the_server(
    brief_client: LanguageClient, tmp_path: Path, end: str
) -> None:
    server, child = await processes(Editor(brief_client, tmp_path))
    waiting = asyncio.create_task(gone(child))
    if end == "kill":
        os.kill(server, signal.SIGKILL)
    else:
        await brief_client.shutdown_session()
    await waiting


@needs_ty
@pytest.mark.asyncio
async def test_when_it_dies_another_one_is_started(editor: Editor) -> None:
    server, child = await processes(editor)
    os.kill(child, signal.SIGKILL)
    await gone(child)
    # Whoever answers: the name is there.
    assert "upper" in await completions(editor, "name.upper|")
    assert "upper" in await completions(editor, "name.upper|")
    assert children(server, "ty") != [child]


def program(folder: Path, text: str) -> str:
    path = folder / "ty"
    path.write_text(f"#!/bin/sh\necho >> {folder}/starts\n{text}\n", encoding="utf-8")
    path.chmod(0o755)
    return str(path)


@pytest.mark.asyncio
@pytest.mark.parametrize(
    "text",
    ["exit 1", "exec sleep 1000", "echo what; exec cat", "echo 'Content-Length: 2\r\n\r\n{}'"],
)
async def test_one_that_does_not_answer_is_given_up(
    tmp_path: Path, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for limit in ("_LONGEST_START_S", "_LONGEST_END_S"):
        monkeypatch.setattr(ty, limit, 0.2)
    asked = ty.Ty(program(tmp_path, text))
    document = ty.Document((tmp_path / "Pipefile").as_uri(), "x = 1\n", str(tmp_path))
    for _ in range(5):
        with pytest.raises(NoAnswer):
            await asked.client_for(document)
    await asked.end()
    assert (tmp_path / "starts").read_text().count("\n") == 3


@needs_ty
@pytest.mark.asyncio
async def test_who_does_not_wait_for_its_start_does_not_start_another(tmp_path: Path) -> None:
    asked = ty.Ty(find_tool("ty"))
    document = ty.Document((tmp_path / "Pipefile").as_uri(), "x = 1\n", str(tmp_path))
    for _ in range(3):
        waiting = asyncio.create_task(asked.client_for(document))
        await asyncio.sleep(0)
        waiting.cancel()
    await asked.client_for(document)
    assert len(children(os.getpid(), "ty")) == 1
    await asked.end()
    assert not children(os.getpid(), "ty")


@needs_ty
@pytest.mark.asyncio
async def test_each_project_has_its_own_modules(asked: Delegation, tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / f"of_{name}.py").write_text("def f(): ...\n", encoding="utf-8")
        text = f"x:\n    python:\n        from of_{name} import f, g\n"
        found = await asked.complaints(sheet(tmp_path / name, text))
        assert [each.code for each in found] == ["missing-module-member"], found


@pytest.mark.asyncio
async def test_one_that_cannot_be_started_is_given_up(tmp_path: Path) -> None:
    asked = ty.Ty(str(tmp_path / "no-such-program"))
    with pytest.raises(NoAnswer):
        await asked.client_for(ty.Document("file:///x", "", str(tmp_path)))
    await asked.end()
