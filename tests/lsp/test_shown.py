"""Tokens, hints, lenses, cures, formatting, indentation, the hierarchy of rules, commands."""

from __future__ import annotations

import asyncio

import pytest
from lsprotocol import types
from pygls.exceptions import JsonRpcException

from pybuild.lsp.tokens import LEGEND
from tests.lsp.conftest import Editor

pytestmark = pytest.mark.asyncio

FILE = """\
names = ["a", "b"] + ["c"]

all: <join>
    true

split parts: parts/*.txt: all.txt
    touch parts/1.txt

join: joined/<n>.txt: src/<n>.txt
    cat <input> > <output>

joined/<n>.txt.gz: joined/<n>.txt
    gzip -k <input>
"""


@pytest.fixture
def project(editor: Editor) -> Editor:
    for name in ("src/a.txt", "src/b.txt", "all.txt"):
        editor.write(name, name)
    editor.open(FILE)
    return editor


async def test_tokens_tell_what_names_are(project: Editor) -> None:
    found = await project.client.text_document_semantic_tokens_full_async(
        types.SemanticTokensParams(project.document("Pipefile"))
    )
    assert found is not None
    legend = LEGEND.token_types
    told = []
    line = column = 0
    for down, right, length, kind, _ in zip(*[iter(found.data)] * 5, strict=True):
        column = right if down else column + right
        line += down
        where = types.Range(types.Position(line, column), types.Position(line, column + length))
        told.append((project.text_of(where), legend[kind]))
    assert told[0] == ("names", "variable")
    assert ("join", "function") in told
    assert ("split", "keyword") in told
    assert ("n", "typeParameter") in told
    assert ("input", "macro") in told


async def test_of_tokens_what_has_changed_can_be_asked_for(project: Editor) -> None:
    async def whole() -> types.SemanticTokens:
        found = await project.client.text_document_semantic_tokens_full_async(
            types.SemanticTokensParams(project.document("Pipefile"))
        )
        assert found is not None and found.result_id
        return found

    async def change(since: str) -> types.SemanticTokens | types.SemanticTokensDelta:
        found = await project.client.text_document_semantic_tokens_full_delta_async(
            types.SemanticTokensDeltaParams(project.document("Pipefile"), since)
        )
        assert found is not None
        return found

    first = await whole()
    had, number = list(first.data), first.result_id
    for text in (
        FILE.replace("joined/<n>.txt: src/<n>", "made/<n>.txt: src/<n>"),
        "new = 1\n" + FILE,
        FILE.replace("names = ", "other = ").replace("join: ", ""),
        FILE.replace("cat <input>", "cat <input> <input> <input>"),
        "# nothing\n",
        FILE,
    ):
        project.replace(text)
        assert number
        found = await change(number)
        assert isinstance(found, types.SemanticTokensDelta)
        for edit in found.edits:
            had[edit.start : edit.start + edit.delete_count] = edit.data or []
        fresh = await whole()
        assert had == list(fresh.data)
        number = fresh.result_id
    assert number
    unchanged = await change(number)
    assert isinstance(unchanged, types.SemanticTokensDelta)
    assert not unchanged.edits
    # What is not known any more is answered in full.
    assert isinstance(await change(number), types.SemanticTokens)


async def hints(editor: Editor) -> list[str]:
    end = types.Position(editor.texts["Pipefile"].count("\n"), 0)
    found = await editor.client.text_document_inlay_hint_async(
        types.InlayHintParams(editor.document("Pipefile"), types.Range(types.Position(0, 0), end))
    )
    return [str(each.label) for each in found or []]


async def test_hints_tell_values_and_numbers_of_jobs(project: Editor) -> None:
    assert "= ['a', 'b', 'c']" in await hints(project)
    project.replace(FILE + "last: no-such-file\n    true\n")
    await project.told(lambda found: any(each.code == "PB305" for each in found))
    assert (await hints(project)).count("2 jobs") == 2


async def test_hints_do_not_repeat_what_is_written_out(editor: Editor) -> None:
    editor.open("names = [\"a\", 'b']\nmore = names + ['c']\nn = 0x10\n")
    assert await hints(editor) == ["= ['a', 'b', 'c']"]


async def test_settings_switch_hints_and_lenses_off(project: Editor) -> None:
    project.client.workspace_did_change_configuration(
        types.DidChangeConfigurationParams(
            {"pybuild": {"inlayHints": {"values": False}, "codeLens": False}}
        )
    )
    assert await hints(project) == []
    assert not await lenses(project)


async def lenses(editor: Editor) -> list[types.CodeLens]:
    found = await editor.client.text_document_code_lens_async(
        types.CodeLensParams(editor.document("Pipefile"))
    )
    return list(found or [])


async def test_lenses_run_rules(project: Editor) -> None:
    found = await lenses(project)
    commands = [each.command for each in found if each.range.start.line == 8]
    assert [(each.title, each.command) for each in commands if each] == [
        ("run", "pybuild.run"),
        ("dry run", "pybuild.dryRun"),
        ("why", "pybuild.explain"),
        ("graph", "pybuild.graph"),
    ]
    assert {(each.arguments or [""])[1] for each in commands if each} == {"join"}


async def test_a_cure_for_matches_that_make_one_file(editor: Editor) -> None:
    for name in ("x/a.1.txt", "x/a.2.txt"):
        editor.write(name)
    editor.open("out/<n>.txt: x/<n>.*.txt\n    cat <inputs> > <output>\n")
    (found,) = await editor.told(lambda found: any(each.code == "PB302" for each in found))
    cures = await editor.client.text_document_code_action_async(
        types.CodeActionParams(
            editor.document("Pipefile"), found.range, types.CodeActionContext([found])
        )
    )
    assert cures
    cure = cures[0]
    assert isinstance(cure, types.CodeAction) and cure.edit and cure.edit.changes
    ((edit,),) = cure.edit.changes.values()
    editor.replace(edit.new_text + editor.texts["Pipefile"])
    assert await editor.told(lambda found: not found) == []


async def formatted(editor: Editor, within: types.Range | None = None) -> str:
    options = types.FormattingOptions(4, True)
    document = editor.document("Pipefile")
    if within is None:
        found = await editor.client.text_document_formatting_async(
            types.DocumentFormattingParams(document, options)
        )
    else:
        found = await editor.client.text_document_range_formatting_async(
            types.DocumentRangeFormattingParams(document, within, options)
        )
    rows = editor.texts["Pipefile"].split("\n")
    for edit in sorted(found or [], key=lambda each: -each.range.start.line):
        assert edit.range.start.character == edit.range.end.character == 0
        rows[edit.range.start.line : edit.range.end.line] = edit.new_text.split("\n")[:-1]
    return "\n".join(rows)


async def test_formatting_a_file_and_a_part_of_it(editor: Editor) -> None:
    editor.open("x  =  1\n\n\n\ny:   z\n  echo\nz:    x.c\n  echo\n")
    assert "y: z\n    echo\n" in await formatted(editor)
    first = types.Range(types.Position(0, 0), types.Position(0, 3))
    assert (await formatted(editor, first)).startswith("x = 1\n\n\n\ny:   z\n")


async def test_formatting_a_file_in_which_the_same_lines_stand_often(editor: Editor) -> None:
    rules = "".join(f"x{n}:   y\n  cp <input> <output>\n\n" for n in range(300))
    editor.open(rules)
    assert await formatted(editor) == rules.replace(":   y", ": y").replace("  cp", "    cp")[:-1]


async def test_the_line_below_a_header_is_indented(editor: Editor) -> None:
    editor.open("a:\n    true\nx: y\n\nz:\n    python:\n    \n")
    for line, indent in ((3, "    "), (6, "        ")):
        found = await editor.client.text_document_on_type_formatting_async(
            types.DocumentOnTypeFormattingParams(
                editor.document("Pipefile"),
                types.Position(line, 0),
                "\n",
                types.FormattingOptions(4, True),
            )
        )
        assert found is not None
        assert [each.new_text for each in found] == [indent]


async def test_rules_that_need_each_other(project: Editor) -> None:
    items = await project.client.text_document_prepare_call_hierarchy_async(
        types.CallHierarchyPrepareParams(**project.at("|join: joined"))
    )
    assert items is not None
    assert [each.name for each in items] == ["join"]
    needing = await project.client.call_hierarchy_incoming_calls_async(
        types.CallHierarchyIncomingCallsParams(items[0])
    )
    assert [each.from_.name for each in needing or []] == ["all", "joined/<n>.txt.gz"]
    above = await project.client.text_document_prepare_call_hierarchy_async(
        types.CallHierarchyPrepareParams(**project.at("|all: <join>"))
    )
    assert above is not None
    needed = await project.client.call_hierarchy_outgoing_calls_async(
        types.CallHierarchyOutgoingCallsParams(above[0])
    )
    assert [each.to.name for each in needed or []] == ["join"]
    assert needed is not None
    assert [project.text_of(each) for each in needed[0].from_ranges] == ["<join>"]


async def command(editor: Editor, name: str, *arguments: str) -> dict[str, object]:
    found = await editor.client.workspace_execute_command_async(
        types.ExecuteCommandParams(name, [editor.uri("Pipefile"), *arguments])
    )
    assert isinstance(found, dict)
    return found


async def test_a_target_is_run(project: Editor) -> None:
    done = await command(project, "pybuild.run", "join")
    assert (done["status"], done["ran"], done["failed"]) == (0, 2, [])
    assert (project.folder / "joined/a.txt").read_text() == "src/a.txt"


async def test_a_failure_is_told(editor: Editor) -> None:
    editor.open("x:\n    echo no such luck; false\n")
    done = await command(editor, "pybuild.run", "x")
    assert done["status"] == 2 and done["failed"] == ["x"]
    assert "no such luck" in str(done["output"])


async def test_a_dry_run_and_its_reasons(project: Editor) -> None:
    done = await command(project, "pybuild.explain", "joined/a.txt")
    assert done["status"] == 0
    assert "`joined/a.txt` is not there" in str(done["output"])
    done = await command(project, "pybuild.dryRun", "joined/a.txt")
    assert "cat src/a.txt > joined/a.txt" in str(done["output"])
    assert not (project.folder / "joined").exists()


async def test_the_graph_is_drawn(project: Editor) -> None:
    done = await command(project, "pybuild.graph", "all", "mermaid")
    assert done["status"] == 0 and "join" in str(done["output"])


async def test_a_run_shows_how_far_it_is_and_can_be_cancelled(editor: Editor) -> None:
    editor.open("x:\n    mkfifo pipe; cat pipe\n")
    task = asyncio.ensure_future(command(editor, "pybuild.run", "x"))
    async with asyncio.timeout(30):
        while not any(
            isinstance(each, types.WorkDoneProgressReport)
            for reports in editor.client.progress_reports.values()
            for each in reports
        ):
            await editor.client.wait_for_notification(types.PROGRESS)
    (token,) = editor.client.progress_reports
    editor.client.window_work_done_progress_cancel(types.WorkDoneProgressCancelParams(token))
    with pytest.raises((JsonRpcException, asyncio.CancelledError)):
        await asyncio.wait_for(task, 30)
    done = await command(editor, "pybuild.dryRun", "x")  # the lock is free, the server is well
    assert done["status"] == 0


async def test_a_run_ends_when_its_request_is_cancelled(editor: Editor) -> None:
    editor.open("x:\n    mkfifo pipe; cat pipe\n.PHONY: y\ny:\n    true\n")
    run = types.ExecuteCommandParams("pybuild.run", [editor.uri("Pipefile"), "x"])
    protocol = editor.client.protocol
    task = asyncio.ensure_future(
        protocol.send_request_async(types.WORKSPACE_EXECUTE_COMMAND, run, msg_id="run")
    )
    async with asyncio.timeout(30):
        while not any(
            isinstance(each, types.WorkDoneProgressReport)
            for reports in editor.client.progress_reports.values()
            for each in reports
        ):
            await editor.client.wait_for_notification(types.PROGRESS)
    protocol.notify(types.CANCEL_REQUEST, types.CancelParams("run"))
    with pytest.raises((JsonRpcException, asyncio.CancelledError)):
        await asyncio.wait_for(task, 30)
    # A build waits for the one before it.
    done = await asyncio.wait_for(command(editor, "pybuild.run", "y"), 30)
    assert done["status"] == 0


@pytest.mark.parametrize(("goal", "told"), [("y", "y"), ("", "the default goal")])
async def test_progress_tells_what_is_run(editor: Editor, goal: str, told: str) -> None:
    editor.open(".PHONY: y\ny:\n    true\n")
    await command(editor, "pybuild.run", goal)
    (reports,) = editor.client.progress_reports.values()
    (begun,) = (each for each in reports if isinstance(each, types.WorkDoneProgressBegin))
    assert begun.title == f"pybuild: running {told}"
