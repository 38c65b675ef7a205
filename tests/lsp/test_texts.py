"""Texts that are opened, changed and closed, and what is said of them."""

from __future__ import annotations

import pytest
from lsprotocol import types

from tests.lsp.conftest import Editor, codes

pytestmark = pytest.mark.asyncio

# Pipefiles of which something is known only when their Python is run.
NOT_RUN = [
    'srcs = sh("ls")\nall: <srcs>\n',
    "python:\n    import os\n    def f(n):\n        return [n]\na.o: <f('a.c')>\n    cc <input>\n",
    'x = open("/etc/passwd").read()\nall: <x>\n    echo <x>\n',
    'import_me = __import__("os").system("touch pwned")\nall:\n    echo <import_me>\n',
    '@active_if(sh("uname") == "Linux")\na:\n    true\n@active_if(sh("uname") != "Linux")\na:\n    false\n',
    'names = sh("cat names").split()\nx: <names>\n    cat <inputs>\ny: x\n    cp x y\n',
    '@params(size=sh("nproc"))\nx:\n    echo <size>\n',
    "@for_each(sh(\"echo '<n>.c'\"))\nout/<n>.o: lib.h\n    cc <n>.c\n",
    'include <sh("ls *.pipe")>\nx: <unknown>\n    echo <other>\n',
    "python:\n    from helpers import *\nx:\n    echo <whatever>\n",
    '@depends(sh("git rev-parse HEAD"))\nx:\n    date > x\n',
    '@depends("touch pwned")\nx:\n    date > x\n',
]


async def test_a_mistake_is_told_at_its_place_and_taken_back_when_it_is_gone(
    editor: Editor,
) -> None:
    editor.open('cc = "gcc"\nx.o: x.c\n    <ccc> -c <input>\n')
    editor.write("x.c")
    (found,) = await editor.told(lambda found: codes(found) == ["PB201"])
    assert editor.text_of(found.range) == "<ccc>"
    assert "did you mean `cc`" in found.message
    assert found.source == "pybuild"
    place = editor.place("<cc|c>")
    editor.change(
        [
            types.TextDocumentContentChangePartial(
                types.Range(place, types.Position(place.line, place.character + 1)), ""
            )
        ]
    )
    assert await editor.told(lambda found: not found) == []


async def test_names_with_emoji_are_counted_as_the_editor_counts(editor: Editor) -> None:
    editor.open("x: 🙂🙂.txt\n    echo 🙂 <inptu> 🙂\n")
    editor.write("🙂🙂.txt")
    (found,) = await editor.told(lambda found: codes(found) == ["PB201"])
    assert editor.text_of(found.range) == "<inptu>"
    assert found.range.start.character == len("    echo ") + 2 + 1
    place = found.range.start
    wrong = types.Range(place, types.Position(place.line, place.character + len("<inptu>")))
    editor.change([types.TextDocumentContentChangePartial(wrong, "<input>")])
    assert await editor.told(lambda found: not found) == []


async def test_files_that_are_missing_are_told_when_nobody_types(editor: Editor) -> None:
    editor.open("out: no-such.txt\n    cp <input> <output>\n")
    (found,) = await editor.told(lambda found: codes(found) == ["PB305"])
    assert editor.text_of(found.range) == "no-such.txt"


async def test_what_is_not_saved_counts(editor: Editor) -> None:
    editor.write("part.pipe", 'flags = "-O"\n')
    editor.open("include part.pipe\nx:\n    echo <flags> <other>\n")
    await editor.told(lambda found: codes(found) == ["PB201"])
    editor.show('flags = "-O"\nother = "1"\n', "part.pipe")
    assert await editor.told(lambda found: not found) == []


@pytest.mark.parametrize("source", NOT_RUN)
async def test_nothing_is_run_and_what_is_not_known_is_not_complained_of(
    editor: Editor, source: str
) -> None:
    editor.write("lib.h")
    editor.open(source + "# end\n")
    await editor.told(lambda found: not found)
    # Behind it a mistake that is one whatever the others are: so the answer is of the whole text.
    editor.replace(source + "1:2:3:4\n")
    assert codes(await editor.told(bool)) == ["PB103"]
    assert not (editor.folder / "pwned").exists()


async def test_an_editor_that_asks_is_answered_in_its_own_units(asking_editor: Editor) -> None:
    editor = asking_editor
    editor.open("x:\n    echo é🙂 <inptu>\n")
    report = await editor.client.text_document_diagnostic_async(
        types.DocumentDiagnosticParams(editor.document("Pipefile"))
    )
    assert isinstance(report, types.RelatedFullDocumentDiagnosticReport)
    (found,) = [each for each in report.items if each.code == "PB201"]
    assert found.range.start.character == len("    echo ") + 2 + 4 + 1
    assert editor.uri("Pipefile") not in editor.client.diagnostics


async def test_a_closed_file_is_not_spoken_of(editor: Editor) -> None:
    editor.open("x: <\n    true\n")
    await editor.told(bool)
    editor.client.text_document_did_close(
        types.DidCloseTextDocumentParams(editor.document("Pipefile"))
    )
    assert await editor.told(lambda found: not found) == []


async def test_a_file_without_a_project_is_one_for_itself(editor: Editor) -> None:
    editor.open("x:\n    echo <no>\n", "alone/my.pipe")
    found = await editor.told(bool, "alone/my.pipe")
    assert codes(found) == ["PB201"]


async def test_two_rules_for_one_file_point_at_each_other(editor: Editor) -> None:
    editor.open("x:\n    true\nx:\n    false\n")
    (found,) = await editor.told(lambda found: codes(found) == ["PB303"])
    assert found.related_information
    assert found.related_information[0].location.uri == editor.uri("Pipefile")


async def test_what_is_not_used_is_faded_and_can_be_taken_away(editor: Editor) -> None:
    editor.open('cc = "gcc"\nout.txt: in.txt\n    cp <inptu> <output>\n')
    editor.write("in.txt")
    found = await editor.warned(lambda found: len(found) >= 2)
    unused = next(each for each in found if editor.text_of(each.range).startswith("cc"))
    assert unused.severity == types.DiagnosticSeverity.Warning
    assert list(unused.tags or []) == [types.DiagnosticTag.Unnecessary]
    unknown = next(each for each in found if each.code == "PB201")
    cures = await editor.client.text_document_code_action_async(
        types.CodeActionParams(
            editor.document("Pipefile"), unknown.range, types.CodeActionContext([unknown])
        )
    )
    cure = (cures or [])[0]
    assert isinstance(cure, types.CodeAction) and cure.edit and cure.edit.changes
    ((edit,),) = cure.edit.changes.values()
    assert (editor.text_of(edit.range), edit.new_text) in {
        ("<inptu>", "<input>"),
        ("inptu", "input"),
    }


_TOOLS = "python:\n    from tools import *\n"


async def test_a_name_without_a_meaning_is_told_unless_somebody_may_give_it_one(
    editor: Editor,
) -> None:
    text = "CC = gcc\nall: a.txt\na.txt:\n    echo <CC> > <output>\n"
    editor.open(text)
    (found,) = await editor.told(lambda found: codes(found) == ["PB207"])
    assert "gcc" in found.message
    editor.change([types.TextDocumentContentChangeWholeDocument(_TOOLS + text)])
    assert await editor.told(lambda found: not found) == []
