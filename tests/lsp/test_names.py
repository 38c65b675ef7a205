"""Completion, hover, definition, references, rename, highlights, symbols, links, folds."""

from __future__ import annotations

import pytest
from lsprotocol import types
from pygls.exceptions import JsonRpcException

from tests.lsp.conftest import Editor

pytestmark = pytest.mark.asyncio

FILE = """\
cc = "gcc"
flags ?= "-O2"  # of the compiler
include more.pipe

python:
    def reads(sample):
        return [f"reads/{sample}.fq"]

all: report.txt <compile>

@desc("compiles <name> with <cc>")
@params(level=2)
compile: out/<name>.o: src/<name>.c log=notes.txt | lib.h
    <cc> <flags> -O<level> -c <input> -o <output> 2> <log>

report.txt: <compile> notes.txt
    python:
        output.write_text(cc + str(inputs))

.PHONY: clean
clean:
    rm -rf out
"""


@pytest.fixture
def project(editor: Editor) -> Editor:
    for name in ("src/a.c", "src/b.c", "lib.h", "notes.txt"):
        editor.write(name)
    editor.write("more.pipe", 'extra = cc + "-12"\n')
    editor.open(FILE)
    return editor


async def completions(editor: Editor, mark: str, nth: int = 1) -> dict[str, types.CompletionItem]:
    found = await editor.client.text_document_completion_async(
        types.CompletionParams(**editor.at(mark, nth=nth))
    )
    items = found.items if isinstance(found, types.CompletionList) else found or []
    return {each.label: each for each in items}


async def planned(editor: Editor) -> None:
    """Waits until files have been held against rules: then there is a complaint about one."""
    editor.replace(editor.texts["Pipefile"] + "\nlast: no-such-file\n    true\n")
    await editor.told(lambda found: any(each.code == "PB305" for each in found))


async def test_placeholders_are_those_of_the_rule(project: Editor) -> None:
    found = await completions(project, "-c <|input>")
    assert {"name", "log", "level", "input", "outputs", "basename", "cc", "flags"} <= set(found)
    assert "stem" not in found
    assert found["cc"].detail == "'gcc'"
    other = await completions(project, "rm -rf| out")
    assert "name" not in other


async def test_a_placeholder_that_is_being_typed_is_closed(project: Editor) -> None:
    project.replace(FILE.replace("rm -rf out", "rm -rf <ou"))
    found = await completions(project, "rm -rf <ou|")
    assert found["output"].insert_text == "output>"


async def test_parts_of_a_file(project: Editor) -> None:
    project.replace(FILE.replace("rm -rf out", "rm -rf <input."))
    assert {"path", "basename", "ext"} <= set(await completions(project, "rm -rf <input.|"))


async def test_a_capture_tells_what_it_takes(project: Editor) -> None:
    await planned(project)
    found = await completions(project, "-c <|input>")
    documentation = found["name"].documentation
    assert isinstance(documentation, types.MarkupContent)
    assert "`a`" in documentation.value and "`b`" in documentation.value


async def test_attributes_and_kinds(project: Editor) -> None:
    project.replace("@re\nspl\n")
    assert "retries" in await completions(project, "@re|")
    assert "split" in await completions(project, "spl|")


async def test_files_on_disk_and_files_that_will_be_built(project: Editor) -> None:
    await planned(project)
    project.replace(project.texts["Pipefile"].replace("notes.txt\n    python", "out/\n    python"))
    found = await completions(project, "<compile> out/|")
    assert {"out/a.o", "out/b.o"} <= set(found)
    assert found["out/a.o"].detail == "a rule makes it"
    project.replace(project.texts["Pipefile"].replace("<compile> out/", "<compile> src/"))
    assert {"src/a.c", "src/b.c"} <= set(await completions(project, "<compile> src/|"))


async def test_rules_stand_among_prerequisites(project: Editor) -> None:
    assert "compile" in await completions(project, "report.txt: |<compile>")


async def hovered(editor: Editor, mark: str, nth: int = 1) -> str:
    found = await editor.client.text_document_hover_async(
        types.HoverParams(**editor.at(mark, nth=nth))
    )
    if found is None:
        return ""
    assert isinstance(found.contents, types.MarkupContent)
    return found.contents.value


async def test_a_variable_tells_its_value_and_where_it_comes_from(project: Editor) -> None:
    told = await hovered(project, "<c|c> <flags>")
    assert "'gcc'" in told and "Pipefile:1" in told


async def test_a_placeholder_tells_what_it_takes(project: Editor) -> None:
    await planned(project)
    assert "`a`, `b`" in await hovered(project, "out/<na|me>")
    assert "`src/a.c`, `src/b.c`" in await hovered(project, "-c <in|put>")


async def test_a_target_tells_its_recipe_and_why_it_would_run(editor: Editor) -> None:
    editor.write("a.txt")
    editor.open('flag = "-v"\nout.txt: a.txt\n    cp <flag> <input> <output>\n')
    told = await hovered(editor, "out|.txt")
    assert "cp -v a.txt out.txt" in told
    assert "would run: `out.txt` is not there" in told


async def test_what_only_a_run_could_tell_has_no_verdict(project: Editor) -> None:
    told = await hovered(project, "cle|an:", 1)
    assert "rm -rf out" in told and "would run" not in told


async def test_an_attribute_tells_its_usage(project: Editor) -> None:
    assert "@desc(text)" in await hovered(project, "@de|sc")


async def defined(editor: Editor, mark: str, nth: int = 1) -> list[tuple[str, str]]:
    found = await editor.client.text_document_definition_async(
        types.DefinitionParams(**editor.at(mark, nth=nth))
    )
    assert isinstance(found, list)
    out = []
    for each in found:
        assert isinstance(each, types.Location)
        name = each.uri.rpartition("/")[2]
        out.append((name, editor.text_of(each.range) if name == "Pipefile" else ""))
    return out


async def test_definitions(project: Editor) -> None:
    assert await defined(project, "<c|c> <flags>") == [("Pipefile", "cc")]
    assert await defined(project, "all: report.txt <comp|ile>") == [("Pipefile", "compile")]
    assert await defined(project, "all: rep|ort.txt") == [("Pipefile", "report.txt")]
    assert await defined(project, "2> <lo|g>") == [("Pipefile", "log")]
    assert await defined(project, "-O<lev|el>") == [("Pipefile", "level")]
    assert await defined(project, "out/<na|me>") == [("Pipefile", "name")]
    assert await defined(project, "-c <inp|ut>") == [("Pipefile", "src/<name>.c")]
    assert await defined(project, "include mo|re.pipe") == [("more.pipe", "")]
    assert await defined(project, "log=no|tes.txt") == [("notes.txt", "")]


async def test_the_rule_of_a_file_that_a_pattern_makes(project: Editor) -> None:
    project.replace(FILE.replace("<compile> notes.txt", "out/a.o"))
    assert await defined(project, "report.txt: out/|a.o") == [
        ("Pipefile", "compile: out/<name>.o: src/<name>.c log=notes.txt | lib.h")
    ]


async def test_references_are_found_in_headers_recipes_python_and_includes(
    project: Editor,
) -> None:
    found = await project.client.text_document_references_async(
        types.ReferenceParams(
            context=types.ReferenceContext(include_declaration=True), **project.at("|cc = ")
        )
    )
    assert found is not None
    places = [(each.uri.rpartition("/")[2], each.range.start.line + 1) for each in found]
    assert sorted(places) == [
        ("Pipefile", 1),
        ("Pipefile", 11),
        ("Pipefile", 14),
        ("Pipefile", 18),
        ("more.pipe", 1),
    ]


async def renamed(editor: Editor, mark: str, new: str) -> dict[str, str]:
    found = await editor.client.text_document_rename_async(
        types.RenameParams(new_name=new, **editor.at(mark))
    )
    assert found and found.changes
    out = {}
    for uri, edits in found.changes.items():
        name = uri.rpartition("/")[2]
        text = (editor.folder / name).read_text()
        for edit in sorted(edits, key=lambda each: each.range.start, reverse=True):  # type: ignore[arg-type, return-value]
            lines = text.split("\n")
            row = lines[edit.range.start.line]
            lines[edit.range.start.line] = (
                row[: edit.range.start.character] + edit.new_text + row[edit.range.end.character :]
            )
            text = "\n".join(lines)
        out[name] = text
    return out


async def test_a_variable_is_renamed_everywhere(project: Editor) -> None:
    found = await renamed(project, "|cc = ", "compiler")
    assert found["more.pipe"] == 'extra = compiler + "-12"\n'
    assert "<compiler> <flags> -O<level>" in found["Pipefile"]
    assert 'with <compiler>")' in found["Pipefile"]
    assert "write_text(compiler + str" in found["Pipefile"]
    assert 'compiler = "gcc"' in found["Pipefile"]


async def test_a_capture_is_renamed_in_its_rule(project: Editor) -> None:
    found = await renamed(project, "out/<na|me>", "part")
    assert "compiles <part> with" in found["Pipefile"]
    assert "compile: out/<part>.o: src/<part>.c" in found["Pipefile"]


async def test_a_rule_is_renamed_with_those_that_name_it(project: Editor) -> None:
    found = await renamed(project, "|compile: out", "objects")
    assert "all: report.txt <objects>" in found["Pipefile"]
    assert "report.txt: <objects> notes.txt" in found["Pipefile"]


@pytest.mark.parametrize(
    ("mark", "new", "reason"),
    [
        ("|cc = ", "2c", "no name"),
        ("|cc = ", "input", "every job"),
        ("|cc = ", "flags", "already"),
        ("|cc = ", "name", "of its own"),
        ("|cc = ", "glob", "builtin"),
        ("|cc = ", "class", "word of Python"),
        ("-c <inp|ut>", "x", "every job"),
        ("@de|sc", "x", "attribute"),
    ],
)
async def test_names_that_cannot_be_are_refused(
    project: Editor, mark: str, new: str, reason: str
) -> None:
    with pytest.raises(JsonRpcException, match=reason):
        await renamed(project, mark, new)


async def test_highlights_in_one_rule(project: Editor) -> None:
    found = await project.client.text_document_document_highlight_async(
        types.DocumentHighlightParams(**project.at("src/<na|me>"))
    )
    assert found is not None
    assert len(found) == 3
    assert {project.text_of(each.range) for each in found} == {"name"}


async def test_symbols(project: Editor) -> None:
    found = await project.client.text_document_document_symbol_async(
        types.DocumentSymbolParams(project.document("Pipefile"))
    )
    assert found is not None
    assert [each.name for each in found] == [
        "cc",
        "flags",
        "include more.pipe",
        "python",
        "all",
        "compile",
        "report.txt",
        ".PHONY",
        "clean",
    ]
    compiling = found[5]
    assert isinstance(compiling, types.DocumentSymbol)
    assert compiling.range.start.line == 10  # its attributes are a part of it
    wide = await project.client.workspace_symbol_async(types.WorkspaceSymbolParams("cmp"))
    assert wide is not None
    assert [each.name for each in wide] == ["compile"]


async def test_links_lead_to_files(project: Editor) -> None:
    found = await project.client.text_document_document_link_async(
        types.DocumentLinkParams(project.document("Pipefile"))
    )
    assert found is not None
    assert {(each.target or "").rpartition("/")[2] for each in found} == {
        "more.pipe",
        "notes.txt",
        "lib.h",
    }


async def test_folds_and_growing_selections(project: Editor) -> None:
    folds = await project.client.text_document_folding_range_async(
        types.FoldingRangeParams(project.document("Pipefile"))
    )
    assert folds is not None
    assert (12, 13) in [(each.start_line, each.end_line) for each in folds]
    place = project.place("-c <in|put>")
    (found,) = await project.client.text_document_selection_range_async(  # type: ignore[misc]
        types.SelectionRangeParams(project.document("Pipefile"), [place])
    )
    grown = []
    step: types.SelectionRange | None = found
    while step:
        grown.append(project.text_of(step.range))
        step = step.parent
    assert grown[:3] == [
        "input",
        "<input>",
        "<cc> <flags> -O<level> -c <input> -o <output> 2> <log>",
    ]
    assert grown[-1] == FILE


@pytest.mark.parametrize(
    ("line", "mark", "word"),
    [
        ("x: d/", "x: d/|", '"d/a b.txt"'),
        ('x: "d/"', 'x: "d/|', "d/a b.txt"),
        ('x: "d/a b"', 'x: "d/a b|', "d/a b.txt"),
        ("x: d", "x: d|", "d/"),
        ("x: e", "x: e|", '"e f/'),
        ("include d/", "include d/|", '"d/a b.txt"'),
        ("x: d/50", "x: d/50|", '"d/50\\%.txt"'),
    ],
)
async def test_a_file_that_needs_quotes_is_written_in_them(
    editor: Editor, line: str, mark: str, word: str
) -> None:
    for name in ("d/a b.txt", "d/50%.txt", "d/line\nend.txt", "e f/g"):
        editor.write(name)
    editor.open(line + "\n")
    found = await completions(editor, mark)
    words = [each.text_edit.new_text for each in found.values() if each.text_edit]
    assert word in words
    assert not any("\n" in each for each in words)
