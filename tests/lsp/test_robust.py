"""Whatever is typed, the server answers, and what it knows is what a fresh start would know."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path

import pytest
from lsprotocol import types
from pygls.exceptions import JsonRpcException
from pytest_lsp import LanguageClient

from tests.lsp.conftest import Editor

pytestmark = pytest.mark.asyncio

EXAMPLES = sorted((Path(__file__).parents[2] / "examples").glob("*/Pipefile"))
SHORT = """\
cc ?= "gcc"  # 🙂
python:
    def f(x):
        return [x]
@desc("<n> 🙂")
@params(k=[1, 2])
part: out/<n>.o: src/<n>.c ref="a b.txt" | lib/
    <cc> <k> "<input>" > <output> \\
        && echo '<n>'
    python:
        print(f"{inputs} {cc}")
collate all: <part>
    cat <inputs[0].basename> <f("é")>
"""


class Typist:
    """Types a text and deletes parts of it; keeps what should be there."""

    def __init__(self, editor: Editor, seed: int) -> None:
        self.editor = editor
        self.chance = random.Random(seed)

    @property
    def text(self) -> str:
        return self.editor.texts["Pipefile"]

    def position(self, offset: int) -> types.Position:
        head = self.text[:offset]
        last = head.rpartition("\n")[2]
        return types.Position(head.count("\n"), len(last.encode("utf-16-le")) // 2)

    def replace(self, start: int, end: int, new: str) -> None:
        where = types.Range(self.position(start), self.position(end))
        self.editor.texts["Pipefile"] = self.text[:start] + new + self.text[end:]
        self.editor.change([types.TextDocumentContentChangePartial(where, new)])

    def delete_something(self) -> None:
        start = self.chance.randrange(len(self.text) + 1)
        self.replace(start, min(len(self.text), start + self.chance.randrange(1, 40)), "")

    async def ask(self) -> None:
        """One request about a place; it may be refused, but has an answer."""
        client, offset = self.editor.client, self.chance.randrange(len(self.text) + 1)
        document = self.editor.document("Pipefile")
        at = {"text_document": document, "position": self.position(offset)}
        whole = types.Range(types.Position(0, 0), self.position(len(self.text)))
        requests = [
            lambda: client.text_document_completion_async(types.CompletionParams(**at)),
            lambda: client.text_document_hover_async(types.HoverParams(**at)),
            lambda: client.text_document_definition_async(types.DefinitionParams(**at)),
            lambda: client.text_document_references_async(
                types.ReferenceParams(context=types.ReferenceContext(True), **at)
            ),
            lambda: client.text_document_document_highlight_async(
                types.DocumentHighlightParams(**at)
            ),
            lambda: client.text_document_rename_async(types.RenameParams(new_name="new", **at)),
            lambda: client.text_document_document_symbol_async(
                types.DocumentSymbolParams(document)
            ),
            lambda: client.text_document_folding_range_async(types.FoldingRangeParams(document)),
            lambda: client.text_document_selection_range_async(
                types.SelectionRangeParams(document, [self.position(offset)])
            ),
            lambda: client.text_document_document_link_async(types.DocumentLinkParams(document)),
            lambda: client.text_document_semantic_tokens_full_async(
                types.SemanticTokensParams(document)
            ),
            lambda: client.text_document_inlay_hint_async(types.InlayHintParams(document, whole)),
            lambda: client.text_document_code_lens_async(types.CodeLensParams(document)),
            lambda: client.text_document_code_action_async(
                types.CodeActionParams(document, whole, types.CodeActionContext([]))
            ),
            lambda: client.text_document_formatting_async(
                types.DocumentFormattingParams(document, types.FormattingOptions(4, True))
            ),
            lambda: client.text_document_on_type_formatting_async(
                types.DocumentOnTypeFormattingParams(
                    document, self.position(offset), "\n", types.FormattingOptions(4, True)
                )
            ),
            lambda: client.text_document_prepare_call_hierarchy_async(
                types.CallHierarchyPrepareParams(**at)
            ),
        ]
        request = self.chance.choice(requests)
        try:
            await request()
        except JsonRpcException as error:
            # What cannot be renamed is refused; a mistake of the server's would be another code.
            assert error.code == -32602, error

    async def is_well(self) -> None:
        """The server has the text that was typed: the symbols are those of a text opened anew."""
        name = "copy/Pipefile"
        self.editor.open(self.text, name)
        symbols = []
        for each in ("Pipefile", name):
            found = await self.editor.client.text_document_document_symbol_async(
                types.DocumentSymbolParams(self.editor.document(each))
            )
            symbols.append(found)
        assert symbols[0] == symbols[1]
        self.editor.client.text_document_did_close(
            types.DidCloseTextDocumentParams(self.editor.document(name))
        )


async def type_in(editor: Editor, text: str, seed: int, step: int) -> None:
    editor.open("")
    typist = Typist(editor, seed)
    written = 0
    while written < len(text):
        part = text[written : written + step]
        typist.replace(len(typist.text), len(typist.text), part)
        written += step
        if typist.chance.random() < 0.1:
            await typist.ask()
    assert typist.text == text
    await typist.is_well()
    while typist.text:
        typist.delete_something()
        await typist.ask()
        if len(typist.text) < 30:
            typist.replace(0, len(typist.text), "")
    await typist.is_well()


async def test_a_text_is_typed_and_deleted_in_pieces(editor: Editor) -> None:
    await type_in(editor, SHORT, 1, 5)


@pytest.mark.long
@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.parent.name)
async def test_every_example_is_typed_character_by_character(editor: Editor, path: Path) -> None:
    for seed in range(3):
        await type_in(editor, path.read_text(), seed, 1)
        editor.client.text_document_did_close(
            types.DidCloseTextDocumentParams(editor.document("Pipefile"))
        )


async def test_a_failure_is_answered_and_the_server_goes_on(editor: Editor) -> None:
    editor.open("x:\n    true\n")
    with pytest.raises(JsonRpcException):
        await editor.client.workspace_execute_command_async(
            types.ExecuteCommandParams("pybuild.run", ["no address"])
        )
    with pytest.raises(JsonRpcException):
        await editor.client.workspace_execute_command_async(
            types.ExecuteCommandParams("pybuild.nonsense", [])
        )
    found = await editor.client.text_document_document_symbol_async(
        types.DocumentSymbolParams(editor.document("Pipefile"))
    )
    assert [each.name for each in found or []] == ["x"]


async def test_what_runs_ends_with_the_server(brief_client: LanguageClient, tmp_path: Path) -> None:
    editor = Editor(brief_client, tmp_path)
    editor.open("x:\n    echo $$ > pid; mkfifo pipe; cat pipe\n")
    asked = editor.client.workspace_execute_command_async(
        types.ExecuteCommandParams("pybuild.run", [editor.uri("Pipefile"), "x"])
    )
    task = asyncio.ensure_future(asked)
    async with asyncio.timeout(30):
        while not (tmp_path / "pipe").exists():
            await asyncio.sleep(0.05)
    process = int((tmp_path / "pid").read_text())
    await brief_client.shutdown_session()
    task.cancel()
    async with asyncio.timeout(30):
        while Path(f"/proc/{process}").exists():
            await asyncio.sleep(0.05)


async def test_requests_about_files_that_are_not_there_have_an_answer(editor: Editor) -> None:
    nowhere = types.TextDocumentIdentifier("untitled:Untitled-1")
    for document in (nowhere, editor.document("gone/Pipefile")):
        found = await editor.client.text_document_document_symbol_async(
            types.DocumentSymbolParams(document)
        )
        assert not found
